"""Samples to pixels: per-pixel light, supersampled edges, tone curve.

Axis names: `verts`, `faces`, `parts`, `lights`, `height`, `width`.
A surface is lit once per pixel; the samples of a pixel that see different surfaces are lit one by one. Diffuse light
is Lambert's with a wrap (red creeps furthest past the terminator, as light does in skin), gloss is Blinn-Phong's lobe
in its spherical-Gaussian form, ambient light is a hemisphere of sky over ground.
"""

from __future__ import annotations

import math

import numpy as np

from talkcli.engine.render.jit import kernel

# Columns of a vertex's attributes: normal, colour, how much of the key light and of the sky it sees.
NUM_ATTRIBUTES = 8
KEY, SKY = 6, 7
# Linear light per step of the tone table, and its length: light above 8 is white.
TONE_STEPS = 65536
TONE_SCALE = TONE_STEPS / 8.0


def tone_table() -> np.ndarray:
    """Linear light to an sRGB byte: straight up to a shoulder, then rolling off into white."""
    light = (np.arange(TONE_STEPS) + 0.5) / TONE_SCALE
    shoulder = 0.55
    room = 1.0 - shoulder
    rolled = shoulder + room * (1.0 - np.exp(-np.maximum(light - shoulder, 0.0) / room))
    linear = np.where(light < shoulder, light, rolled)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(np.rint(encoded * 255.0), 0, 255).astype(np.uint8)


@kernel
def _light(  # type: ignore[no-untyped-def]
    x,
    y,
    f,
    screen,
    attributes,
    faces,
    part_of_face,
    materials,
    lights,
    ambient,
    axes,
    focal,
    centre_x,
    centre_y,
):
    """Linear RGB of face `f` at the screen point (x, y)."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    ax, ay = screen[a, 0] - x, screen[a, 1] - y
    bx, by = screen[b, 0] - x, screen[b, 1] - y
    cx, cy = screen[c, 0] - x, screen[c, 1] - y
    wa = bx * cy - by * cx
    wb = cx * ay - cy * ax
    wc = ax * by - ay * bx
    area = wa + wb + wc
    # Weights on the screen, divided by distance, are weights on the triangle (perspective-correct).
    wa *= screen[a, 2]
    wb *= screen[b, 2]
    wc *= screen[c, 2]
    total = wa + wb + wc
    if total != 0.0:
        wa /= total
        wb /= total
        wc /= total
    nx = wa * attributes[a, 0] + wb * attributes[b, 0] + wc * attributes[c, 0]
    ny = wa * attributes[a, 1] + wb * attributes[b, 1] + wc * attributes[c, 1]
    nz = wa * attributes[a, 2] + wb * attributes[b, 2] + wc * attributes[c, 2]
    red = wa * attributes[a, 3] + wb * attributes[b, 3] + wc * attributes[c, 3]
    green = wa * attributes[a, 4] + wb * attributes[b, 4] + wc * attributes[c, 4]
    blue = wa * attributes[a, 5] + wb * attributes[b, 5] + wc * attributes[c, 5]
    key = wa * attributes[a, 6] + wb * attributes[b, 6] + wc * attributes[c, 6]
    sky = wa * attributes[a, 7] + wb * attributes[b, 7] + wc * attributes[c, 7]

    right = (x - centre_x) / focal
    up = (centre_y - y) / focal
    vx = -(axes[2, 0] + right * axes[0, 0] + up * axes[1, 0])
    vy = -(axes[2, 1] + right * axes[0, 1] + up * axes[1, 1])
    vz = -(axes[2, 2] + right * axes[0, 2] + up * axes[1, 2])
    scale = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
    vx, vy, vz = vx * scale, vy * scale, vz * scale

    part = part_of_face[f]
    specular, gloss, wrap = materials[part, 0], materials[part, 1], materials[part, 2]
    if area > 0.0:
        # The back of a surface is the inside of a body: turn the normal, leave it nearly dark.
        nx, ny, nz = -nx, -ny, -nz
        specular = 0.0
        red *= 0.12
        green *= 0.1
        blue *= 0.1
    scale = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-20)
    nx, ny, nz = nx * scale, ny * scale, nz * scale
    facing = nx * vx + ny * vy + nz * vz
    if facing < 0.0:
        # Smooth normals may lean away at a silhouette; light it as seen edge-on.
        nx, ny, nz = nx - facing * vx, ny - facing * vy, nz - facing * vz
        scale = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-20)
        nx, ny, nz = nx * scale, ny * scale, nz * scale
        facing = 0.0

    lobe = (gloss + 8.0) / 8.0
    wrap_green, wrap_blue = 0.6 * wrap, 0.45 * wrap
    sum_red = sum_green = sum_blue = 0.0
    shine_red = shine_green = shine_blue = 0.0
    for i in range(lights.shape[0]):
        lx, ly, lz = lights[i, 0], lights[i, 1], lights[i, 2]
        seen = key if lights[i, 6] > 0.0 else 0.5 + 0.5 * sky
        cosine = nx * lx + ny * ly + nz * lz
        if cosine > -wrap:
            sum_red += seen * lights[i, 3] * (cosine + wrap) / (1.0 + wrap)
            sum_green += seen * lights[i, 4] * max(cosine + wrap_green, 0.0) / (1.0 + wrap_green)
            sum_blue += seen * lights[i, 5] * max(cosine + wrap_blue, 0.0) / (1.0 + wrap_blue)
        if cosine > 0.0:
            hx, hy, hz = lx + vx, ly + vy, lz + vz
            across = (nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz + 1e-20)
            fall = gloss * (across - 1.0)
            if fall > -8.0:
                shine = seen * specular * lobe * math.exp(fall) * min(1.0, 4.0 * cosine)
                shine_red += shine * lights[i, 3]
                shine_green += shine * lights[i, 4]
                shine_blue += shine * lights[i, 5]
    height = 0.5 + 0.5 * ny
    grazing = (1.0 - facing) ** 4
    sum_red += sky * (ambient[0] * height + 0.45 * ambient[0] * (1.0 - height))
    sum_green += sky * (ambient[1] * height + 0.38 * ambient[1] * (1.0 - height))
    sum_blue += sky * (ambient[2] * height + 0.33 * ambient[2] * (1.0 - height))
    sheen = 0.9 * sky * grazing * (0.04 + specular)
    return (
        red * sum_red + shine_red + sheen * ambient[0],
        green * sum_green + shine_green + sheen * ambient[1],
        blue * sum_blue + shine_blue + sheen * ambient[2],
    )


@kernel
def shade(  # type: ignore[no-untyped-def]
    face_at,
    nearness,
    samples,
    screen,
    attributes,
    faces,
    part_of_face,
    materials,
    lights,
    ambient,
    axes,
    focal,
    centre_x,
    centre_y,
    backdrop,
    backdrop_bytes,
    tone,
    picture,
):
    """Fill `picture` (height width 3) from `samples` x `samples` visible faces a pixel."""
    height, width = picture.shape[:2]
    count = samples * samples
    lit = np.empty((count, 3))
    lit_face = np.empty(count, np.int64)
    lit_near = np.empty(count)
    for row in range(height):
        for column in range(width):
            first = face_at[row * samples, column * samples]
            same = True
            for s in range(1, count):
                same &= face_at[row * samples + s // samples, column * samples + s % samples] == first
            if same and first < 0:
                for channel in range(3):
                    picture[row, column, channel] = backdrop_bytes[row, column, channel]
                continue
            red = green = blue = 0.0
            if same:
                x, y = (column + 0.5) * samples, (row + 0.5) * samples
                red, green, blue = _light(
                    x, y, first, screen, attributes, faces, part_of_face, materials, lights, ambient, axes, focal,
                    centre_x, centre_y,
                )  # fmt: skip
            else:
                num_lit = 0
                for s in range(count):
                    y_sample, x_sample = row * samples + s // samples, column * samples + s % samples
                    f = face_at[y_sample, x_sample]
                    if f < 0:
                        red += backdrop[row, column, 0] / count
                        green += backdrop[row, column, 1] / count
                        blue += backdrop[row, column, 2] / count
                        continue
                    near = nearness[y_sample, x_sample]
                    found = -1
                    for i in range(num_lit):
                        g = lit_face[i]
                        if f == g or (
                            part_of_face[f] == part_of_face[g] and abs(near - lit_near[i]) < 0.002 * near
                        ):
                            found = i
                            break
                    if found < 0:
                        found = num_lit
                        num_lit += 1
                        lit_face[found] = f
                        lit_near[found] = near
                        lit[found, 0], lit[found, 1], lit[found, 2] = _light(
                            x_sample + 0.5, y_sample + 0.5, f, screen, attributes, faces, part_of_face, materials,
                            lights, ambient, axes, focal, centre_x, centre_y,
                        )  # fmt: skip
                    # Averaging light far above white would undo the supersampling of its edge.
                    red += min(lit[found, 0], 1.5) / count
                    green += min(lit[found, 1], 1.5) / count
                    blue += min(lit[found, 2], 1.5) / count
            picture[row, column, 0] = tone[int(min(red * TONE_SCALE, TONE_STEPS - 1.0))]
            picture[row, column, 1] = tone[int(min(green * TONE_SCALE, TONE_STEPS - 1.0))]
            picture[row, column, 2] = tone[int(min(blue * TONE_SCALE, TONE_STEPS - 1.0))]
