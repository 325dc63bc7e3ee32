"""The FLAME motion that face trackers write: arrays by name, in an npz or a pickled dictionary.

The names identify the tool that wrote a file, and hence what its arrays mean. The reader keeps expression and
jaw. It keeps the rotation of the head where the tool gives it as DECA does, whose camera looks at the face
from z; other tools give it relative to their own cameras. It ignores shape, texture, eyelids, neck and eyes.
Axis names: `frames`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from scipy.spatial.transform import Rotation

from talkcli.engine.errors import InputError
from talkcli.engine.prepare.flame_motion import flame_motion
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.readers.regular import open_file
from talkcli.engine.readers.safe_pickle import read_pickle
from talkcli.engine.types import Motion

# Most names that an error message lists.
_SHOWN = 12
# Levels of nested dictionaries that are searched, such as {"flame": {...}, "camera": {...}}.
_DEEPEST = 3
# Names under which files store their frame rate.
_RATES = ("fps", "frame_rate", "framerate", "mocap_frame_rate", "mocap_framerate")


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """A tracker and the names of its arrays. `jaw` is axis-angle, or, where `jaw_is_6d`, the first two rows
    of the rotation matrix; `pose` holds the head's rotation and then the jaw's, `head` the head's alone.
    """

    title: str
    expression: str
    jaw: str | None = None
    pose: str | None = None
    head: str | None = None
    jaw_is_6d: bool = False
    also: tuple[str, ...] = ()
    """Further names that distinguish the tracker from others."""

    @property
    def names(self) -> set[str]:
        return {self.expression, *self.also, *(name for name in (self.jaw, self.pose) if name)}


# The first tracker whose names are all in a file is taken.
TRACKERS = (
    Tracker(title="SMIRK", expression="expression_params", jaw="jaw_params", head="pose_params"),
    Tracker(title="EMICA", expression="expcode", jaw="jawpose", head="globalpose"),
    Tracker(title="EMOCA or DECA", expression="expcode", pose="posecode"),
    Tracker(title="EMOCA or DECA", expression="exp", pose="pose"),
    Tracker(title="VHAP", expression="expr", jaw="jaw_pose", also=("neck_pose",)),
    Tracker(title="flame-head-tracker", expression="exp", jaw="jaw_pose", also=("head_pose",)),
    Tracker(title="metrical-tracker", expression="exp", jaw="jaw", jaw_is_6d=True),
    Tracker(title="smplx", expression="expression", jaw="jaw_pose"),
)
_ELSEWHERE = {
    frozenset({"expressions", "poses"}): "BEAT2's files, which talk preprocess beat2 reads",
    frozenset({"identity"}): "MICA's files, which hold the shape of a head and no motion",
    frozenset({"vertices"}): "vertices, which talk preprocess vocaset and biwi read",
}


def is_tracker_file(path: Path) -> bool:
    """Return whether `path` holds neither a motion file of ours nor a bare array of numbers."""
    if path.suffix.lower() == ".npz":
        return "coeffs" not in _npz_names(path)
    with open_file(path) as file:
        # An npy holds a dictionary as an array of one object.
        return path.suffix.lower() != ".npy" or b"'|O'" in file.read(512)


def read_tracker_motion(path: Path, fps: float | None) -> Motion:
    """Read FLAME motion from a tracker's npz, npy or pickle, at `fps` unless the file states its own rate.

    Raises:
        InputError: The file has one picture alone or no rate, `flame_motion` refuses its arrays, or no
            tracker is known by their names. The message names the tracker, or lists the names.
    """
    arrays = _npz_arrays(path) if path.suffix.lower() == ".npz" else _by_name(path, read_pickle(path))
    tracker, arrays = _recognised(path, arrays)
    rate = next((_number(arrays[name]) for name in _RATES if name in arrays), None) or fps
    if rate is None:
        raise InputError(
            f"{path.name} comes from {tracker.title}, which does not store its frame rate.",
            hint="Give `source_fps`: the frames per second of the film.",
        )
    where = f"{path.name} ({tracker.title})"
    expression = _rows(arrays[tracker.expression], where)
    head = _rows(arrays[tracker.head], where) if tracker.head and tracker.head in arrays else None
    if tracker.pose is not None:
        both = _rows(arrays[tracker.pose], where)
        if both.shape[1] != 6:
            raise InputError(f"{where}: {tracker.pose} is {both.shape}, (frames, 6) is needed.")
        head, jaw = both[:, :3], both[:, 3:]
    else:
        assert tracker.jaw is not None
        jaw = _rows(arrays[tracker.jaw], where)
    if tracker.jaw_is_6d and jaw.shape[1] == 6:
        jaw = _axis_angles(jaw, where)
    if len(expression) < 2:
        raise InputError(
            f"{where} holds one picture.", hint="Stack the arrays of all pictures along a first axis."
        )
    still = np.zeros((len(expression), 3), np.float32)
    motion = flame_motion(
        where, expression=expression, jaw=jaw, pose=still if head is None else head, fps=float(rate)
    )
    return motion if head is not None else replace(motion, pose=None)


def _recognised(path: Path, arrays: Mapping[str, Any]) -> tuple[Tracker, Mapping[str, Any]]:
    level = [arrays]
    for _ in range(_DEEPEST):
        for found in level:
            for tracker in TRACKERS:
                if tracker.names <= found.keys():
                    return tracker, found
        level = [inner for found in level for inner in found.values() if isinstance(inner, Mapping)]
    there = ", ".join(map(str, list(arrays)[:_SHOWN])) or "nothing"
    known = next((text for names, text in _ELSEWHERE.items() if names <= arrays.keys()), None)
    if known:
        raise InputError(f"The arrays of {path.name} have the names of {known}.")
    raise InputError(
        f"{path.name} is no motion file, and no known tracker uses the names of its arrays ({there:.300}).",
        hint=f"Known are {', '.join(dict.fromkeys(tracker.title for tracker in TRACKERS))}; docs/formats.md "
        "lists the names of their arrays.",
    )


def _npz_names(path: Path) -> list[str]:
    with open_file(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return [name.removesuffix(".npy") for name in archive.namelist()]
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise InputError(f"{path} is no readable npz archive ({error}).") from error


def _npz_arrays(path: Path) -> Mapping[str, Any]:
    """Return the arrays by whose names trackers are recognised; None under every other name."""
    names = _npz_names(path)
    wanted = {name for tracker in TRACKERS for name in (*tracker.names, tracker.head) if name} | set(_RATES)
    found = read_arrays(
        path,
        [name for name in names if name in wanted],
        kind="file of a tracker",
        hint="Arrays of objects are not read: save each array by its own name.",
    )
    return {name: found.get(name) for name in names}


def _by_name(path: Path, content: Any) -> Mapping[str, Any]:
    """Return `content` as a dictionary of arrays; dictionaries of single pictures become one."""
    if isinstance(content, (list, tuple)) and len(content) == 1:
        content = content[0]
    if isinstance(content, (list, tuple)) and content and all(isinstance(part, Mapping) for part in content):
        names = set.intersection(*(set(part) for part in content))
        try:
            content = {name: np.stack([np.asarray(part[name]).ravel() for part in content]) for name in names}
        except (TypeError, ValueError) as error:
            raise InputError(f"{path.name} holds pictures whose arrays differ in size ({error}).") from error
    if not isinstance(content, Mapping):
        raise InputError(
            f"{path.name} holds a {type(content).__name__}, a dictionary of arrays is needed.",
            hint="Save arrays by name, and tensors as numpy arrays.",
        )
    return content


def _rows(value: Any, where: str) -> Shaped[np.ndarray, "frames columns"]:
    """Return `value` as (frames, columns), also if it is (frames, 1, columns) or of one picture."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.ndim == 0 or value.size == 0:
        raise InputError(
            f"{where} holds a {type(value).__name__} where an array of floats belongs.",
            hint="Tensors must be saved as numpy arrays.",
        )
    return value.reshape(1, -1) if value.ndim == 1 else value.reshape(len(value), -1)


def _number(value: Any) -> float | None:
    try:
        number = float(np.asarray(value).ravel()[0])
    except (TypeError, ValueError, IndexError):
        return None
    return number if 0 < number <= 1000 else None


def _axis_angles(rows: Shaped[np.ndarray, "frames six"], where: str) -> Float[np.ndarray, "frames 3"]:
    """Return axis-angles from the first two rows of matrices (Zhou et al. 2019), made orthonormal."""
    first, second = rows[:, :3].astype(np.float64), rows[:, 3:].astype(np.float64)
    with np.errstate(all="ignore"):
        x = first / np.linalg.norm(first, axis=1, keepdims=True)
        y = second - (x * second).sum(axis=1, keepdims=True) * x
        y /= np.linalg.norm(y, axis=1, keepdims=True)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError(f"{where}: the jaw has values that are no rotation.")
    return Rotation.from_matrix(np.stack([x, y, np.cross(x, y)], axis=1)).as_rotvec()
