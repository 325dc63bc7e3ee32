"""Samples to pixels: per-pixel light and shadow, supersampled edges, tone curve.

Axis names: `verts`, `faces`, `parts`, `lights`, `texels`, `height`, `width`.
A surface is lit once per pixel; where the samples of a pixel see several surfaces, each is lit once. Diffuse
light is Lambert's with a wrap (red creeps furthest past the terminator, as light does in skin), gloss is
Blinn-Phong's lobe with Blinn's viewer at infinity, ambient light is a hemisphere of sky over ground. What
hides a lamp is found in its depth map (Williams 1978), compared softly over a tent of 4x4 texels
(percentage-closer filtering, Reeves 1987), so that a face that moves a little changes its shade a little.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from talkcli.engine.render.jit import inlined, kernel

# Columns of the vertex table, one cache line a vertex: normal, colour, how much of the sky is seen and the
# sum of the weights of that mean, place on the camera's screen and on the key light's.
NORMAL, COLOUR, SKY, TOTAL, SCREEN, KEY, COLUMNS = 0, 3, 6, 7, 8, 11, 16
# Samples of one part whose distances differ by less than this fraction are lit as one surface.
_APART = 0.002
# The lobe ends where it has fallen to nothing: (1 - t/8)^8 is close to exp(-t) and costs three products.
LOBE_END = 8.0
# Light off the ground, as a part of the sky's: warm and weak.
_GROUND = (0.45, 0.38, 0.33)
# What is left of a colour on the inside of a body.
_INSIDE = (0.12, 0.1, 0.1)
# Depth over which a neighbour nearer to the lamp goes from lighting to hiding, and how far a point is lifted
# off its own surface first; both in texels.
_SOFTNESS = 3.0
_LIFT = 1.6
# A vertex counts lamps that are up to this far below its horizon: no normal is without any.
_BELOW_HORIZON = 0.25
BRIGHTEST = 1.5
TONE_STEPS = 65536
_TONE_SCALE = (TONE_STEPS - 1) / BRIGHTEST


class Look(NamedTuple):
    """How it is lit: `materials` (parts 8), `lights` (lights 10), `ambient` (3), `rays` (height width 3) to
    the eye, the key light's depth map `key_nearness` (texels texels) and its `block_maxima`."""

    materials: np.ndarray
    lights: np.ndarray
    ambient: np.ndarray
    rays: np.ndarray
    key_nearness: np.ndarray
    key_maxima: np.ndarray


@inlined
def _seen(x, y, z, nearness):  # type: ignore[no-untyped-def]
    """How much of a lamp reaches the point (x, y, z) of its depth map: the part of the texels that hide
    nothing."""
    texels = nearness.shape[0]
    first_x, first_y = math.floor(x - 0.5) - 1, math.floor(y - 0.5) - 1
    hidden = 0.0
    if 0 <= first_x < texels - 4 and 0 <= first_y < texels - 4:
        for row in range(first_y, first_y + 4):
            weight_y = 1.0 - 0.5 * abs(row + 0.5 - y)
            for column in range(first_x, first_x + 4):
                weight = weight_y * (1.0 - 0.5 * abs(column + 0.5 - x))
                hidden += weight * min(max((nearness[row, column] - z) / _SOFTNESS, 0.0), 1.0)
    # The tent's weights sum to 2 along each axis.
    return 1.0 - 0.25 * hidden


@kernel
def block_maxima(nearness, maxima):  # type: ignore[no-untyped-def]
    """Fill `maxima` (texels texels) with the nearest of the 4x4 texels that start at each: a point at least
    as near is in no shadow, and needs no closer look."""
    texels = nearness.shape[0]
    for row in range(texels - 3):
        for column in range(texels):
            upper = max(nearness[row, column], nearness[row + 1, column])
            maxima[row, column] = max(upper, nearness[row + 2, column], nearness[row + 3, column])
        for column in range(texels - 3):
            left = max(maxima[row, column], maxima[row, column + 1])
            maxima[row, column] = max(left, maxima[row, column + 2], maxima[row, column + 3])


@inlined
def _in_the_open(x, y, z, maxima):  # type: ignore[no-untyped-def]
    """Return whether no texel that `_seen` would look at is nearer to the lamp than the point."""
    texels = maxima.shape[0]
    first_x, first_y = math.floor(x - 0.5) - 1, math.floor(y - 0.5) - 1
    inside = 0 <= first_x < texels - 4 and 0 <= first_y < texels - 4
    return not inside or maxima[first_y, first_x] <= z


@kernel
def lift(axes, screen, table):  # type: ignore[no-untyped-def]
    """Lift a lamp's `screen` (verts 3) off the surface: along the normal, and to the lamp at a slant."""
    for v in range(screen.shape[0]):
        nx, ny, nz = table[v, 0], table[v, 1], table[v, 2]
        cosine = nx * axes[2, 0] + ny * axes[2, 1] + nz * axes[2, 2]
        # How fast the surface comes nearer to the lamp from texel to texel.
        slope = math.sqrt(max(1.0 - cosine * cosine, 0.0)) / max(cosine, 0.15)
        screen[v, 0] += _LIFT * (nx * axes[0, 0] + ny * axes[0, 1] + nz * axes[0, 2])
        screen[v, 1] -= _LIFT * (nx * axes[1, 0] + ny * axes[1, 1] + nz * axes[1, 2])
        screen[v, 2] += _LIFT * cosine + 0.5 + slope


@kernel
def project_parallel(vertices, axes, centre, per_metre, screen):  # type: ignore[no-untyped-def]
    """Project a far lamp's view into `screen` (verts 3), in texels of a depth map with `centre` in its
    middle.
    """
    for v in range(vertices.shape[0]):
        x, y, z = vertices[v, 0] - centre[0], vertices[v, 1] - centre[1], vertices[v, 2] - centre[2]
        screen[v, 0] = centre[3] + per_metre * (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2])
        screen[v, 1] = centre[3] - per_metre * (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2])
        screen[v, 2] = per_metre * (x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2])


@kernel
def add_sky(axes, screen, nearness, table):  # type: ignore[no-untyped-def]
    """Add what each vertex sees of one of the sky's lamps to its columns SKY (weighted sum) and TOTAL
    (weights)."""
    for v in range(table.shape[0]):
        nx, ny, nz = table[v, 0], table[v, 1], table[v, 2]
        weight = nx * axes[2, 0] + ny * axes[2, 1] + nz * axes[2, 2] + _BELOW_HORIZON
        x, y, z = screen[v, 0], screen[v, 1], screen[v, 2]
        if weight > 0.0 and math.isfinite(x + y + z):
            table[v, SKY] += weight * _seen(x, y, z, nearness)
            table[v, TOTAL] += weight


@inlined
def _light(  # type: ignore[no-untyped-def]
    x, y, f, row, column, table, faces, materials, lights, ambient, rays, key_nearness, key_maxima
):
    """Linear RGB of face `f` at the screen point (x, y), which lies in the pixel (row, column)."""
    # Unsigned: a signed index would be tested for counting from the end.
    a, b, c, part = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2]), np.uintp(faces[f, 3])
    ax, ay = table[a, 8] - x, table[a, 9] - y
    bx, by = table[b, 8] - x, table[b, 9] - y
    cx, cy = table[c, 8] - x, table[c, 9] - y
    wa = bx * cy - by * cx
    wb = cx * ay - cy * ax
    wc = ax * by - ay * bx
    backside = wa + wb + wc > 0.0
    # Weights on the screen, divided by distance, are weights on the triangle (perspective-correct).
    wa *= table[a, 10]
    wb *= table[b, 10]
    wc *= table[c, 10]
    scale = 1.0 / (wa + wb + wc)
    wa, wb, wc = wa * scale, wb * scale, wc * scale
    nx = wa * table[a, 0] + wb * table[b, 0] + wc * table[c, 0]
    ny = wa * table[a, 1] + wb * table[b, 1] + wc * table[c, 1]
    nz = wa * table[a, 2] + wb * table[b, 2] + wc * table[c, 2]
    red = wa * table[a, 3] + wb * table[b, 3] + wc * table[c, 3]
    green = wa * table[a, 4] + wb * table[b, 4] + wc * table[c, 4]
    blue = wa * table[a, 5] + wb * table[b, 5] + wc * table[c, 5]
    sky = wa * table[a, 6] + wb * table[b, 6] + wc * table[c, 6]
    weight, wrap = materials[part, 0], materials[part, 2]
    if backside:
        nx, ny, nz = -nx, -ny, -nz
        weight *= 0.0
        red, green, blue = red * _INSIDE[0], green * _INSIDE[1], blue * _INSIDE[2]
    scale = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
    nx, ny, nz = nx * scale, ny * scale, nz * scale
    # Smooth normals may lean away at a silhouette; it is seen edge-on.
    facing = nx * rays[row, column, 0] + ny * rays[row, column, 1] + nz * rays[row, column, 2]
    grazing = 1.0 - max(facing, 0.0)

    diffuse_red = diffuse_green = diffuse_blue = 0.0
    shine_red = shine_green = shine_blue = 0.0
    for i in range(lights.shape[0]):
        cosine = nx * lights[i, 0] + ny * lights[i, 1] + nz * lights[i, 2]
        if cosine <= -wrap:
            continue
        seen = 0.5 + 0.5 * sky
        if lights[i, 6] > 0.0:
            # Past the terminator a surface is dark by itself; a hard shadow there would cut off the wrap.
            seen = max(min(0.5 - 2.0 * cosine, 1.0), 0.0)
            if seen < 1.0:
                key_x = wa * table[a, 11] + wb * table[b, 11] + wc * table[c, 11]
                key_y = wa * table[a, 12] + wb * table[b, 12] + wc * table[c, 12]
                key_z = wa * table[a, 13] + wb * table[b, 13] + wc * table[c, 13]
                if _in_the_open(key_x, key_y, key_z, key_maxima):
                    seen = 1.0
                else:
                    seen += (1.0 - seen) * _seen(key_x, key_y, key_z, key_nearness)
        # Light that enters skin beside a shadow comes out in it, red.
        bled = seen + wrap * seen * (1.0 - seen)
        diffuse_red += bled * lights[i, 3] * (cosine + wrap) * materials[part, 5]
        diffuse_green += seen * lights[i, 4] * max(cosine + materials[part, 3], 0.0) * materials[part, 6]
        diffuse_blue += seen * lights[i, 5] * max(cosine + materials[part, 4], 0.0) * materials[part, 7]
        lobe = 1.0 - materials[part, 1] * (1.0 - (nx * lights[i, 7] + ny * lights[i, 8] + nz * lights[i, 9]))
        if cosine > 0.0 and lobe > 0.0:
            lobe *= lobe
            lobe *= lobe
            lobe *= lobe
            shine = seen * weight * lobe * min(1.0, 4.0 * cosine)
            shine_red += shine * lights[i, 3]
            shine_green += shine * lights[i, 4]
            shine_blue += shine * lights[i, 5]
    up = 0.5 + 0.5 * ny
    sheen = 0.08 * sky * grazing * grazing * grazing * grazing
    # What hides the sky has the colour of what it is hidden from, and passes that much on: hollows are warm.
    bounced = sky * (1.0 - sky)
    diffuse_red += (sky + red * bounced) * ambient[0] * (up + _GROUND[0] * (1.0 - up))
    diffuse_green += (sky + green * bounced) * ambient[1] * (up + _GROUND[1] * (1.0 - up))
    diffuse_blue += (sky + blue * bounced) * ambient[2] * (up + _GROUND[2] * (1.0 - up))
    return (
        red * diffuse_red + shine_red + sheen * ambient[0],
        green * diffuse_green + shine_green + sheen * ambient[1],
        blue * diffuse_blue + shine_blue + sheen * ambient[2],
    )


@kernel
def shade(face_at, nearness, reach, table, faces, look, wall, tone, picture):  # type: ignore[no-untyped-def] # noqa: PLR0912
    """Draw over `picture` (height width 3), which shows the wall, where a sample has a nearest face.

    `table` (verts 16) holds the columns named above, `faces` (faces 4) three vertices and a part, `reach`
    (rows 2) the columns of samples that may have a face; `wall` (height width 3) is the wall's light, for the
    edges.
    """
    height, width = picture.shape[:2]
    samples = face_at.shape[0] // height
    count = samples * samples
    materials, lights, ambient, rays, key_nearness, key_maxima = look
    seen_face = np.empty(count, np.int64)
    seen_at = np.empty((count, 3))
    share = np.empty(count)
    offset = np.empty((count, 2), np.int64)
    for s in range(count):
        offset[s, 0], offset[s, 1] = s // samples, s % samples
    for row in range(height):
        begin, end = width, 0
        for y in range(row * samples, row * samples + samples):
            begin = min(begin, reach[y, 0] // samples)
            end = max(end, (reach[y, 1] + samples - 1) // samples)
        for column in range(begin, end):
            first = face_at[row * samples, column * samples]
            same = True
            for y in range(row * samples, row * samples + samples):
                for x in range(column * samples, column * samples + samples):
                    same &= face_at[y, x] == first
            if same and first < 0:
                continue
            num_seen = 0
            uncovered = 0
            if same:
                num_seen = 1
                seen_face[0] = first
                seen_at[0, 0], seen_at[0, 1] = (column + 0.5) * samples, (row + 0.5) * samples
                share[0] = 1.0
            else:
                for s in range(count):
                    y, x = row * samples + offset[s, 0], column * samples + offset[s, 1]
                    f = face_at[y, x]
                    if f < 0:
                        uncovered += 1
                        continue
                    found = num_seen
                    for i in range(num_seen):
                        g = seen_face[i]
                        apart = abs(nearness[y, x] - seen_at[i, 2])
                        one_part = faces[f, 3] == faces[g, 3]
                        if f == g or (one_part and apart < _APART * seen_at[i, 2]):
                            found = i
                            break
                    if found == num_seen:
                        num_seen += 1
                        seen_face[found] = f
                        seen_at[found, 0], seen_at[found, 1] = x + 0.5, y + 0.5
                        seen_at[found, 2] = nearness[y, x]
                        share[found] = 0.0
                    share[found] += 1.0 / count
            red = uncovered * wall[row, column, 0] / count
            green = uncovered * wall[row, column, 1] / count
            blue = uncovered * wall[row, column, 2] / count
            for i in range(num_seen):
                r, g, b = _light(
                    seen_at[i, 0], seen_at[i, 1], seen_face[i], row, column, table, faces, materials, lights,
                    ambient, rays, key_nearness, key_maxima,
                )  # fmt: skip
                # Averaging light far above white would undo the supersampling of its edge.
                red += share[i] * min(max(r, 0.0), BRIGHTEST)
                green += share[i] * min(max(g, 0.0), BRIGHTEST)
                blue += share[i] * min(max(b, 0.0), BRIGHTEST)
            picture[row, column, 0] = tone[int(red * _TONE_SCALE)]
            picture[row, column, 1] = tone[int(green * _TONE_SCALE)]
            picture[row, column, 2] = tone[int(blue * _TONE_SCALE)]
