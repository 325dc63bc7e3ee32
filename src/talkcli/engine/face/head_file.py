"""Files of generated heads: the arrays of an asset in an npz, with the person whom they show.

Axis names: `verts`, `faces`, `shapes` (expressions, then correctives), `moved` (vertices of all shapes).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.ada.head import FORMAT, SHAPE_STEP_M, TEMPLATE_STEP_M, AdaHead
from talkcli.engine.face.ada.person import Person
from talkcli.engine.face.ada.settings import changed
from talkcli.engine.face.channels import ADA, JAW, TONGUE
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.npz import array_names, read_arrays

_KIND = "head of talk"
_HINT = "Make it again with talk head NAME --out FILE.npz."
_REGION = "region."
# An array that heads of FLAME have.
_OF_FLAME = "expressions"
# Far beyond any head: the shapes of the largest take 150 MB.
_MOST = {"verts": 40_000, "faces": 200_000, "correctives": 256, "moved": 4_000_000, "parts": 64}
_LARGEST_BYTES = 1 << 26
# Of vertices at rest and of what moves them, in metres.
_FARTHEST_M, _LEAST_M = 1.0, 0.05
# Channels and those of the tongue.
_COLUMNS = len(ADA) + len(TONGUE)
_NEEDED_REGIONS = ("lips", "lower_lip", "upper_face", "eyes", "forehead", "nose")


@dataclass(frozen=True)
class _Array:
    """What an array of the file must be. `shape` has numbers, names of axes that `_MOST` bounds or that other
    arrays set, and None for any length. `below` names an axis that the values index.
    """

    kinds: str
    shape: tuple[int | str | None, ...]
    low: float = 0.0
    high: float = np.inf
    below: str | None = None


_ARRAYS = {
    "template": _Array("iu", ("verts", 3), -_FARTHEST_M / TEMPLATE_STEP_M, _FARTHEST_M / TEMPLATE_STEP_M),
    "faces": _Array("iu", ("faces", 3), below="verts"),
    "part_of_face": _Array("iu", ("faces",), below="parts"),
    "colours": _Array("f", ("verts", 3), 0.0, 4.0),
    "ramp_weights": _Array("f", ("correctives", 2, _COLUMNS), -1e3, 1e3),
    "ramp_biases": _Array("f", ("correctives", 2), -1e3, 1e3),
    "shape_rows": _Array("iu", ("moved",), below="verts"),
    "shape_values": _Array("iu", ("moved", 3), -_FARTHEST_M / SHAPE_STEP_M, _FARTHEST_M / SHAPE_STEP_M),
    "shape_starts": _Array("iu", (None,), 0.0, float(_MOST["moved"])),
    "jaw": _Array("f", ("verts",), 0.0, 1.0),
    "hinge": _Array("f", (3,), -_FARTHEST_M, _FARTHEST_M),
    "eye_of_vertex": _Array("iu", ("verts",), 0.0, 2.0),
    "eye_centres": _Array("f", (2, 3), -_FARTHEST_M, _FARTHEST_M),
    "lid_rows": _Array("iu", ("lids",), below="verts"),
    "lid_eyes": _Array("iu", ("lids",), 0.0, 1.0),
    "lid_radii": _Array("f", ("lids",), 0.0, _FARTHEST_M),
    "seal_pairs": _Array("iu", ("pairs", 2), below="verts"),
    "seal_rows": _Array("iu", ("seals",), below="verts"),
    "seal_neighbours": _Array("iu", ("seals", 2), below="pairs"),
    "seal_mix": _Array("f", ("seals",), 0.0, 1.0),
    "seal_amounts": _Array("f", ("seals", 3), -1.0, 1.0),
    "landmarks": _Array("iu", (68,), below="verts"),
}


def is_head_file(path: Path) -> bool:
    """Return whether `path` is an npz for `read_head`: any that is no converted FLAME model."""
    return path.suffix.lower() == ".npz" and _OF_FLAME not in array_names(path)


def write_head(path: Path, arrays: Mapping[str, np.ndarray], parts: tuple[str, ...], person: Person) -> None:
    """Write the arrays of an asset, the names of its parts, and whom it shows; the same bytes every time."""
    contents: dict[str, Any] = {
        "format": np.array(FORMAT),
        "parts": np.array(parts),
        "person": np.array(json.dumps(asdict(person))),
        **arrays,
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **contents)


def read_head(path: Path) -> AdaHead:
    """Return the head in a file of `write_head`, named by the path, so that `load_head` finds it.

    Raises InputError for a damaged file, a file of another format, and anything else.
    """
    regions = sorted(name for name in array_names(path) if name.startswith(_REGION))
    arrays = _read(path, (*_ARRAYS, "parts", *regions))
    missing = [name for name in _NEEDED_REGIONS if not arrays.get(_REGION + name, np.zeros(0)).size]
    if missing:
        raise _wrong(path, f"names no region {missing[0]}")
    parts = arrays.pop("parts")
    if parts.dtype.kind != "U" or parts.ndim != 1 or not 0 < len(parts) <= _MOST["parts"]:
        raise _wrong(path, "names no parts")
    lengths = {"parts": len(parts)}
    for name, expected in _ARRAYS.items():
        _check(path, name, arrays[name], expected, lengths)
    for name in regions:
        _check(path, name, arrays[name], _Array("iu", (None,), below="verts"), lengths)
    starts = arrays["shape_starts"].astype(np.int64)
    if (
        len(starts) != _COLUMNS - len(JAW) + lengths["correctives"] + 1
        or starts[0] != 0
        or starts[-1] != lengths["moved"]
        or (np.diff(starts) < 0).any()
    ):
        raise _wrong(path, "has shapes that do not follow each other")
    if np.ptp(arrays["template"], axis=0).min() * TEMPLATE_STEP_M < _LEAST_M:
        raise _wrong(path, f"has a face at rest of less than {_LEAST_M} m")
    return head_of(str(path), arrays, tuple(str(part) for part in parts))


def head_of(name: str, arrays: Mapping[str, np.ndarray], parts: tuple[str, ...]) -> AdaHead:
    """Return the head called `name` with the arrays of an asset."""
    return AdaHead(name, arrays, {"parts": json.dumps(parts)})


def read_person(path: Path) -> Person:
    """Return whom the head in a file of `write_head` shows. Raises InputError as `read_head` does."""
    text = _read(path, ("person",))["person"]
    try:
        if text.dtype.kind != "U" or text.shape != ():
            raise ValueError("no text")
        fields = json.loads(str(text))
        if not isinstance(fields, dict):
            raise ValueError("no fields")
        return changed(Person(), fields)
    except (UsageError, ValueError, RecursionError) as error:
        raise _wrong(path, "describes no person") from error


def _read(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    bounds = {**dict.fromkeys(names, _LARGEST_BYTES), "person": 1 << 16, "parts": 1 << 16}
    arrays = read_arrays(path, ("format", *names), kind=_KIND, hint=_HINT, most_bytes=bounds)
    found = arrays.pop("format")
    if found.shape != () or found.dtype.kind not in "iu" or found != FORMAT:
        shown = found if found.ndim == 0 and found.dtype.kind in "iu" else f"{found.dtype} {found.shape}"
        raise InputError(f"{path} has format {shown}, this version reads {FORMAT}.", hint=_HINT)
    return arrays


def _check(path: Path, name: str, values: np.ndarray, expected: _Array, lengths: dict[str, int]) -> None:
    """Raise InputError unless `values` are what is `expected`; sets `lengths` of axes that are new."""
    if values.dtype.kind not in expected.kinds or values.ndim != len(expected.shape):
        raise _wrong(path, f"has {name} of {values.dtype} {values.shape}")
    for length, axis in zip(values.shape, expected.shape, strict=True):
        known = lengths.setdefault(axis, length) if isinstance(axis, str) else axis
        most = _MOST.get(str(axis), _MOST["verts"])
        if known not in (None, length) or (isinstance(axis, str) and not 0 < length <= most):
            raise _wrong(path, f"has {name} of {values.shape}")
    high = expected.high if expected.below is None else lengths[expected.below] - 1
    # Comparisons with what is not a number are false.
    if values.size and not (values.min() >= expected.low and values.max() <= high):
        raise _wrong(path, f"has {name} from {values.min()} to {values.max()}")


def _wrong(path: Path, what: str) -> InputError:
    return InputError(f"{path} {what}, so it is no whole {_KIND}.", hint=_HINT)
