"""The motion file: an npz that says what its columns mean, at which rate, for which head, and who made it.

Keys: `format` (int), `coeffs` (frames, coeffs) float32, `fps` (float), `head`, `channels` (names), `meta`
(JSON), and `pose` (frames, 3) float32 where the head's turning is known.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import JAW, MOST_EXPRESSION, MOST_JAW_RAD, MOST_POSE_RAD
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.types import Motion

FORMAT = 1
# A rate next to zero would make one frame last for years of sound.
LOWEST_FPS, HIGHEST_FPS = 0.1, 1000.0
_LONGEST_S = 24 * 3600.0
_MOST_CHANNELS, _LONGEST_META = 1024, 100_000
_NAME = re.compile(r"[\w .-]{1,64}")
# What the parts may unfold to: twelve hours of coefficients at 25 fps take 230 MB.
_MOST_BYTES = {
    "format": 64, "coeffs": 1 << 28, "fps": 64, "head": 1 << 12, "channels": 1 << 20, "meta": 1 << 22,
    "pose": 1 << 26,
}  # fmt: skip
_KEYS = ("format", "coeffs", "fps", "head", "channels", "meta")


def write_motion(path: Path, motion: Motion, meta: dict[str, Any] | None = None) -> None:
    """Write `motion` to `path` (.npz), byte for byte the same for the same content.

    `meta` is anything JSON holds: the command, the seed, the hash of the weights.
    """
    arrays = {
        "format": np.array(FORMAT),
        "coeffs": motion.coeffs.astype(np.float32, copy=False),
        "fps": np.array(float(motion.fps)),
        "head": np.array(motion.head),
        "channels": np.array(motion.channels),
        "meta": np.array(json.dumps(meta or {}, sort_keys=True)),
    }
    if motion.pose is not None:
        arrays["pose"] = motion.pose.astype(np.float32, copy=False)
    # numpy stamps no time into its zip members, so equal arrays are equal files.
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read_motion(path: Path) -> tuple[Motion, dict[str, Any]]:
    """The motion and its meta. Raises InputError for anything but a motion file this version can read."""
    hint = "Motion files are written by talk animate or talk preprocess."
    stored = read_arrays(
        path, _KEYS, kind="motion file", hint=hint, optional=("pose",), most_bytes=_MOST_BYTES
    )
    try:
        number = _scalar(stored, "format")
        if number > FORMAT:
            raise InputError(
                f"{path} has motion format {number:g}, this version reads up to {FORMAT}.",
                hint="Update talk.",
            )
        if number < 1 or number % 1:
            raise ValueError(f"format is {number:g}")
        if any(stored[name].dtype.kind not in "fiu" for name in ("coeffs", "pose") if name in stored):
            raise ValueError("coeffs and pose must be numbers")
        with np.errstate(over="ignore"):
            motion = Motion(
                coeffs=np.asarray(stored["coeffs"], dtype=np.float32),
                fps=_scalar(stored, "fps"),
                head=_text(stored, "head"),
                channels=_names(stored["channels"]),
                pose=np.asarray(stored["pose"], dtype=np.float32) if "pose" in stored else None,
            )
        meta = parse_json(_text(stored, "meta"))
        if not isinstance(meta, dict) or len(json.dumps(meta)) > _LONGEST_META:
            raise ValueError(f"meta is no JSON object of at most {_LONGEST_META} characters")
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{path} holds fields that do not fit together ({error}).", hint=hint) from error
    whole = len(motion.coeffs) > 0 and np.isfinite(motion.coeffs).all()
    whole = whole and (motion.pose is None or np.isfinite(motion.pose).all())
    if not whole or not LOWEST_FPS <= motion.fps <= HIGHEST_FPS:
        raise InputError(f"{path} holds no frames, values that are not numbers, or no valid fps.", hint=hint)
    if motion.duration_s > _LONGEST_S:
        raise InputError(f"{path} lasts {motion.duration_s:.0f} s, more than a day.", hint=hint)
    _check_range(path, motion)
    return motion, meta


def _check_range(path: Path, motion: Motion) -> None:
    """Raise InputError for numbers that no face has: such a file is damaged, or in another unit."""
    for name, values in zip(motion.channels, motion.coeffs.T, strict=True):
        most = MOST_JAW_RAD if name in JAW else MOST_EXPRESSION
        largest = float(np.abs(values).max())
        if largest > most:
            raise InputError(f"{path}: {name} reaches {largest:.3g}, beyond +-{most:.3g} it is no face.")
    if motion.pose is not None and float(np.abs(motion.pose).max()) > MOST_POSE_RAD:
        raise InputError(f"{path}: the head turns by more than +-{MOST_POSE_RAD:.3g} rad.")


def _scalar(stored: dict[str, np.ndarray], name: str) -> float:
    if stored[name].shape != () or stored[name].dtype.kind not in "fiu":
        raise ValueError(f"{name} is no single number")
    number = float(stored[name])
    if not np.isfinite(number):
        raise ValueError(f"{name} is {number}")
    return number


def _text(stored: dict[str, np.ndarray], name: str) -> str:
    if stored[name].shape != () or stored[name].dtype.kind != "U":
        raise ValueError(f"{name} is no single text")
    text = str(stored[name])
    # Raises UnicodeEncodeError, a ValueError, for half a surrogate pair.
    text.encode()
    return text


def _names(stored: np.ndarray) -> tuple[str, ...]:
    if stored.ndim != 1 or stored.dtype.kind != "U" or len(stored) > _MOST_CHANNELS:
        raise ValueError("channels is no list of names")
    names = tuple(str(name) for name in stored)
    if len(set(names)) != len(names) or not all(_NAME.fullmatch(name) for name in names):
        raise ValueError("channels are no distinct names of letters and digits")
    return names
