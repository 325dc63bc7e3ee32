"""Triangles to samples: projection, smooth normals, and z-buffers of nearest faces.

Axis names: `verts`, `faces`, `rows`, `columns` (one sample each), `marked` pixels, `samples` of one of them.
A screen vertex is (x, y, nearness) in pixels, y down. Nearness is linear on the screen and larger is nearer:
1 / distance for a pinhole, minus the distance for parallel light. A vertex that cannot be projected is NaN.
"""

from __future__ import annotations

import math

import numpy as np
from numpy import float32 as f32

from talkcli.engine.jit import inlined, kernel

# Farther than any place on a screen: takes a side of a triangle out of a comparison.
_FAR = f32(1e12)
_HALF = f32(0.5)
# Twice the area of a triangle that is not drawn.
_SLIVER = f32(1e-9)
# Side of a tile in pixels.
TILE = 8


@kernel
def project(vertices, eye, axes, focal, centre, near, screen):  # type: ignore[no-untyped-def]
    """Pinhole projection into `screen` (verts 3); rows of `axes` are right, up and forward.

    Vertices nearer than `near` become NaN, which drops every triangle they belong to.
    """
    for v in range(vertices.shape[0]):
        x = vertices[v, 0] - eye[0]
        y = vertices[v, 1] - eye[1]
        z = vertices[v, 2] - eye[2]
        depth = x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2]
        if depth > near:
            scale = focal / depth
            screen[v, 0] = centre[0] + scale * (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2])
            screen[v, 1] = centre[1] - scale * (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2])
            screen[v, 2] = 1.0 / depth
        else:
            screen[v, 0] = np.nan
            screen[v, 1] = np.nan
            screen[v, 2] = np.nan


@kernel
def smooth_normals(vertices, faces, normals):  # type: ignore[no-untyped-def]
    """Area-weighted unit vertex normals into `normals` (verts >=3); broken triangles count for nothing."""
    normals[:, :3] = 0.0
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux = vertices[b, 0] - vertices[a, 0]
        uy = vertices[b, 1] - vertices[a, 1]
        uz = vertices[b, 2] - vertices[a, 2]
        wx = vertices[c, 0] - vertices[a, 0]
        wy = vertices[c, 1] - vertices[a, 1]
        wz = vertices[c, 2] - vertices[a, 2]
        x = uy * wz - uz * wy
        y = uz * wx - ux * wz
        z = ux * wy - uy * wx
        if not math.isfinite(x + y + z):
            continue
        for v in (a, b, c):
            normals[v, 0] += x
            normals[v, 1] += y
            normals[v, 2] += z
    for v in range(normals.shape[0]):
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        length = math.sqrt(x * x + y * y + z * z)
        if length > 0.0:
            normals[v, 0] = x / length
            normals[v, 1] = y / length
            normals[v, 2] = z / length
        else:
            normals[v, 2] = 1.0


@inlined
def _side(px, py, qx, qy, area):  # type: ignore[no-untyped-def]
    """Return a side's upper end, its x per y, and what to add to an x on it before it bounds the triangle on
    the left and on the right: 0, or so much that it does not."""
    rise = qy - py if area < f32(0.0) else py - qy
    upper_x = px if py < qy else qx
    slope = (qx - px) / (qy - py) if qy != py else f32(0.0)
    on_left = f32(0.0) if rise > f32(0.0) else -_FAR
    on_right = f32(0.0) if rise < f32(0.0) else _FAR
    return upper_x, min(py, qy), slope, on_left, on_right


@kernel
def nearest_faces(screen, faces, culled, nearness, face_at):  # type: ignore[no-untyped-def]
    """Fill `nearness` and `face_at` (rows columns) with the nearest face of each sample, -1 for none.

    A sample belongs to a triangle when its centre lies in the half-open span (left, right] of a half-open
    range of rows, with every edge followed from its upper end: triangles that share an edge neither overlap
    nor leave gaps. `culled` (faces) marks faces whose back is not drawn. Front faces run clockwise on a
    screen with y down, since they run counter-clockwise with y up. `face_at` may be None: a lamp needs none.
    """
    rows, columns = nearness.shape
    nearness[:] = -np.inf
    if face_at is not None:
        face_at[:] = -1
    none, most_rows, most_columns = f32(0.0), f32(rows), f32(columns)
    for f in range(faces.shape[0]):
        # Unsigned: a signed index would be tested for counting from the end.
        a, b, c = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
        ax, ay = screen[a, 0], screen[a, 1]
        bx, by = screen[b, 0], screen[b, 1]
        cx, cy = screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        # The comparison is also false for NaN.
        if not abs(area) > _SLIVER or (culled[f] and area > none):
            continue
        # Most faces of a small map fall between its samples: leave before anything is divided.
        first_row = np.int32(min(max(min(ay, by, cy) + _HALF, none), most_rows))
        last_row = np.int32(max(min(max(ay, by, cy) + _HALF, most_rows), none))
        if first_row >= last_row:
            continue
        left = np.int32(min(max(min(ax, bx, cx) + _HALF, none), most_columns))
        right = np.int32(max(min(max(ax, bx, cx) + _HALF, most_columns), none))
        if left >= right:
            continue
        az, bz, cz = screen[a, 2], screen[b, 2], screen[c, 2]
        # Nearness is a plane over the screen; a sliver's is steep: never let it reach beyond its own corners.
        scale = f32(1.0) / area
        step_x = ((bz - az) * (cy - ay) - (cz - az) * (by - ay)) * scale
        step_y = ((cz - az) * (bx - ax) - (bz - az) * (cx - ax)) * scale
        farthest, nearest = min(az, bz, cz), max(az, bz, cz)
        ab_x, ab_y, ab_slope, ab_left, ab_right = _side(ax, ay, bx, by, area)
        bc_x, bc_y, bc_slope, bc_left, bc_right = _side(bx, by, cx, cy, area)
        ca_x, ca_y, ca_slope, ca_left, ca_right = _side(cx, cy, ax, ay, area)
        lowest, highest = f32(left), f32(right)
        for row in range(first_row, last_row):
            y = f32(row) + _HALF
            ab = ab_x + (y - ab_y) * ab_slope + _HALF
            bc = bc_x + (y - bc_y) * bc_slope + _HALF
            ca = ca_x + (y - ca_y) * ca_slope + _HALF
            first = np.int32(max(lowest, ab + ab_left, bc + bc_left, ca + ca_left))
            last = np.int32(max(min(highest, ab + ab_right, bc + bc_right, ca + ca_right), none))
            start = az + step_x * (f32(first) + _HALF - ax) + step_y * (y - ay)
            line, begin = np.uintp(row), np.uintp(first)
            for k in range(last - first):
                near, column = min(max(start + step_x * f32(k), farthest), nearest), begin + np.uintp(k)
                if near > nearness[line, column]:
                    nearness[line, column] = near
                    if face_at is not None:
                        face_at[line, column] = f


@inlined
def _plane(upper_x, upper_y, px, py, qx, qy, x, y, area):  # type: ignore[no-untyped-def]
    """Return a side as (a, b, c): a x + b y + c is 0 on it and positive inside, for x and y from (x, y) on.
    Followed from its upper end, it is exactly the opposite of the same side of the triangle beside it."""
    turn = f32(-1.0) if area < f32(0.0) else f32(1.0)
    a, b = -turn * (qy - py), turn * (qx - px)
    return a, b, a * (x - upper_x) + b * (y - upper_y)


@kernel
def nearest_samples(  # type: ignore[no-untyped-def]
    screen, faces, culled, slot_at, busy, offsets, nearness, face_at
):
    """Raise `nearness` and `face_at` (marked samples) to the nearest faces of the samples of some pixels.

    `slot_at` (rows columns) is the row of a pixel in `nearness`, -1 for a pixel that is not marked; `busy`
    tells of each tile of TILE x TILE pixels whether it has a marked one. `offsets`
    (2 samples) are x and y of the samples in a pixel, float32 from 0 to 1.
    """
    rows, columns = slot_at.shape
    samples = np.uintp(offsets.shape[1])
    none, most_rows, most_columns = f32(0.0), f32(rows), f32(columns)
    for f in range(faces.shape[0]):
        a, b, c = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
        ax, ay = screen[a, 0], screen[a, 1]
        bx, by = screen[b, 0], screen[b, 1]
        cx, cy = screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if not abs(area) > _SLIVER or (culled[f] and area > none):
            continue
        first_row = np.int32(min(max(min(ay, by, cy), none), most_rows))
        end_row = np.int32(max(min(max(ay, by, cy) + f32(1.0), most_rows), none))
        left = np.int32(min(max(min(ax, bx, cx), none), most_columns))
        right = np.int32(max(min(max(ax, bx, cx) + f32(1.0), most_columns), none))
        if first_row >= end_row or left >= right:
            continue
        any_busy = False
        for tile_row in range(first_row // TILE, (end_row - 1) // TILE + 1):
            for tile in range(left // TILE, (right - 1) // TILE + 1):
                any_busy |= busy[np.uintp(tile_row), np.uintp(tile)]
        if not any_busy:
            continue
        az, bz, cz = screen[a, 2], screen[b, 2], screen[c, 2]
        scale = f32(1.0) / area
        step_x = ((bz - az) * (cy - ay) - (cz - az) * (by - ay)) * scale
        step_y = ((cz - az) * (bx - ax) - (bz - az) * (cx - ax)) * scale
        farthest, nearest = min(az, bz, cz), max(az, bz, cz)
        ab_x, ab_y, ab_slope, ab_left, ab_right = _side(ax, ay, bx, by, area)
        bc_x, bc_y, bc_slope, bc_left, bc_right = _side(bx, by, cx, cy, area)
        ca_x, ca_y, ca_slope, ca_left, ca_right = _side(cx, cy, ax, ay, area)
        # How far a side reaches to either side of its place in the middle of a row.
        ab_reach, bc_reach, ca_reach = _HALF * abs(ab_slope), _HALF * abs(bc_slope), _HALF * abs(ca_slope)
        lowest, highest = f32(left), f32(right - 1)
        for row in range(first_row, end_row):
            y = f32(row) + _HALF
            ab = ab_x + (y - ab_y) * ab_slope
            bc = bc_x + (y - bc_y) * bc_slope
            ca = ca_x + (y - ca_y) * ca_slope
            begin = max(lowest, ab - ab_reach + ab_left, bc - bc_reach + bc_left, ca - ca_reach + ca_left)
            end = min(highest, ab + ab_reach + ab_right, bc + bc_reach + bc_right, ca + ca_reach + ca_right)
            end = max(end, f32(-1.0))
            for column in range(np.int32(begin), np.int32(end + f32(1.0))):
                if slot_at[np.uintp(row), np.uintp(column)] < 0:
                    continue
                slot = np.uintp(slot_at[np.uintp(row), np.uintp(column)])
                left_x, top_y = f32(column), y - _HALF
                ab_a, ab_b, ab_c = _plane(ab_x, ab_y, ax, ay, bx, by, left_x, top_y, area)
                bc_a, bc_b, bc_c = _plane(bc_x, bc_y, bx, by, cx, cy, left_x, top_y, area)
                ca_a, ca_b, ca_c = _plane(ca_x, ca_y, cx, cy, ax, ay, left_x, top_y, area)
                start = az + step_x * (left_x - ax) + step_y * (top_y - ay)
                for s in range(samples):
                    dx, dy = offsets[0, s], offsets[1, s]
                    inside = (ab_a * dx + ab_b * dy + ab_c >= none) & (bc_a * dx + bc_b * dy + bc_c >= none)
                    inside &= ca_a * dx + ca_b * dy + ca_c >= none
                    near = min(max(start + step_x * dx + step_y * dy, farthest), nearest)
                    kept = nearness[slot, s]
                    inside &= near > kept
                    nearness[slot, s] = near if inside else kept
                    face_at[slot, s] = np.int32(f) if inside else face_at[slot, s]
