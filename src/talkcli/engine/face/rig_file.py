"""Files of rigs: an npz with `names`, `neutral` and `deltas`, and what else is known of the mesh.

Axis names: `verts`, `faces`, `shapes`. `neutral` (verts, 3) and `deltas` (shapes, verts, 3) are in metres,
`names` (shapes,) is text. Optional: `faces` (faces, 3), `landmarks` (68 vertices of the iBUG scheme), `parts`
(text) with `part_of_face` (faces,), and `colours` (verts, 3), linear RGB.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.npz import array_names, read_arrays

_KIND = "rig of named shapes"
_HINT = "talk rig writes such files; docs/retarget.md lists the arrays."
_NEEDED = ("names", "neutral", "deltas")
_OPTIONAL = ("faces", "landmarks", "parts", "part_of_face", "colours")
# A scan of 200,000 vertices with 52 shapes takes 125 MB.
_MOST_BYTES = {
    "names": 1 << 20, "neutral": 1 << 25, "deltas": 1 << 29, "faces": 1 << 26, "landmarks": 1 << 12,
    "parts": 1 << 16, "part_of_face": 1 << 24, "colours": 1 << 25,
}  # fmt: skip
_MOST_SHAPES, _LONGEST_NAME = 1024, 200
_FARTHEST_M, _LEAST_M = 10.0, 0.02


def is_rig_file(path: Path) -> bool:
    """Return whether `path` is an npz for `read_rig`."""
    return path.suffix.lower() == ".npz" and "deltas" in array_names(path)


def write_rig(path: Path, rig: ShapeRig) -> None:
    """Write `rig`; the same bytes for the same rig."""
    arrays = {
        "names": np.array(rig.channels),
        "neutral": rig.template,
        "deltas": rig.deltas.astype(np.float32),
        "faces": rig.faces.astype(np.int32),
        "parts": np.array(rig.parts),
        "part_of_face": rig.part_of_face.astype(np.int32),
        "colours": rig.colours,
    }
    if rig.landmark_vertices is not None:
        arrays["landmarks"] = rig.landmark_vertices.astype(np.int32)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read_rig(path: Path) -> ShapeRig:
    """Return the rig in a file of `write_rig`, named by the path, so that `load_head` finds it.

    Raises InputError for a damaged file, and for arrays that do not fit together.
    """
    stored = read_arrays(path, _NEEDED, kind=_KIND, hint=_HINT, optional=_OPTIONAL, most_bytes=_MOST_BYTES)
    names, neutral, deltas = (stored[name] for name in _NEEDED)
    if names.dtype.kind != "U" or names.ndim != 1 or not 0 < len(names) <= _MOST_SHAPES:
        raise _wrong(path, f"names no shapes, or more than {_MOST_SHAPES}")
    channels = tuple(str(name) for name in names)
    if len(set(channels)) != len(channels) or any(len(name) > _LONGEST_NAME for name in channels):
        raise _wrong(path, "gives two shapes one name, or one that no rig has")
    _check(path, "neutral", neutral, (None, 3))
    num_verts = len(neutral)
    _check(path, "deltas", deltas, (len(channels), num_verts, 3))
    if num_verts == 0 or np.ptp(neutral, axis=0).max() < _LEAST_M:
        raise _wrong(path, f"has a face at rest of less than {_LEAST_M} m")
    indices = {name: stored[name] for name in ("faces", "landmarks") if name in stored}
    for name, shape in (("faces", (None, 3)), ("landmarks", (68,))):
        if name in indices:
            _check_indices(path, name, indices[name], shape, num_verts)
    num_faces = len(indices.get("faces", ()))
    parts = _parts(path, stored, num_faces)
    if "colours" in stored:
        _check(path, "colours", stored["colours"], (num_verts, 3))
    return ShapeRig(
        name=str(path),
        channels=channels,
        template=neutral,
        deltas=deltas,
        faces=indices.get("faces"),
        marks=indices.get("landmarks"),
        parts=parts,
        part_of_face=stored.get("part_of_face"),
        colours=stored.get("colours"),
    )


def _parts(path: Path, stored: dict[str, np.ndarray], num_faces: int) -> tuple[str, ...]:
    """Return the names of the parts. Raises InputError where those of the faces are not among them."""
    parts = stored.get("parts", np.array(("skin",)))
    if parts.dtype.kind != "U" or parts.ndim != 1 or not 0 < len(parts) <= 64:
        raise _wrong(path, "names no parts")
    if "part_of_face" in stored:
        _check_indices(path, "part_of_face", stored["part_of_face"], (num_faces,), len(parts))
    return tuple(str(part) for part in parts)


def _check(path: Path, name: str, values: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """Raise InputError unless `values` are finite floats of `shape`, none beyond any face."""
    fits = values.ndim == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, values.shape, strict=True)
    )
    if values.dtype.kind != "f" or not fits:
        raise _wrong(path, f"has {name} of {values.dtype} {values.shape}")
    # Comparisons with what is not a number are false.
    if values.size and not np.abs(values).max() <= _FARTHEST_M:
        raise _wrong(path, f"has {name} that are not finite, or beyond {_FARTHEST_M:g} m")


def _check_indices(
    path: Path, name: str, values: np.ndarray, shape: tuple[int | None, ...], below: int
) -> None:
    fits = values.ndim == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, values.shape, strict=True)
    )
    if values.dtype.kind not in "iu" or not fits:
        raise _wrong(path, f"has {name} of {values.dtype} {values.shape}")
    if values.size and not 0 <= values.min() <= values.max() < below:
        raise _wrong(path, f"has {name} beyond {below}")


def _wrong(path: Path, what: str) -> InputError:
    return InputError(f"{path} {what}, so it is no whole {_KIND}.", hint=_HINT)
