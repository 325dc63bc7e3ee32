"""The motion file: an npz that says what its columns mean, at which rate, for which head, and who made it.

Keys: `format` (int), `coeffs` (frames, coeffs) float32, `fps` (float), `head`, `channels` (names), `meta`
(JSON), and `pose` (frames, 3) float32 where the head's turning is known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.npz import read_arrays
from talkcli.engine.files import atomic_path
from talkcli.engine.types import Motion

FORMAT = 1
# A rate next to zero would make one frame last for years of sound.
LOWEST_FPS, HIGHEST_FPS = 0.1, 1000.0
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
    stored = read_arrays(path, _KEYS, kind="motion file", hint=hint, optional=("pose",))
    try:
        number = int(stored["format"])
        if number > FORMAT:
            raise InputError(
                f"{path} has motion format {number}, this version reads up to {FORMAT}.", hint="Update talk."
            )
        motion = Motion(
            coeffs=np.asarray(stored["coeffs"], dtype=np.float32),
            fps=float(stored["fps"]),
            head=str(stored["head"]),
            channels=tuple(str(name) for name in stored["channels"]),
            pose=np.asarray(stored["pose"], dtype=np.float32) if "pose" in stored else None,
        )
        meta = json.loads(str(stored["meta"]))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} holds fields that do not fit together ({error}).", hint=hint) from error
    whole = len(motion.coeffs) > 0 and np.isfinite(motion.coeffs).all()
    whole = whole and (motion.pose is None or np.isfinite(motion.pose).all())
    if not whole or not LOWEST_FPS <= motion.fps <= HIGHEST_FPS:
        raise InputError(f"{path} holds no frames, values that are not numbers, or no valid fps.", hint=hint)
    return motion, meta
