"""Triangles to samples: projection, smooth normals, and a z-buffer of nearest faces.

Axis names: `verts`, `faces`, `rows`, `columns` (samples of the supersampled picture).
A screen vertex is (x, y, nearness) in samples, y down. Nearness is linear on the screen and larger is nearer:
1 / distance for a pinhole, minus the distance for parallel light. A vertex that cannot be projected is NaN.
"""

from __future__ import annotations

import math

import numpy as np

from talkcli.engine.render.jit import kernel


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


@kernel
def nearest_faces(screen, faces, culled, nearness, face_at, reach):  # type: ignore[no-untyped-def]
    """Fill `nearness` and `face_at` (rows columns) with the nearest face of each sample, -1 for none.

    A sample belongs to a triangle when its centre lies in the half-open span [left, right) of a half-open
    range of rows, with every edge followed from its upper end: triangles that share an edge neither overlap
    nor leave gaps. `culled` (faces) marks faces whose back is not drawn. Front faces run clockwise on a
    screen with y down, since they run counter-clockwise with y up. `reach` (rows 2) is the first and the end
    column of each row outside which nothing is drawn: it says what to clear, and then what is there.
    """
    rows, columns = nearness.shape
    for row in range(rows):
        for column in range(np.uintp(reach[row, 0]), np.uintp(reach[row, 1])):
            nearness[row, column] = -np.inf
            face_at[row, column] = -1
        reach[row, 0], reach[row, 1] = columns, 0
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = float(screen[a, 0]), float(screen[a, 1]), float(screen[a, 2])
        bx, by, bz = float(screen[b, 0]), float(screen[b, 1]), float(screen[b, 2])
        cx, cy, cz = float(screen[c, 0]), float(screen[c, 1]), float(screen[c, 2])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        # The comparison is also false for NaN.
        if not abs(area) > 1e-9 or (culled[f] and area > 0.0):
            continue
        # Most faces of a small map fall between its samples: leave before anything is divided.
        first_row = math.ceil(max(min(ay, by, cy) - 0.5, 0.0))
        last_row = math.ceil(min(max(ay, by, cy) - 0.5, float(rows)))
        if first_row >= last_row or math.ceil(min(ax, bx, cx) - 0.5) >= math.ceil(max(ax, bx, cx) - 0.5):
            continue
        # Nearness is a plane over the screen; a sliver's is steep: never let it reach beyond its own corners.
        step_x = ((bz - az) * (cy - ay) - (cz - az) * (by - ay)) / area
        step_y = ((cz - az) * (bx - ax) - (bz - az) * (cx - ax)) / area
        farthest = np.float32(min(az, bz, cz))
        nearest = np.float32(max(az, bz, cz))
        # From here on a is the upper, b the middle and c the lower corner.
        if by < ay:
            ax, ay, az, bx, by, bz = bx, by, bz, ax, ay, az
        if cy < by:
            bx, by, bz, cx, cy, cz = cx, cy, cz, bx, by, bz
            if by < ay:
                ax, ay, az, bx, by, bz = bx, by, bz, ax, ay, az
        slope_long = (cx - ax) / (cy - ay)
        slope_upper = (bx - ax) / (by - ay) if by > ay else 0.0
        slope_lower = (cx - bx) / (cy - by) if cy > by else 0.0
        slope = np.float32(step_x)
        for row in range(first_row, last_row):
            y = row + 0.5
            x_long = ax + (y - ay) * slope_long
            x_short = ax + (y - ay) * slope_upper if y < by else bx + (y - by) * slope_lower
            first = math.ceil(min(max(min(x_long, x_short) - 0.5, 0.0), float(columns)))
            last = math.ceil(min(max(max(x_long, x_short) - 0.5, 0.0), float(columns)))
            if first >= last:
                continue
            reach[row, 0] = min(reach[row, 0], first)
            reach[row, 1] = max(reach[row, 1], last)
            start = np.float32(az + step_x * (first + 0.5 - ax) + step_y * (y - ay))
            # Unsigned: a signed index would be tested for counting from the end, for every sample.
            line, begin = np.uintp(row), np.uintp(first)
            for column in range(begin, np.uintp(last)):
                near = min(max(start + slope * np.float32(column - begin), farthest), nearest)
                if near > nearness[line, column]:
                    nearness[line, column] = near
                    face_at[line, column] = f
