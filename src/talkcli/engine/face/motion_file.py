"""The motion file: an npz that says what its numbers mean, at which rate, of which face, and who made it.

Two forms have the keys `fps` (frames per second), `meta` (JSON) and `format` (int) in common. Format 1 holds
coefficients: `coeffs` (frames, coeffs) float32, `head`, `channels` (names), `pose` (frames, 3) float32 where
the turn of the head is known, and where the phones are known `phones` (ARPAbet symbols), `phone_times`
(phones, 2) float64, start and end in seconds, and `alignment` (how they were found). Format 2 holds vertices:
`vertices` (frames, verts, 3) float32, `neutral` (verts, 3) float32, `topology` (name), and `faces` (faces, 3)
int32 where the triangles are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import JAW, MOST_EXPRESSION, MOST_JAW_RAD, MOST_POSE_RAD
from talkcli.engine.face.vertex_motion import check_vertices
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.types import Alignment, AnyMotion, Motion, Phone, VertexMotion

COEFFICIENTS, VERTICES = 1, 2
NEWEST = VERTICES
# A rate next to zero would make one frame last for years of sound.
LOWEST_FPS, HIGHEST_FPS = 0.1, 1000.0
_LONGEST_S = 24 * 3600.0
_MOST_CHANNELS, _LONGEST_META = 1024, 100_000
_NAME = re.compile(r"[\w .-]{1,64}")
_SYMBOL = re.compile(r"[A-Z]{1,3}", re.ASCII)
# What the parts may unfold to, in bytes: twelve hours of coefficients at 25 fps take 230 MB, twelve minutes
# of FLAME's vertices 1 GB.
_MOST_BYTES = {
    "format": 64, "coeffs": 1 << 28, "fps": 64, "head": 1 << 12, "channels": 1 << 20, "meta": 1 << 22,
    "pose": 1 << 26, "phones": 1 << 24, "phone_times": 1 << 24, "alignment": 1 << 12, "vertices": 1 << 30,
    "neutral": 1 << 25, "topology": 1 << 12, "faces": 1 << 26,
}  # fmt: skip
_COMMON = ("fps", "meta")
_OF_COEFFICIENTS = ("coeffs", "head", "channels")
_OF_SPEECH = ("phones", "phone_times", "alignment")
_OF_VERTICES = ("vertices", "neutral", "topology")
_HINT = "Motion files are written by talk animate or talk preprocess."


def write_motion(path: Path, motion: AnyMotion, meta: dict[str, Any] | None = None) -> None:
    """Write `motion` to `path` (.npz), byte for byte the same for the same content.

    `meta` is anything that JSON holds: the command, the seed, the hash of the weights.
    """
    arrays = {"format": np.array(VERTICES if isinstance(motion, VertexMotion) else COEFFICIENTS)}
    if isinstance(motion, VertexMotion):
        arrays |= {
            "vertices": motion.vertices.astype(np.float32, copy=False),
            "neutral": motion.neutral.astype(np.float32, copy=False),
            "topology": np.array(motion.topology),
        }
        if motion.faces is not None:
            arrays["faces"] = motion.faces.astype(np.int32, copy=False)
        arrays["fps"] = np.array(float(motion.fps))
    else:
        arrays |= {
            "coeffs": motion.coeffs.astype(np.float32, copy=False),
            "fps": np.array(float(motion.fps)),
            "head": np.array(motion.head),
            "channels": np.array(motion.channels),
        }
    arrays["meta"] = np.array(json.dumps(meta or {}, sort_keys=True))
    if isinstance(motion, Motion) and motion.pose is not None:
        arrays["pose"] = motion.pose.astype(np.float32, copy=False)
    if isinstance(motion, Motion) and motion.alignment is not None:
        phones = motion.alignment.phones
        times = [(phone.start_s, phone.end_s) for phone in phones]
        arrays |= {
            "phones": np.array([phone.symbol for phone in phones], dtype=str),
            "phone_times": np.array(times, dtype=np.float64).reshape(-1, 2),
            "alignment": np.array(motion.alignment.method),
        }
    # Deflate makes float vertices hardly smaller, and takes far longer than writing them.
    save = np.savez if isinstance(motion, VertexMotion) else np.savez_compressed
    # numpy stamps no time into its zip members, so equal arrays are equal files.
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        save(file, **arrays)  # type: ignore[arg-type]


def read_motion(path: Path) -> tuple[Motion, dict[str, Any]]:
    """Read coefficients and their meta. Raises InputError as `read_any_motion`, and for a file of
    vertices.
    """
    motion, meta = read_any_motion(path)
    if isinstance(motion, VertexMotion):
        raise InputError(
            f"{path} holds vertices of the topology {motion.topology}; coefficients of a head are needed."
        )
    return motion, meta


def read_any_motion(path: Path) -> tuple[AnyMotion, dict[str, Any]]:
    """Read a motion of either form and its meta.

    Raises InputError for anything but a motion file that this version can read.
    """
    try:
        # A file of one form is not read for the arrays of the other: they may be anything, and large.
        number = _scalar(_read(path, ("format",)), "format")
        if number > NEWEST:
            raise InputError(
                f"{path} has motion format {number:g}, this version reads up to {NEWEST}.",
                hint="Update talk.",
            )
        if number < 1 or number % 1:
            raise ValueError(f"format is {number:g}")
        if number == VERTICES:
            stored = _read(path, (*_COMMON, *_OF_VERTICES), ("faces",))
        else:
            stored = _read(path, (*_COMMON, *_OF_COEFFICIENTS), ("pose", *_OF_SPEECH))
        motion = _vertices(stored) if number == VERTICES else _coefficients(stored)
        meta = parse_json(_text(stored, "meta"))
        if not isinstance(meta, dict) or len(json.dumps(meta)) > _LONGEST_META:
            raise ValueError(f"meta is no JSON object of at most {_LONGEST_META} characters")
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{path} holds fields that do not fit together ({error}).", hint=_HINT) from error
    numbers = [motion.coeffs] if isinstance(motion, Motion) else [motion.vertices, motion.neutral]
    if isinstance(motion, Motion) and motion.pose is not None:
        numbers.append(motion.pose)
    whole = motion.num_frames > 0 and all(np.isfinite(array).all() for array in numbers)
    if not whole or not LOWEST_FPS <= motion.fps <= HIGHEST_FPS:
        raise InputError(f"{path} holds no frames, values that are not numbers, or no valid fps.", hint=_HINT)
    if motion.duration_s > _LONGEST_S:
        raise InputError(f"{path} lasts {motion.duration_s:.0f} s, more than a day.", hint=_HINT)
    if isinstance(motion, Motion):
        check_range(path, motion)
    else:
        try:
            check_vertices(motion)
        except InputError as error:
            raise InputError(f"{path}: {error.problem}", hint=_HINT) from error
    return motion, meta


def _read(path: Path, names: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    return read_arrays(path, names, kind="motion file", hint=_HINT, optional=optional, most_bytes=_MOST_BYTES)


def _coefficients(stored: dict[str, np.ndarray]) -> Motion:
    """Build the motion of a file of format 1. Raises ValueError for fields that do not fit."""
    return Motion(
        coeffs=_float32(stored, "coeffs"),
        fps=_scalar(stored, "fps"),
        head=_text(stored, "head"),
        channels=_names(stored["channels"]),
        pose=_float32(stored, "pose") if "pose" in stored else None,
        alignment=_alignment(stored) if "phones" in stored else None,
    )


def _alignment(stored: dict[str, np.ndarray]) -> Alignment:
    """Build the phones of a file of format 1. Raises ValueError for fields that do not fit."""
    symbols, times = stored["phones"], stored.get("phone_times")
    if symbols.ndim != 1 or symbols.dtype.kind != "U" or not all(map(_SYMBOL.fullmatch, symbols.tolist())):
        raise ValueError("phones is no list of ARPAbet symbols")
    if times is None or times.dtype.kind != "f" or times.shape != (len(symbols), 2):
        raise ValueError("phone_times does not fit phones")
    # One time after another; NaN fails every comparison.
    if not (np.diff(times.ravel(), prepend=0.0) >= 0).all() or not (times <= _LONGEST_S).all():
        raise ValueError("phone_times do not follow each other")
    method = _text(stored, "alignment") if "alignment" in stored else "aligned"
    if not _NAME.fullmatch(method):
        raise ValueError("alignment is no name")
    spans = zip(symbols.tolist(), times.tolist(), strict=True)
    return Alignment(tuple(Phone(symbol, start, end) for symbol, (start, end) in spans), method)


def _vertices(stored: dict[str, np.ndarray]) -> VertexMotion:
    """Build the motion of a file of format 2. Raises ValueError for fields that do not fit."""
    topology = _text(stored, "topology")
    if not _NAME.fullmatch(topology):
        raise ValueError("topology is no name of letters and digits")
    neutral, faces = _float32(stored, "neutral"), stored.get("faces")
    if len(neutral) == 0:
        raise ValueError("neutral holds no vertices")
    if faces is not None:
        if faces.dtype.kind not in "iu":
            raise ValueError("faces must be whole numbers")
        if faces.size == 0 or faces.min() < 0 or faces.max() >= len(neutral):
            raise ValueError(f"faces name vertices beyond the {len(neutral)} of neutral, or none")
        faces = faces.astype(np.int64)
    return VertexMotion(
        vertices=_float32(stored, "vertices"),
        neutral=neutral,
        fps=_scalar(stored, "fps"),
        topology=topology,
        faces=faces,
    )


def _float32(stored: dict[str, np.ndarray], name: str) -> np.ndarray:
    if stored[name].dtype.kind not in "fiu":
        raise ValueError(f"{name} must be numbers")
    with np.errstate(over="ignore"):
        return np.asarray(stored[name], dtype=np.float32)


def check_channels(path: Path, channels: Sequence[str]) -> None:
    """Raise InputError for names that `read_motion` refuses in a motion file."""
    wrong = next((name for name in channels if not _NAME.fullmatch(name)), None)
    if wrong is not None:
        raise InputError(f"{path}: a motion file cannot hold a channel called {wrong[:80]!r}.")
    if len(set(channels)) != len(channels) or len(channels) > _MOST_CHANNELS:
        raise InputError(f"{path}: a motion file holds at most {_MOST_CHANNELS} channels of distinct names.")


def check_range(path: Path, motion: Motion) -> None:
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
