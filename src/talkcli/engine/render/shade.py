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
# Depth over which a neighbour nearer to the lamp goes from lighting to hiding, in texels.
_SOFTNESS = 3.0
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


@inlined
def _in_the_open(x, y, z, maxima):  # type: ignore[no-untyped-def]
    """Return whether no texel that `_seen` would look at is nearer to the lamp than the point."""
    texels = maxima.shape[0]
    first_x, first_y = math.floor(x - 0.5) - 1, math.floor(y - 0.5) - 1
    inside = 0 <= first_x < texels - 4 and 0 <= first_y < texels - 4
    return not inside or maxima[first_y, first_x] <= z


@kernel
def add_sky(axes, screen, nearness, maxima, table):  # type: ignore[no-untyped-def]
    """Add what each vertex sees of one of the sky's lamps to its columns SKY (weighted sum) and TOTAL
    (weights)."""
    for v in range(table.shape[0]):
        nx, ny, nz = table[v, 0], table[v, 1], table[v, 2]
        weight = nx * axes[2, 0] + ny * axes[2, 1] + nz * axes[2, 2] + _BELOW_HORIZON
        x, y, z = screen[v, 0], screen[v, 1], screen[v, 2]
        if weight > 0.0 and math.isfinite(x + y + z):
            seen = 1.0 if _in_the_open(x, y, z, maxima) else _seen(x, y, z, nearness)
            table[v, SKY] += weight * seen
            table[v, TOTAL] += weight


# Surfaces are lit by the batch, one column a surface. All columns are always computed, so that the compiler
# makes vector instructions of the loops over them, and they are few enough to stay in the nearest cache.
_BATCH = 64
# Rows of a batch: normal, colour and open sky of the vertex table, place on the key light's map, ray to the
# eye, the material's eight, what the lights sum up to, how much arrives of the key light and of the others;
# then the place on the screen, that of the corners (three x, three y, three nearnesses), their weights, and
# what is above 0 on a back.
_N, _RGB, _OPEN, _AT_KEY, _RAY, _MATERIAL, _DIFFUSE, _SHINE = 0, 3, 6, 7, 10, 13, 21, 24
_KEY_SEEN, _SEEN, _PLACE, _X, _Y, _NEAR, _WEIGHTS, _BACK, _ROWS = 27, 28, 29, 31, 34, 37, 40, 43, 44


@inlined
def _interpolate(batch, corners, num, table, materials):  # type: ignore[no-untyped-def]
    """Fill the first `num` columns of the batch with what the vertex table says at their places."""
    for e in range(num):
        for i in range(3):
            v = corners[i, e]
            for k, row in enumerate((_X, _Y, _NEAR)):
                batch[row + i, e] = table[v, SCREEN + k]
    for e in range(_BATCH):
        x, y = batch[_PLACE, e], batch[_PLACE + 1, e]
        ax, ay = batch[_X, e] - x, batch[_Y, e] - y
        bx, by = batch[_X + 1, e] - x, batch[_Y + 1, e] - y
        cx, cy = batch[_X + 2, e] - x, batch[_Y + 2, e] - y
        wa = bx * cy - by * cx
        wb = cx * ay - cy * ax
        wc = ax * by - ay * bx
        batch[_BACK, e] = wa + wb + wc
        # Weights on the screen, divided by distance, are weights on the triangle (perspective-correct).
        wa *= batch[_NEAR, e]
        wb *= batch[_NEAR + 1, e]
        wc *= batch[_NEAR + 2, e]
        scale = 1.0 / (wa + wb + wc)
        batch[_WEIGHTS, e] = wa * scale
        batch[_WEIGHTS + 1, e] = wb * scale
        batch[_WEIGHTS + 2, e] = wc * scale
    for e in range(num):
        a, b, c, part = corners[0, e], corners[1, e], corners[2, e], corners[3, e]
        wa, wb, wc = batch[_WEIGHTS, e], batch[_WEIGHTS + 1, e], batch[_WEIGHTS + 2, e]
        for k in range(7):
            batch[_N + k, e] = wa * table[a, k] + wb * table[b, k] + wc * table[c, k]
        for k in range(3):
            batch[_AT_KEY + k, e] = wa * table[a, KEY + k] + wb * table[b, KEY + k] + wc * table[c, KEY + k]
        for k in range(8):
            batch[_MATERIAL + k, e] = materials[part, k]
        if batch[_BACK, e] > 0.0:
            batch[_MATERIAL, e] = 0.0
            for k in range(3):
                batch[_N + k, e] = -batch[_N + k, e]
                batch[_RGB + k, e] *= _INSIDE[k]
    for e in range(_BATCH):
        nx, ny, nz = batch[_N, e], batch[_N + 1, e], batch[_N + 2, e]
        scale = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
        batch[_N, e], batch[_N + 1, e], batch[_N + 2, e] = nx * scale, ny * scale, nz * scale


@inlined
def _see_key(batch, num, light, nearness, maxima):  # type: ignore[no-untyped-def]
    """Fill the row _KEY_SEEN of the first `num` columns: how much arrives of the light with a shadow."""
    for e in range(num):
        cosine = batch[_N, e] * light[0] + batch[_N + 1, e] * light[1] + batch[_N + 2, e] * light[2]
        # Past the terminator a surface is dark by itself; a hard shadow there would cut off the wrap.
        seen = max(min(0.5 - 2.0 * cosine, 1.0), 0.0)
        if seen < 1.0:
            x, y, z = batch[_AT_KEY, e], batch[_AT_KEY + 1, e], batch[_AT_KEY + 2, e]
            if _in_the_open(x, y, z, maxima):
                seen = 1.0
            else:
                seen += (1.0 - seen) * _seen(x, y, z, nearness)
        batch[_KEY_SEEN, e] = seen


@inlined
def _add_light(batch, light):  # type: ignore[no-untyped-def]
    """Add one light to the sums of all columns."""
    towards_x, towards_y, towards_z = float(light[0]), float(light[1]), float(light[2])
    light_red, light_green, light_blue = float(light[3]), float(light[4]), float(light[5])
    half_x, half_y, half_z = float(light[7]), float(light[8]), float(light[9])
    arrives = _KEY_SEEN if light[6] > 0.0 else _SEEN
    for e in range(_BATCH):
        nx, ny, nz = batch[_N, e], batch[_N + 1, e], batch[_N + 2, e]
        cosine = nx * towards_x + ny * towards_y + nz * towards_z
        wrap = batch[_MATERIAL + 2, e]
        seen = batch[arrives, e]
        # Light that enters skin beside a shadow comes out in it, red.
        bled = seen + wrap * seen * (1.0 - seen)
        red = bled * light_red * (cosine + wrap) * batch[_MATERIAL + 5, e]
        green = seen * light_green * max(cosine + batch[_MATERIAL + 3, e], 0.0) * batch[_MATERIAL + 6, e]
        blue = seen * light_blue * max(cosine + batch[_MATERIAL + 4, e], 0.0) * batch[_MATERIAL + 7, e]
        lit = cosine > -wrap
        batch[_DIFFUSE, e] += red if lit else 0.0
        batch[_DIFFUSE + 1, e] += green if lit else 0.0
        batch[_DIFFUSE + 2, e] += blue if lit else 0.0
        lobe = 1.0 - batch[_MATERIAL + 1, e] * (1.0 - (nx * half_x + ny * half_y + nz * half_z))
        power = lobe * lobe
        power *= power
        power *= power
        shine = seen * batch[_MATERIAL, e] * power * min(1.0, 4.0 * cosine)
        shine = shine if (cosine > 0.0) & (lobe > 0.0) else 0.0
        batch[_SHINE, e] += shine * light_red
        batch[_SHINE + 1, e] += shine * light_green
        batch[_SHINE + 2, e] += shine * light_blue


@inlined
def _add_ambient(batch, ambient):  # type: ignore[no-untyped-def]
    """Turn the sums of all columns into linear RGB, from 0 to BRIGHTEST, in the rows _DIFFUSE."""
    for k in range(3):
        sky_light = float(ambient[k])
        for e in range(_BATCH):
            nx, ny, nz = batch[_N, e], batch[_N + 1, e], batch[_N + 2, e]
            # Smooth normals may lean away at a silhouette; it is seen edge-on.
            facing = nx * batch[_RAY, e] + ny * batch[_RAY + 1, e] + nz * batch[_RAY + 2, e]
            grazing = 1.0 - max(facing, 0.0)
            sky, colour = batch[_OPEN, e], batch[_RGB + k, e]
            up = 0.5 + 0.5 * ny
            sheen = 0.08 * sky * grazing * grazing * grazing * grazing
            # What hides the sky has the colour of what it is hidden from, and passes that much on: hollows
            # are warm.
            bounced = sky * (1.0 - sky)
            diffuse = batch[_DIFFUSE + k, e]
            diffuse += (sky + colour * bounced) * sky_light * (up + _GROUND[k] * (1.0 - up))
            light = colour * diffuse + batch[_SHINE + k, e] + sheen * sky_light
            # Averaging light far above white would undo the supersampling of its edge.
            batch[_DIFFUSE + k, e] = min(max(light, 0.0), BRIGHTEST)


@inlined
def _light(batch, corners, num, table, look):  # type: ignore[no-untyped-def]
    """Light the first `num` surfaces of the batch: linear RGB in the rows _DIFFUSE."""
    _interpolate(batch, corners, num, table, look.materials)
    for e in range(_BATCH):
        batch[_SEEN, e] = 0.5 + 0.5 * batch[_OPEN, e]
        for k in range(3):
            batch[_DIFFUSE + k, e] = 0.0
            batch[_SHINE + k, e] = 0.0
    for i in range(look.lights.shape[0]):
        if look.lights[i, 6] > 0.0:
            _see_key(batch, num, look.lights[i], look.key_nearness, look.key_maxima)
        _add_light(batch, look.lights[i])
    _add_ambient(batch, look.ambient)


@kernel
def shade(face_at, nearness, reach, side, table, faces, look, wall, tone, picture):  # type: ignore[no-untyped-def] # noqa: PLR0912
    """Draw over `picture` (height width 3), which shows the wall, where a sample has a nearest face.

    `table` (verts 16) holds the columns named above, `faces` (faces 4) three vertices and a part, `reach`
    (rows 2) the columns of samples that may have a face; `wall` (height width 3) is the wall's light, for the
    edges. `side` is a tuple as long as a pixel has samples along a side: the compiler, which knows how long
    a tuple is, unrolls the loops over the samples.
    """
    height, width = picture.shape[:2]
    samples = len(side)
    count = samples * samples
    # Added up as the shares of several surfaces are.
    whole = 0.0
    for _ in range(count):
        whole += 1.0 / count
    batch = np.zeros((_ROWS, _BATCH))
    corners = np.zeros((4, _BATCH), np.uintp)
    # The surfaces that a row sees: pixel, face, place and share of the pixel.
    column_of, face_of = np.empty(width * count, np.uintp), np.empty(width * count, np.uintp)
    place_of, share_of = np.empty((width * count, 2)), np.empty(width * count)
    line = np.empty((width, 3))
    drawn = np.empty(width, np.bool_)
    seen_face = np.empty(count, np.int64)
    seen_at = np.empty((count, 3))
    share = np.empty(count)
    for row in range(height):
        begin, end = width, 0
        for y in range(row * samples, row * samples + samples):
            begin = min(begin, reach[y, 0] // samples)
            end = max(end, (reach[y, 1] + samples - 1) // samples)
        num = 0
        # Unsigned: a signed index would be tested for counting from the end.
        for column in range(np.uintp(begin), np.uintp(end)):
            top, left = np.uintp(row * samples), np.uintp(column * samples)
            first, near = face_at[top, left], nearness[top, left]
            one_face, one_surface = True, first >= 0
            for y in range(top, top + np.uintp(samples)):
                for x in range(left, left + np.uintp(samples)):
                    one_face &= face_at[y, x] == first
            drawn[column] = one_surface or not one_face
            if not drawn[column]:
                continue
            if one_surface and not one_face:
                for y in range(top, top + np.uintp(samples)):
                    for x in range(left, left + np.uintp(samples)):
                        f = face_at[y, x]
                        one_part = (f >= 0) & (faces[max(f, 0), 3] == faces[first, 3])
                        one_surface &= (f == first) | (
                            one_part & (abs(nearness[y, x] - near) < _APART * near)
                        )
            num_seen = uncovered = 0
            if one_surface:
                num_seen = 1
                seen_face[0] = first
                share[0] = whole
                seen_at[0, 0], seen_at[0, 1] = left + 0.5, top + 0.5
                if one_face:
                    share[0] = 1.0
                    seen_at[0, 0], seen_at[0, 1] = (column + 0.5) * samples, (row + 0.5) * samples
            else:
                for s in range(count):
                    y, x = row * samples + s // samples, column * samples + s % samples
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
            for k in range(3):
                line[column, k] = uncovered * wall[row, column, k] / count
            for i in range(num_seen):
                column_of[num], face_of[num], share_of[num] = column, seen_face[i], share[i]
                place_of[num, 0], place_of[num, 1] = seen_at[i, 0], seen_at[i, 1]
                num += 1
        for start in range(0, num, _BATCH):
            size = min(_BATCH, num - start)
            for e in range(size):
                item = np.uintp(start + e)
                batch[_PLACE, e], batch[_PLACE + 1, e] = place_of[item, 0], place_of[item, 1]
                for k in range(4):
                    corners[k, e] = faces[face_of[item], k]
                for k in range(3):
                    batch[_RAY + k, e] = look.rays[row, column_of[item], k]
            _light(batch, corners, size, table, look)
            for e in range(size):
                item = np.uintp(start + e)
                for k in range(3):
                    line[column_of[item], k] += share_of[item] * batch[_DIFFUSE + k, e]
        for column in range(np.uintp(begin), np.uintp(end)):
            if drawn[column]:
                for k in range(3):
                    picture[row, column, k] = tone[np.uintp(line[column, k] * _TONE_SCALE)]
