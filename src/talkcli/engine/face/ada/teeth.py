"""Teeth with gums, and the tongue.

Axis names: `verts`. Millimetres. Crown widths and heights after Wheeler's dental anatomy, rounded.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada.curves import smoothstep
from talkcli.engine.face.ada.piece import Piece, grid_faces

COLUMNS_PER_TOOTH = 4
UPPER = (
    ((8.6, 10.2), (6.7, 9.0), (7.7, 9.8), (7.0, 8.2), (6.8, 7.8), (9.5, 7.2), (9.0, 6.8)),
    27.5,
    89.0,
    -71.8,
)
LOWER = (
    ((5.3, 8.8), (5.9, 9.0), (6.8, 9.8), (7.0, 8.4), (7.0, 7.8), (10.5, 7.2), (10.0, 6.8)),
    25.5,
    85.6,
    -70.6,
)
GUM, GUM_DEEP = (0.36, 0.12, 0.11), (0.20, 0.055, 0.05)
ENAMEL, ENAMEL_EDGE, ENAMEL_NECK = (0.74, 0.69, 0.58), (0.70, 0.68, 0.62), (0.62, 0.53, 0.40)
BACK = (0.22, 0.17, 0.14)  # lit through the lips the backs of teeth would shine, where cheeks shade them
DEPTH = 44.0


def row(upper: bool) -> Piece:
    """Return one arch of fourteen teeth as a strip that runs from gum over the edge to the back."""
    crowns, half_width, front_z, edge_y = UPPER if upper else LOWER
    down = -1.0 if upper else 1.0
    widths = np.array([width for width, _ in crowns])
    # Arc length along the arch, tabulated, to place teeth one beside the other.
    angle = np.linspace(0.0, np.pi / 2, 400)
    arch = np.stack([half_width * np.sin(angle), front_z - DEPTH * (1 - np.cos(angle))], 1)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(arch, axis=0), axis=1))])
    starts = np.concatenate([[0.0], np.cumsum(widths)]) * min(1.0, length[-1] / widths.sum())
    across = np.linspace(-0.94, 0.94, COLUMNS_PER_TOOTH)
    place = np.concatenate([a + (across + 1) / 2 * (b - a) for a, b in pairwise(starts)])
    heights = np.repeat([tall for _, tall in crowns], COLUMNS_PER_TOOTH)
    half = (place, np.tile(across, len(crowns)), heights)
    s, u, tall = (np.concatenate([values[::-1], values]) for values in half)
    side = np.repeat([-1.0, 1.0], len(s) // 2)
    turn = np.interp(s, length, angle)
    x, z = side * half_width * np.sin(turn), front_z - DEPTH * (1 - np.cos(turn))
    normal = np.stack([x / half_width**2, (z - front_z + DEPTH) / DEPTH**2], 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    curve = 1.6 * smoothstep(np.abs(x), 4.0, 26.0)  # the arch rises towards the molars
    edge = edge_y + (curve if upper else -0.4 * curve) - down * 0.3 * u**4
    neck = edge - down * tall * (1.0 - 0.18 * u**2)
    swell = 0.75 * (1.0 - u**4)
    broad = 5.5 * smoothstep(np.abs(x), 14.0, 22.0)  # molars chew on a surface, front teeth cut with an edge
    rows = (  # height, out, colour
        (neck - down * 9.0, -0.5 + 0.0 * u, GUM_DEEP),
        (neck - down * 3.0, 0.5 + 0.3 * swell, GUM),
        (neck, 0.1 + 0.6 * swell, GUM),
        (neck + down * 0.1, swell * 0.6 - 0.1, ENAMEL_NECK),
        (neck + down * 0.4 * tall, swell + 0.15, ENAMEL),
        (edge - down * 1.2, swell * 0.9 - 0.25, ENAMEL),
        (edge, swell * 0.5 - 0.9, ENAMEL_EDGE),
        (edge - down * 0.2, swell * 0.2 - 2.0 - broad, BACK),
        (neck, -4.5 - broad, GUM_DEEP),
    )
    vertices = np.concatenate(
        [np.stack([x + out * normal[:, 0], y, z + out * normal[:, 1]], 1) for y, out, _ in rows]
    )
    colours = np.concatenate([np.tile(np.array(colour), (len(x), 1)) for _, _, colour in rows])
    # Molars lie in the dark of the cheek.
    colours *= (1.0 - 0.9 * smoothstep(np.abs(vertices[:, 0]), *((14.0, 24.0) if upper else (8.0, 19.0))))[
        :, None
    ]
    faces = grid_faces(len(rows), len(x))
    return Piece("teeth", vertices, faces if upper else faces[:, ::-1], colours)


def tongue() -> Piece:
    """Return a closed tube from the root to the tip, flattened, with a groove along the middle."""
    stations, columns = 14, 18
    t = np.sin(np.linspace(0.0, np.pi / 2, stations))
    turn = 2 * np.pi * np.arange(columns) / columns
    z = 38.0 + 44.5 * t
    top = -74.0 + 3.5 * np.sin(np.pi * t) - 0.8 * t
    wide = 0.6 + 16.5 * np.clip(1.0 - (0.10 + 0.90 * t) ** 3.2, 0.0, None) ** 0.5
    thick = 0.3 + 5.4 * np.clip(1.0 - t**4, 0.0, None) ** 0.5
    ring_x, ring_y = np.cos(turn), np.sin(turn)
    x = wide[:, None] * ring_x
    y = (top - thick)[:, None] + thick[:, None] * ring_y
    groove = 1.1 * np.exp(-((x / 4.5) ** 2)) * smoothstep(ring_y, 0.0, 0.9) * np.sin(np.pi * t)[:, None]
    vertices = np.stack([x, y - groove, np.broadcast_to(z[:, None], x.shape)], -1).reshape(-1, 3)
    colours = np.tile(np.array([0.52, 0.18, 0.165]), (len(vertices), 1))
    colours *= (0.5 + 0.5 * smoothstep(vertices[:, 2], 38.0, 60.0))[:, None]
    tip = np.arange(columns) + (stations - 1) * columns
    cap = np.stack([np.full(columns - 2, tip[0]), tip[1:-1], tip[2:]], 1)
    faces = np.concatenate([grid_faces(stations, columns, closed=True), cap])
    return Piece("tongue", vertices, faces, colours)


def tongue_out(rest: Piece) -> Float[np.ndarray, "verts 3"]:
    """Return displacement that lays the tongue over the lower teeth and lip."""
    x, y, z = rest.vertices.T
    t = np.clip((z - 38.0) / 44.5, 0.0, 1.0)
    middle = -74.0 - 4.5
    flat = smoothstep(t, 0.25, 0.8)
    # The front half becomes a flat blade that climbs over the incisors and drops at the tip.
    goal_y = (
        middle
        + (y - middle) * (1.0 - 0.35 * flat)
        + 13.5 * smoothstep(t, 0.1, 0.6)
        - 13.0 * np.clip((t - 0.66) / 0.34, 0.0, 1.0) ** 2
    )
    goal_z = z + 34.0 * t**1.4
    goal_x = x * (1.0 - 0.18 * smoothstep(t, 0.2, 0.7))
    return np.stack([goal_x - x, goal_y - y, goal_z - z], 1)
