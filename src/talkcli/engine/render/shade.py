"""Samples to pixels: per-pixel light, supersampled edges, tone curve.

Axis names: `verts`, `faces`, `parts`, `lights`, `height`, `width`.
A surface is lit once per pixel; where the samples of a pixel see several surfaces, each is lit once. Diffuse
light is Lambert's with a wrap (red creeps furthest past the terminator, as light does in skin), gloss is
Blinn-Phong's lobe with Blinn's viewer at infinity, ambient light is a hemisphere of sky over ground.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from talkcli.engine.render.jit import inlined, kernel
from talkcli.engine.render.renderer import Light, Material

# Columns of a vertex's attributes: normal, colour, how much of the key light and of the sky it sees, and
# the sum of weights that the sky was averaged with.
NUM_ATTRIBUTES = 9
KEY, SKY, TOTAL = 6, 7, 8
# Samples of one part whose distances differ by less than this fraction are lit as one surface.
_APART = 0.002
# The lobe ends where it has fallen to nothing: (1 - t/8)^8 is close to exp(-t) and costs three products.
_LOBE_END = 8.0
# Green and blue light creep less far into skin than red.
_WRAP_OF_RED = (1.0, 0.6, 0.45)
# Light off the ground, as a part of the sky's: warm and weak.
_GROUND = (0.45, 0.38, 0.33)
# What is left of a colour on the inside of a body.
_INSIDE = (0.12, 0.1, 0.1)
_BRIGHTEST = 1.5
_TONE_STEPS = 65536
_TONE_SCALE = (_TONE_STEPS - 1) / _BRIGHTEST


class Surface(NamedTuple):
    """What is seen: `screen` (verts 3), `attributes` (verts 9), `faces` (faces 3), `part_of_face` (faces)."""

    screen: np.ndarray
    attributes: np.ndarray
    faces: np.ndarray
    part_of_face: np.ndarray


class Look(NamedTuple):
    """How it is lit: `materials` (parts 8), `lights` (lights 10), `ambient` (3), and `rays` (height width 3) from
    the scene to the eye."""

    materials: np.ndarray
    lights: np.ndarray
    ambient: np.ndarray
    rays: np.ndarray


def material_table(materials: Sequence[Material]) -> np.ndarray:
    """Rows of the weight of the lobe, its sharpness, three wraps and three 1 / (1 + wrap)."""
    rows = []
    for material in materials:
        wraps = [material.wrap * part for part in _WRAP_OF_RED]
        weight = material.specular * (material.gloss + 8.0) / 8.0
        rows.append([weight, material.gloss / _LOBE_END, *wraps, *(1.0 / (1.0 + wrap) for wrap in wraps)])
    return np.array(rows, np.float32)


def light_table(lights: Sequence[Light], towards_eye: np.ndarray) -> np.ndarray:
    """Rows of direction, colour, whether the head shadows it, and Blinn's half vector."""
    rows = []
    for light in lights:
        direction = np.array(light.direction) / np.linalg.norm(light.direction)
        half = direction + towards_eye
        rows.append([*direction, *light.colour, float(light.shadow), *half / max(np.linalg.norm(half), 1e-9)])
    return np.array(rows, np.float32).reshape(-1, 10)


def srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light in [0, 1] to sRGB in [0, 1] (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0.0) ** (1 / 2.4) - 0.055)


def tone_table() -> np.ndarray:
    """Linear light to an sRGB byte: straight up to a shoulder, then rolling off into white."""
    light = np.arange(_TONE_STEPS) / _TONE_SCALE
    shoulder = 0.55
    room = 1.0 - shoulder
    rolled = shoulder + room * (1.0 - np.exp(-np.maximum(light - shoulder, 0.0) / room))
    return np.rint(255.0 * srgb(np.where(light < shoulder, light, rolled))).astype(np.uint8)


@inlined
def _light(  # type: ignore[no-untyped-def]
    x, y, f, row, column, screen, attributes, faces, part_of_face, materials, lights, ambient, rays
):
    """Linear RGB of face `f` at the screen point (x, y), which lies in the pixel (row, column)."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    ax, ay = screen[a, 0] - x, screen[a, 1] - y
    bx, by = screen[b, 0] - x, screen[b, 1] - y
    cx, cy = screen[c, 0] - x, screen[c, 1] - y
    wa = bx * cy - by * cx
    wb = cx * ay - cy * ax
    wc = ax * by - ay * bx
    backside = wa + wb + wc > 0.0
    # Weights on the screen, divided by distance, are weights on the triangle (perspective-correct).
    wa *= screen[a, 2]
    wb *= screen[b, 2]
    wc *= screen[c, 2]
    scale = 1.0 / (wa + wb + wc)
    wa, wb, wc = wa * scale, wb * scale, wc * scale
    nx = wa * attributes[a, 0] + wb * attributes[b, 0] + wc * attributes[c, 0]
    ny = wa * attributes[a, 1] + wb * attributes[b, 1] + wc * attributes[c, 1]
    nz = wa * attributes[a, 2] + wb * attributes[b, 2] + wc * attributes[c, 2]
    red = wa * attributes[a, 3] + wb * attributes[b, 3] + wc * attributes[c, 3]
    green = wa * attributes[a, 4] + wb * attributes[b, 4] + wc * attributes[c, 4]
    blue = wa * attributes[a, 5] + wb * attributes[b, 5] + wc * attributes[c, 5]
    key = wa * attributes[a, 6] + wb * attributes[b, 6] + wc * attributes[c, 6]
    sky = wa * attributes[a, 7] + wb * attributes[b, 7] + wc * attributes[c, 7]

    part = part_of_face[f]
    weight = materials[part, 0]
    if backside:
        nx, ny, nz = -nx, -ny, -nz
        weight = 0.0
        red, green, blue = red * _INSIDE[0], green * _INSIDE[1], blue * _INSIDE[2]
    scale = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
    nx, ny, nz = nx * scale, ny * scale, nz * scale
    # Smooth normals may lean away at a silhouette; it is seen edge-on.
    grazing = 1.0 - max(
        nx * rays[row, column, 0] + ny * rays[row, column, 1] + nz * rays[row, column, 2], 0.0
    )

    diffuse_red = diffuse_green = diffuse_blue = 0.0
    shine_red = shine_green = shine_blue = 0.0
    for i in range(lights.shape[0]):
        seen = key if lights[i, 6] > 0.0 else 0.5 + 0.5 * sky
        cosine = nx * lights[i, 0] + ny * lights[i, 1] + nz * lights[i, 2]
        if cosine <= -materials[part, 2]:
            continue
        diffuse_red += seen * lights[i, 3] * (cosine + materials[part, 2]) * materials[part, 5]
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
    diffuse_red += sky * ambient[0] * (up + _GROUND[0] * (1.0 - up))
    diffuse_green += sky * ambient[1] * (up + _GROUND[1] * (1.0 - up))
    diffuse_blue += sky * ambient[2] * (up + _GROUND[2] * (1.0 - up))
    return (
        red * diffuse_red + shine_red + sheen * ambient[0],
        green * diffuse_green + shine_green + sheen * ambient[1],
        blue * diffuse_blue + shine_blue + sheen * ambient[2],
    )


@kernel
def shade(face_at, nearness, surface, look, wall, tone, picture):  # type: ignore[no-untyped-def] # noqa: PLR0912
    """Draw over `picture` (height width 3), which shows the wall, where a sample has a nearest face.

    `wall` (height width 3) is the wall's light, for the edges.
    """
    height, width = picture.shape[:2]
    samples = face_at.shape[0] // height
    count = samples * samples
    screen, attributes, faces, part_of_face = surface
    materials, lights, ambient, rays = look
    seen_face = np.empty(count, np.int64)
    seen_at = np.empty((count, 3))
    share = np.empty(count)
    offset = np.empty((count, 2), np.int64)
    for s in range(count):
        offset[s, 0], offset[s, 1] = s // samples, s % samples
    for row in range(height):
        for column in range(width):
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
                        one_part = part_of_face[f] == part_of_face[g]
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
                    seen_at[i, 0], seen_at[i, 1], seen_face[i], row, column, screen, attributes, faces,
                    part_of_face, materials, lights, ambient, rays,
                )  # fmt: skip
                # Averaging light far above white would undo the supersampling of its edge.
                red += share[i] * min(max(r, 0.0), _BRIGHTEST)
                green += share[i] * min(max(g, 0.0), _BRIGHTEST)
                blue += share[i] * min(max(b, 0.0), _BRIGHTEST)
            picture[row, column, 0] = tone[int(red * _TONE_SCALE)]
            picture[row, column, 1] = tone[int(green * _TONE_SCALE)]
            picture[row, column, 2] = tone[int(blue * _TONE_SCALE)]
