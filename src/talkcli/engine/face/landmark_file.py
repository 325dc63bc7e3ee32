"""Files with the 68 landmarks of the iBUG scheme on a mesh: vertex numbers, or places in the mesh's own unit.

A .json is a list of 68, or an object whose `landmarks` is one; each entry is a number of a vertex, or
[x, y, z]. A .csv has 68 rows of one or three numbers, and may have a header. An .npz has an array `landmarks`
of (68,) or (68, 3). Vertices are counted from 0. Axis names: `verts`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.readers.text import csv_rows, read_text
from talkcli.engine.wording import parameter

NUM_LANDMARKS = 68
_HINT = "The 68 landmarks of the iBUG scheme are needed, in its order (docs/retarget.md)."
_KEYS = ("landmarks", "idx_to_landmark_verts")
# Farthest that a place may be from the mesh, as a share of the mesh's extent.
_FARTHEST = 0.1


def read_landmarks(path: Path, vertices: Float[np.ndarray, "verts 3"]) -> Int[np.ndarray, "68"]:
    """Return the vertices of the landmarks; places become their nearest vertices.

    Raises UsageError for another suffix, and InputError for a file that holds anything else, for vertices
    that the mesh does not have, and for places that are not on it.
    """
    suffix = path.suffix.lower()
    readers = {".json": _json, ".csv": _csv, ".npz": _npz}
    if suffix not in readers:
        raise UsageError(f"{parameter('landmarks', path)} is no .json, .csv or .npz.", hint=_HINT)
    rows = readers[suffix](path)
    if rows.ndim == 2 and rows.shape[1] == 1:
        rows = rows[:, 0]
    if rows.shape not in ((NUM_LANDMARKS,), (NUM_LANDMARKS, 3)) or not np.isfinite(rows).all():
        raise InputError(f"{path} holds landmarks of shape {rows.shape}.", hint=_HINT)
    if rows.ndim == 1:
        if (rows % 1).any() or not 0 <= rows.min() <= rows.max() < len(vertices):
            raise InputError(f"{path} names vertices beyond the {len(vertices)} of the mesh.", hint=_HINT)
        found = rows.astype(np.int64)
    else:
        distances, found = map(np.asarray, cKDTree(vertices).query(rows))
        extent = float(np.ptp(vertices, axis=0).max())
        if distances.max() > _FARTHEST * extent:
            raise InputError(
                f"{path}: landmark {int(distances.argmax())} is {distances.max():.3g} from the mesh, whose "
                f"extent is {extent:.3g}.",
                hint="Give places in the unit and the axes of the mesh's file.",
            )
    if len(np.unique(found)) < NUM_LANDMARKS // 2:
        raise InputError(f"{path} puts most landmarks on the same vertices.", hint=_HINT)
    return found


def _json(path: Path) -> np.ndarray:
    try:
        content = parse_json(read_text(path, largest=1 << 20))
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error}).", hint=_HINT) from error
    if isinstance(content, dict):
        content = next((content[key] for key in _KEYS if key in content), None)
    try:
        rows = [[float(number) for number in (row if isinstance(row, list) else [row])] for row in content]
        return np.array(rows, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} holds no list of landmarks.", hint=_HINT) from error


def _csv(path: Path) -> np.ndarray:
    rows = []
    for number, (line, cells) in enumerate(csv_rows(path)):
        try:
            rows.append([float(cell) for cell in cells])
        except ValueError as error:
            if number:
                raise InputError(f"{path}, line {line} holds no numbers.", hint=_HINT) from error
        if len(rows) > NUM_LANDMARKS:
            break
    if len({len(row) for row in rows}) > 1:
        raise InputError(f"{path} has rows of different lengths.", hint=_HINT)
    return np.array(rows, np.float64)


def _npz(path: Path) -> np.ndarray:
    stored = read_arrays(
        path, ("landmarks",), kind="file of landmarks", hint=_HINT, most_bytes={"landmarks": 1 << 16}
    )["landmarks"]
    if stored.dtype.kind not in "fiu":
        raise InputError(f"{path} holds landmarks of {stored.dtype}.", hint=_HINT)
    return stored.astype(np.float64)
