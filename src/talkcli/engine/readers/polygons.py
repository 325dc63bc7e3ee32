"""Meshes of files as triangles: what readers of mesh files share. Axis names: `verts`, `faces`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.types import Mesh

# Far beyond any head; BIWI's has 23,370 vertices.
MOST_VERTS, MOST_FACES = 1 << 20, 1 << 21
# Most corners of one polygon; real meshes have triangles and quadrangles.
MOST_CORNERS = 255


def mesh_of_polygons(
    path: Path, vertices: Float[np.ndarray, "verts 3"], polygons: Sequence[Sequence[int]] | np.ndarray
) -> Mesh:
    """Return the mesh of a file, each polygon cut into triangles from its first corner.

    Raises InputError for no vertices, coordinates that are not finite, polygons of one or two corners, and
    corners that are not there.
    """
    if len(vertices) == 0:
        raise InputError(f"{path} holds no vertices.")
    if len(vertices) > MOST_VERTS or len(polygons) > MOST_FACES:
        raise InputError(
            f"{path} holds {len(vertices)} vertices and {len(polygons)} faces, more than any head "
            f"({MOST_VERTS} and {MOST_FACES})."
        )
    with np.errstate(over="ignore"):
        points = np.asarray(vertices, np.float64).astype(np.float32)
    if not np.isfinite(points).all():
        raise InputError(f"{path} holds coordinates that are not finite numbers.")
    triangles = _triangles(path, polygons)
    if len(triangles) and not 0 <= triangles.min() <= triangles.max() < len(points):
        raise InputError(f"{path} has faces that name vertices beyond its {len(points)}.")
    return Mesh(vertices=points, faces=triangles)


def _triangles(path: Path, polygons: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    if isinstance(polygons, np.ndarray) and polygons.shape[1:] == (3,):
        return polygons.astype(np.int64)
    found: list[tuple[int, int, int]] = []
    for corners in polygons:
        if not 3 <= len(corners) <= MOST_CORNERS:
            raise InputError(f"{path} has a face of {len(corners)} corners, 3 to {MOST_CORNERS} are read.")
        found += [(corners[0], corners[at], corners[at + 1]) for at in range(1, len(corners) - 1)]
        if len(found) > MOST_FACES:
            raise InputError(f"{path} has more than {MOST_FACES} triangles.")
    try:
        return np.array(found, dtype=np.int64).reshape(-1, 3)
    except OverflowError as error:
        raise InputError(f"{path} has faces that name vertices beyond any number.") from error
