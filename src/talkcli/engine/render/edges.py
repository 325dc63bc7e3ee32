"""Where edges are: pixels that may see several surfaces, and so are worth more than one sample.

Axis names: `verts`, `faces`, `edges`, `height`, `width`, `marked` pixels, `samples` of one of them.
Edges are found twice. Between neighbouring pixels that see different surfaces there is one, whatever made it.
Lines that can bound what is seen (where a mesh ends, and where it turns its back) mark the pixels that they
cross, so that what is thinner than a pixel, as a hair, is not lost between the pixels' centres.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.jit import inlined, kernel
from talkcli.engine.render.raster import TILE

# Neighbouring pixels of one part whose distances differ by more than this fraction see different surfaces.
# Less is a slope, or lies at a line where the mesh turns its back.
_APART = 0.01
# An edge is hidden where it is farther than what is seen by more than this fraction.
_BEHIND = 0.002


def mesh_edges(faces: Int[np.ndarray, "faces 3"]) -> Int[np.ndarray, "edges 4"]:
    """Return every edge once: its two vertices and its two faces, of which the second is -1 at the border."""
    faces = np.asarray(faces, np.int64)
    ends = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    of_face = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort((of_face, ends[:, 1], ends[:, 0]))
    ends, of_face = ends[order], of_face[order]
    first = np.ones(len(ends), np.bool_)
    first[1:] = (ends[1:] != ends[:-1]).any(axis=1)
    start = np.flatnonzero(first)
    paired = np.append(~first[1:], False)[start]
    second = np.where(paired, of_face[np.minimum(start + 1, len(ends) - 1)], -1)
    return np.column_stack([ends[start], of_face[start], second]).astype(np.int32)


def sample_offsets(samples: int) -> Float[np.ndarray, "2 samples"]:
    """Return x and y of a pixel's samples, from 0 to 1, no two in one row or column of the pixel: an edge
    that leans a little gets as many steps as there are samples. The one nearest to the centre comes first."""
    steps = [step for step in range(1, samples + 1) if math.gcd(step, samples) == 1]
    # The step that keeps the samples farthest apart.
    step = max(steps, key=lambda step: (_closest(samples, step), -step))
    x = np.arange(samples)
    places = (np.stack([x, x * step % samples]) + 0.5) / samples
    order = np.argsort(np.linalg.norm(places - 0.5, axis=0), kind="stable")
    return np.ascontiguousarray(places[:, order], np.float32)


def _closest(samples: int, step: int) -> float:
    """Return the smallest distance of two samples of a pattern that repeats, squared."""
    x = np.arange(1, samples)
    y = x * step % samples
    far = np.minimum(x, samples - x) ** 2 + np.minimum(y, samples - y) ** 2
    return float(far.min(initial=samples**2))


@inlined
def _area(screen, faces, f):  # type: ignore[no-untyped-def]
    """Return twice a face's area on the screen, negative where its front is seen."""
    a, b, c = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
    x, y = screen[a, 0], screen[a, 1]
    return (screen[b, 0] - x) * (screen[c, 1] - y) - (screen[b, 1] - y) * (screen[c, 0] - x)


@inlined
def _mark(row, column, slot_at, busy, num):  # type: ignore[no-untyped-def]
    """Give a pixel the next slot, if it has none; return how many are given."""
    if slot_at[row, column] >= 0:
        return num
    slot_at[row, column] = num
    busy[row // np.uintp(TILE), column // np.uintp(TILE)] = True
    return num + 1


@kernel
def mark_edges(  # type: ignore[no-untyped-def] # noqa: PLR0912
    face_at, nearness, screen, faces, culled, labels, part_at, edges, slot_at, busy
):
    """Fill `slot_at` (height width) with the number of each marked pixel, -1 for the others, and `busy` with
    whether each tile of TILE x TILE pixels has a marked one; return how many there are.

    `face_at` and `nearness` (height width) are the pixels' centres as `nearest_faces` leaves them, `edges`
    what `mesh_edges` returns. `labels` (faces) are numbers of parts, for fibres minus 2 minus that: edges of
    fibres over themselves are left out. `part_at` (2 width) is room for the labels of two rows.
    """
    height, width = np.uintp(face_at.shape[0]), np.uintp(face_at.shape[1])
    slot_at[:] = -1
    busy[:] = False
    num = 0
    apart, behind = np.float32(_APART), np.float32(_BEHIND)
    one = np.uintp(1)
    for row in range(height):
        here = row & one
        for column in range(width):
            f = face_at[row, column]
            part_at[here, column] = labels[np.uintp(max(f, 0))] if f >= 0 else -1
        # Few pixels are at an edge, so that only the last of these branches is ever unforeseen.
        for column in range(width - one):
            near = nearness[row, column]
            other = part_at[here, column] != part_at[here, column + one]
            jumps = abs(near - nearness[row, column + one]) > apart * near
            if other | (jumps & (part_at[here, column] >= -1)):
                num = _mark(row, column, slot_at, busy, num)
                num = _mark(row, column + one, slot_at, busy, num)
        if row == np.uintp(0):
            continue
        for column in range(width):
            near = nearness[row, column]
            other = part_at[here, column] != part_at[one - here, column]
            jumps = abs(near - nearness[row - one, column]) > apart * near
            if other | (jumps & (part_at[here, column] >= -1)):
                num = _mark(row, column, slot_at, busy, num)
                num = _mark(row - one, column, slot_at, busy, num)
    for e in range(edges.shape[0]):
        f, g = edges[e, 2], edges[e, 3]
        area = _area(screen, faces, f)
        if g >= 0:
            # The mesh turns its back here where one face is seen from the front and one is not.
            if (area < 0.0) == (_area(screen, faces, g) < 0.0):
                continue
        elif culled[f] and area > 0.0:
            continue
        p, q = np.uintp(edges[e, 0]), np.uintp(edges[e, 1])
        px, py, pz = float(screen[p, 0]), float(screen[p, 1]), screen[p, 2]
        qx, qy, qz = float(screen[q, 0]), float(screen[q, 1]), screen[q, 2]
        if not math.isfinite(px + py + qx + qy):
            continue
        closest = max(pz, qz) * (np.float32(1.0) + behind)
        own = labels[f]
        slope = (qx - px) / (qy - py) if qy != py else 0.0
        first_row = math.floor(max(min(py, qy), 0.0))
        last_row = math.floor(min(max(py, qy), float(height) - 1.0))
        for row in range(first_row, last_row + 1):
            # The part of the edge in this row of pixels.
            upper, lower = max(float(row), min(py, qy)), min(row + 1.0, max(py, qy))
            x0, x1 = px + (upper - py) * slope, px + (lower - py) * slope
            if qy == py:
                x0, x1 = px, qx
            first = math.floor(max(min(x0, x1), 0.0))
            last = math.floor(min(max(x0, x1), float(width) - 1.0))
            for column in range(first, last + 1):
                # Behind what the pixel's centre sees, it is hidden there; beside it, the first rule finds it.
                if closest >= nearness[row, column]:
                    g = face_at[row, column]
                    if own < -1 and g >= 0 and labels[g] == own:
                        continue
                    num = _mark(np.uintp(row), np.uintp(column), slot_at, busy, num)
    return num
