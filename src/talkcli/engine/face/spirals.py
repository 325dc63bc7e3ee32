"""Spirals of a triangle mesh: for every vertex an ordered list of vertices round it, as rows of a table.

Axis names: `faces`, `verts`, `length` (entries of a spiral), `needed` = entries before the dilation. Source:
SpiralNet++ (Gong et al. 2019), section 3, with the order of its published code. A spiral begins with the
vertex itself; then follow its neighbours in their order round it, then the ring behind these, and so on. The
order depends on the order of the triangles, and not on the numbers of the vertices.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from talkcli.engine.errors import UsageError

# Further neighbours that a search for the nearest looks at, so that the lower number wins among equally near.
_SPARE = 16
# Decimals of a distance, as a share of the mesh, up to which two vertices are equally near.
_EQUAL_DECIMALS = 9


def spirals(
    faces: Int[np.ndarray, "faces 3"],
    positions: Float[np.ndarray, "verts 3"],
    *,
    length: int,
    dilation: int = 1,
) -> Int[np.ndarray, "verts length"]:
    """Return the spiral of every vertex; equal meshes give equal tables, and a mesh is computed once.

    Where a vertex has too few others within reach (a small part of a mesh, a vertex without triangles), the
    `length * dilation` nearest vertices replace its spiral, whatever part they belong to.

    Args:
        faces: Triangles, counter-clockwise seen from outside; none make all rows those of nearest vertices.
        positions: Vertices; they matter only where the nearest are searched.
        length: Number of entries of a row.
        dilation: Every how manyth entry of the full spiral a row keeps.

    Raises:
        UsageError: When the mesh has fewer than `length * dilation` vertices.
    """
    if len(positions) < length * dilation:
        raise UsageError(
            f"Spirals of {length} vertices with a dilation of {dilation} need {length * dilation} vertices, "
            f"but the mesh has {len(positions)}.",
            hint="Lower model.spiral.length or model.spiral.dilation.",
        )
    triangles = np.ascontiguousarray(faces, np.int64)
    points = np.ascontiguousarray(positions, np.float64)
    return _table(triangles.tobytes(), points.tobytes(), length, dilation).copy()


@lru_cache(maxsize=8)
def _table(faces: bytes, positions: bytes, length: int, dilation: int) -> Int[np.ndarray, "verts length"]:
    points = np.frombuffer(positions, np.float64).reshape(-1, 3)
    around = one_rings(np.frombuffer(faces, np.int64).reshape(-1, 3), len(points))
    needed = length * dilation
    table = np.empty((len(points), needed), np.int64)
    short = []
    for vertex in range(len(points)):
        spiral = _spiral(vertex, around, needed)
        if spiral is None:
            short.append(vertex)
        else:
            table[vertex] = spiral[:needed]
    if short:
        table[short] = _nearest(points, np.array(short), needed)
    return table[:, ::dilation]


def one_rings(faces: Int[np.ndarray, "faces 3"], num_verts: int) -> list[list[int]]:
    """Return the neighbours of every vertex, clockwise seen from outside.

    They begin at the open end of a fan of triangles, or, where triangles surround the vertex, at the vertex
    after it in the last of them. The fans of a vertex with several follow one another in the order of their
    triangles.
    """
    # For each vertex: the neighbour before another one, clockwise, and the first neighbour of each triangle.
    before: list[dict[int, int]] = [{} for _ in range(num_verts)]
    firsts: list[list[int]] = [[] for _ in range(num_verts)]
    for a, b, c in faces.tolist():
        if len({a, b, c}) < 3:
            continue
        for vertex, first, second in ((a, b, c), (b, c, a), (c, a, b)):
            before[vertex].setdefault(second, first)
            firsts[vertex].append(first)
    return [_in_order(steps, begins) for steps, begins in zip(before, firsts, strict=True)]


def _in_order(before: dict[int, int], firsts: list[int]) -> list[int]:
    """Return all neighbours of a vertex, each once; arguments are as in `one_rings`."""
    own = set(firsts)
    open_ends = [second for second in before if second not in own]
    ring: dict[int, None] = {}
    # The last triangle opens a closed fan; the others matter only for vertices with several fans.
    for start in (*open_ends, *reversed(firsts)):
        at: int | None = start
        while at is not None and at not in ring:
            ring[at] = None
            at = before.get(at)
    return list(ring)


def _spiral(vertex: int, around: list[list[int]], needed: int) -> list[int] | None:
    """Return at least `needed` entries, in whole rings; None when there is no further ring."""
    ring = around[vertex]
    seen = {vertex, *ring}
    spiral = [vertex, *ring]
    following = _next_ring(ring, around, seen)
    while following and len(spiral) + len(following) < needed:
        spiral += following
        following = _next_ring(following, around, seen)
    spiral += following
    return spiral if following else None


def _next_ring(ring: list[int], around: list[list[int]], seen: set[int]) -> list[int]:
    """Return the vertices beyond `ring` in order, and add them to `seen`.

    The neighbours of each vertex count from behind its first neighbour within the ring, and those before that
    one come last.
    """
    found = []
    members = set(ring)
    for vertex in ring:
        neighbours = around[vertex]
        cut = next((place for place, each in enumerate(neighbours) if each in members), len(neighbours))
        for each in (*neighbours[cut + 1 :], *neighbours[:cut]):
            if each not in seen:
                seen.add(each)
                found.append(each)
    return found


def _nearest(
    points: Float[np.ndarray, "verts 3"], chosen: Int[np.ndarray, "chosen"], needed: int
) -> Int[np.ndarray, "chosen needed"]:
    """Return the nearest vertices of the chosen ones: themselves, then by distance and by number."""
    extent = float(np.ptp(points, axis=0).max()) or 1.0
    reach = min(needed + _SPARE, len(points))
    distances, found = cKDTree(points).query(points[chosen], k=reach)
    distances, found = (np.reshape(part, (len(chosen), reach)) for part in (distances, found))
    keys = np.round(distances / extent, _EQUAL_DECIMALS)
    # A vertex is its own nearest, also where another one lies at the same place.
    keys[found == chosen[:, None]] = -1.0
    order = np.lexsort((found, keys), axis=1)[:, :needed]
    return np.take_along_axis(found, order, axis=1)
