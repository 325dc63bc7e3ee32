"""Surfaces to pixels: light, shadow, tone curve.

Axis names: `verts`, `faces`, `parts`, `lights`, `seen` surfaces, `height`, `width`.
Diffuse light is Lambert's with a wrap (red creeps furthest past the terminator, as light does in skin) and a
soft end, gloss is Blinn-Phong's lobe with Blinn's viewer at infinity and a second, sharper lobe where a
surface is wet, ambient light is a hemisphere of sky over ground. All of it is single precision: twice as many
surfaces fit a vector instruction, and a byte has eight bits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy import float32 as f32

from talkcli.engine.jit import kernel, part
from talkcli.engine.render.batch import interpolate, weigh
from talkcli.engine.render.columns import (
    AT_KEY,
    BACK,
    BATCH,
    COSINE,
    DIFFUSE,
    FLESH,
    KEY_SEEN,
    MATERIAL,
    OPEN,
    OTHERS_SEEN,
    PIXEL,
    PLACE,
    RAY,
    REST,
    RGB,
    ROWS,
    SHARE,
    SHARP,
    SHINE,
    SKY_SEEN,
    SOFT,
    UNWRAP,
    WEIGHT,
    WEIGHTS,
    WET,
    WET_SHARP,
    WRAP,
    N,
    X,
    Y,
)
from talkcli.engine.render.lamps import in_the_open, seen_of
from talkcli.engine.render.skin import add_detail

# The lobe ends where it has fallen to nothing: (1 - t/8)^8 is close to exp(-t) and costs three products.
LOBE_END = 8.0
# Light off the ground, as a part of the sky's: warm and weak.
_GROUND = (0.45, 0.38, 0.33)
# Colour of light that has come through the flesh round a mouth.
_FLESH_COLOUR = (1.0, 0.72, 0.6)
# From here on light rolls off into white.
_SHOULDER = f32(0.55)
_ROOM = f32(0.45)
TONE_STEPS = 16384


@part
def _see_key(batch, num, light, nearness, maxima):  # type: ignore[no-untyped-def]
    """Fill the row KEY_SEEN of the first `num` columns: how much arrives of the light with a shadow."""
    for e in range(num):
        cosine = batch[N, e] * light[0] + batch[N + 1, e] * light[1] + batch[N + 2, e] * light[2]
        # Past the terminator a surface is dark by itself; a hard shadow there would cut off the wrap.
        seen = max(min(f32(0.5) - f32(2.0) * cosine, f32(1.0)), f32(0.0))
        if seen < f32(1.0):
            x, y, z = batch[AT_KEY, e], batch[AT_KEY + 1, e], batch[AT_KEY + 2, e]
            if in_the_open(x, y, z, maxima):
                seen = f32(1.0)
            else:
                seen += (f32(1.0) - seen) * seen_of(x, y, z, nearness)
        batch[KEY_SEEN, e] = seen


@part
def _add_light(batch, light):  # type: ignore[no-untyped-def]
    """Add one light to the sums of all columns."""
    towards_x, towards_y, towards_z = light[0], light[1], light[2]
    half_x, half_y, half_z = light[7], light[8], light[9]
    arrives = KEY_SEEN if light[6] > f32(0.0) else OTHERS_SEEN
    one, none = f32(1.0), f32(0.0)
    for e in range(BATCH):
        nx, ny, nz = batch[N, e], batch[N + 1, e], batch[N + 2, e]
        cosine = nx * towards_x + ny * towards_y + nz * towards_z
        seen = batch[arrives, e]
        batch[COSINE, e] = cosine
        turned = one - (nx * half_x + ny * half_y + nz * half_z)
        lobe = max(one - batch[MATERIAL + SHARP, e] * turned, none)
        lobe *= lobe
        lobe *= lobe
        lobe *= lobe
        wet = max(one - batch[MATERIAL + WET_SHARP, e] * turned, none)
        wet *= wet
        wet *= wet
        wet *= wet
        shine = batch[MATERIAL + WEIGHT, e] * lobe + batch[MATERIAL + WET, e] * wet
        shine *= seen * max(min(one, f32(4.0) * cosine), none)
        batch[SHINE, e] += shine * light[3]
        batch[SHINE + 1, e] += shine * light[4]
        batch[SHINE + 2, e] += shine * light[5]
    for k in range(3):
        colour = light[3 + k]
        # Light that enters skin beside a shadow comes out in it, red.
        bleeds = one if k == 0 else none
        for e in range(BATCH):
            seen = batch[arrives, e]
            seen += bleeds * batch[MATERIAL + WRAP, e] * seen * (one - seen)
            rise = (batch[COSINE, e] + batch[MATERIAL + WRAP + k, e]) * batch[MATERIAL + UNWRAP + k, e]
            rise = max(rise, none)
            left = one - rise
            rise *= one - batch[MATERIAL + SOFT, e] * left * left * left
            batch[DIFFUSE + k, e] += colour * seen * rise


@part
def _add_ambient(batch, ambient):  # type: ignore[no-untyped-def]
    """Turn the sums of all columns into linear RGB in [0, 1], rolled off, in the rows DIFFUSE."""
    one, none, half = f32(1.0), f32(0.0), f32(0.5)
    for k in range(3):
        sky_light, ground, flesh = ambient[k], f32(_GROUND[k]), f32(_FLESH_COLOUR[k])
        for e in range(BATCH):
            nx, ny, nz = batch[N, e], batch[N + 1, e], batch[N + 2, e]
            # Smooth normals may lean away at a silhouette; it is seen edge-on.
            facing = nx * batch[RAY, e] + ny * batch[RAY + 1, e] + nz * batch[RAY + 2, e]
            grazing = one - max(facing, none)
            sky, colour = batch[SKY_SEEN, e], batch[RGB + k, e]
            up = half + half * ny
            sheen = f32(0.08) * sky * grazing * grazing * grazing * grazing
            # What hides the sky has the colour of what it is hidden from, and passes that much on: hollows
            # are warm. Lips and cheeks let some light through.
            hidden = one - sky
            passed = colour * sky * hidden + batch[MATERIAL + FLESH, e] * hidden * flesh
            diffuse = batch[DIFFUSE + k, e]
            diffuse += (sky + passed) * sky_light * (up + ground * (one - up))
            light = max(colour * diffuse + batch[SHINE + k, e] + sheen * sky_light, none)
            # Close to 1 - exp(-t) above the shoulder.
            t = max(light - _SHOULDER, none) * (one / _ROOM)
            series = one + t * (
                one + t * half * (one + t * f32(1 / 3) * (one + t * f32(0.25) * (one + t * f32(0.2))))
            )
            batch[DIFFUSE + k, e] = min(light, _SHOULDER) + _ROOM * (one - one / series)


@part
def _place_at_rest(batch, corners, face_of, num, rest, rest_area):  # type: ignore[no-untyped-def]
    """Fill the place at rest and the size of a pixel there of the first `num` columns."""
    for e in range(num):
        a, b, c = corners[0, e], corners[1, e], corners[2, e]
        wa, wb, wc = batch[WEIGHTS, e], batch[WEIGHTS + 1, e], batch[WEIGHTS + 2, e]
        for k in range(3):
            batch[REST + k, e] = wa * rest[a, k] + wb * rest[b, k] + wc * rest[c, k]
        batch[PIXEL, e] = rest_area[face_of[e]]
    for e in range(BATCH):
        batch[PIXEL, e] = math.sqrt(batch[PIXEL, e] / max(abs(batch[BACK, e]), f32(1e-9)))


@part
def _light(batch, num, look):  # type: ignore[no-untyped-def]
    """Light the surfaces of a filled batch, of which `num` count: linear RGB in the rows DIFFUSE."""
    for e in range(BATCH):
        batch[OTHERS_SEEN, e] = f32(0.5) + f32(0.5) * batch[SKY_SEEN, e]
        for k in range(3):
            batch[DIFFUSE + k, e] = f32(0.0)
            batch[SHINE + k, e] = f32(0.0)
    for i in range(look.lights.shape[0]):
        if look.lights[i, 6] > f32(0.0):
            _see_key(batch, num, look.lights[i], look.key_nearness, look.key_maxima)
        _add_light(batch, look.lights[i])
    _add_ambient(batch, look.ambient)


@kernel
def shade(num, of_pixel, places, table, faces, rest, rest_area, look, wall, tone, picture):  # type: ignore[no-untyped-def]
    """Draw the first `num` listed surfaces over `picture` (pixels 3 or 4), which shows the wall.

    Args:
        num: Number of surfaces.
        of_pixel: Pixel and face of each (seen 2), those of one pixel in a row.
        places: Place on the screen, share of the pixel, share of the wall (seen 4).
        table: Vertex table (verts COLUMNS).
        faces: Three vertices and a part each (faces 4).
        rest: Place at rest (verts 3); without rows for a scene without detail.
        rest_area: Twice the area of each face at rest (faces), in square metres.
        look: How it is lit.
        wall: Light of the wall (pixels 3), for the edges.
        tone: sRGB bytes of light from 0 to 1.
        picture: Bytes; the fourth is how much of the pixel is covered.
    """
    batch = np.zeros((ROWS, BATCH), np.float32)
    corners = np.zeros((4, BATCH), np.uintp)
    face_of = np.zeros(BATCH, np.uintp)
    filled = np.full(BATCH, -1, np.int64)
    batch[PIXEL] = f32(1.0)
    red, green, blue, covered = f32(0.0), f32(0.0), f32(0.0), f32(0.0)
    steps = f32(TONE_STEPS - 1)
    half = f32(0.5)
    for start in range(np.uintp(0), np.uintp(num), np.uintp(BATCH)):
        size = min(np.uintp(BATCH), np.uintp(num) - start)
        for e in range(size):
            item = start + e
            face = np.uintp(of_pixel[item, 1])
            face_of[e] = face
            batch[PLACE, e], batch[PLACE + 1, e] = places[item, X], places[item, Y]
            for k in range(4):
                corners[k, e] = np.uintp(faces[face, k])
        weigh(batch, corners, size, table, look)
        interpolate(batch, corners, filled, size, table, look)
        if rest.shape[0] > 0:
            _place_at_rest(batch, corners, face_of, size, rest, rest_area)
            add_detail(batch, size)
        _light(batch, size, look)
        for e in range(size):
            item = start + e
            share, pixel = places[item, SHARE], np.uintp(of_pixel[item, 0])
            red += share * batch[DIFFUSE, e]
            green += share * batch[DIFFUSE + 1, e]
            blue += share * batch[DIFFUSE + 2, e]
            covered += share
            if item + np.uintp(1) == np.uintp(num) or of_pixel[item + np.uintp(1), 0] != of_pixel[item, 0]:
                open_share = places[item, OPEN]
                if picture.shape[1] == 4:
                    # Straight alpha: the colour is that of what is covered.
                    scale = f32(1.0) / covered
                    red, green, blue = red * scale, green * scale, blue * scale
                    picture[pixel, 3] = np.uint8(min(covered, f32(1.0)) * f32(255.0) + half)
                else:
                    red += open_share * wall[pixel, 0]
                    green += open_share * wall[pixel, 1]
                    blue += open_share * wall[pixel, 2]
                picture[pixel, 0] = tone[np.uintp(min(red, f32(1.0)) * steps + half)]
                picture[pixel, 1] = tone[np.uintp(min(green, f32(1.0)) * steps + half)]
                picture[pixel, 2] = tone[np.uintp(min(blue, f32(1.0)) * steps + half)]
                red, green, blue, covered = f32(0.0), f32(0.0), f32(0.0), f32(0.0)
