"""Short cropped hair as a shell over the skull, and brows of single hairs.

Axis names: `verts`. Millimetres.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from talkcli.engine.face.ada import field
from talkcli.engine.face.ada.curves import smoothstep
from talkcli.engine.face.ada.piece import Piece, grid_faces

HAIR = np.array([0.040, 0.024, 0.015])
BROW = np.array([0.055, 0.032, 0.020])
CROWN = np.array([0.0, 0.92, -0.40]) / np.hypot(0.92, 0.40)
INSIDE = np.array([0.0, 18.0, -8.0])
# The hairline of the left half, from the forehead to the nape, as points near the head.
HAIRLINE = (
    (0.0, 82.0, 84.0), (16.0, 82.5, 82.0), (30.0, 81.0, 76.0), (42.0, 74.0, 69.0), (50.0, 62.0, 65.0),
    (54.0, 48.0, 63.0), (60.0, 32.0, 56.0), (67.0, 16.0, 42.0), (70.0, 0.0, 28.0), (70.0, -16.0, 19.0),
    (71.0, -17.0, 12.0), (72.0, -4.0, 7.0), (74.0, 12.0, 2.0), (74.0, 17.0, -10.0), (74.0, 13.0, -24.0),
    (72.0, -2.0, -36.0), (66.0, -28.0, -42.0), (56.0, -56.0, -46.0), (44.0, -74.0, -52.0), (26.0, -82.0, -58.0),
    (0.0, -84.0, -62.0),
)  # fmt: skip
COLUMNS, RINGS = 41, 17


def shell() -> Piece:
    """The hair: columns run from the crown to the hairline."""
    line = np.array(HAIRLINE)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    border = PchipInterpolator(along, line)(np.linspace(0.0, along[-1], COLUMNS))
    border[0, 0] = border[-1, 0] = 0.0
    full = np.concatenate([border, border[-2:0:-1] * np.array([-1.0, 1.0, 1.0])])
    edge = full - INSIDE
    edge /= np.linalg.norm(edge, axis=1, keepdims=True)
    t = np.concatenate([[0.012], np.linspace(0.08, 1.0, RINGS - 1) ** 0.92, [1.0]])
    angle = np.arccos(np.clip(edge @ CROWN, -1.0, 1.0))
    a = np.sin((1 - t)[:, None] * angle) / np.sin(angle)
    b = np.sin(t[:, None] * angle) / np.sin(angle)
    direction = (a[..., None] * CROWN + b[..., None] * edge).reshape(-1, 3)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    scalp = field.cast(np.broadcast_to(INSIDE, direction.shape), direction, 20.0, 200.0)
    tt = np.repeat(t, len(full)).reshape(len(t), -1)
    high = smoothstep(scalp[:, 1], -70.0, 95.0).reshape(tt.shape)
    front = smoothstep(scalp[:, 2] + 0.4 * scalp[:, 1], 60.0, 115.0).reshape(tt.shape)
    thick = (3.2 + 8.0 * high + 2.5 * front) * np.clip(1.0 - tt**5, 0.0, None) ** 0.55
    # Locks combed from the crown: waves over the columns (even in x) that drift along the way.
    turn = 2 * np.pi * np.arange(len(full)) / len(full)
    side = np.cos(turn)[None, :]
    phase = 9.0 * side + 3.0 * tt * (1 + side)
    lock = np.sin(5.0 * phase + 2.0 * tt) * 0.55 + np.sin(11.0 * phase - 5.0 * tt + 1.0) * 0.45
    thick = thick + 0.9 * lock * smoothstep(tt, 0.05, 0.4) * smoothstep(1.0 - tt, 0.0, 0.15)
    thick[-2] = 0.5
    thick[-1] = -2.5
    vertices = scalp + direction * thick.reshape(-1, 1)
    colours = HAIR * (1.0 + 0.38 * lock.reshape(-1, 1)) * (0.8 + 0.3 * high.reshape(-1, 1))
    faces = grid_faces(len(t), len(full), closed=True)
    return Piece("hair", vertices, faces, colours)


def brow_line(
    t: Float[np.ndarray, "points"],
) -> tuple[Float[np.ndarray, "points"], Float[np.ndarray, "points"]]:
    """Middle of the left brow in front view, t from the inner end to the tail."""
    x = PchipInterpolator([0, 0.25, 0.5, 0.7, 1.0], [12.5, 22.0, 32.0, 40.0, 51.0])(t)
    y = PchipInterpolator([0, 0.25, 0.5, 0.7, 1.0], [17.0, 19.6, 22.6, 23.6, 19.2])(t)
    return x, y


def brow() -> Piece:
    """The left brow: blades rooted in the skin, swept upwards at the inner end and outwards at the tail."""
    random = np.random.default_rng(11)
    count = 84
    t = np.sort(random.uniform(0.0, 1.0, count) ** 0.92)
    across = random.uniform(-1.0, 1.0, count)
    x, y = brow_line(t)
    half = 3.6 * (1.0 - t**2.2) + 0.7
    y = y + across * half
    tilt = np.deg2rad(78.0 - 62.0 * smoothstep(t, 0.0, 0.45) - 32.0 * smoothstep(t, 0.5, 1.0) - 14.0 * across)
    long = 7.5 - 2.0 * t + random.uniform(-1.0, 1.0, count)
    tip_x, tip_y = x + long * np.cos(tilt), y + long * np.sin(tilt)
    root = field.cast_front(x, y)
    tip = field.cast_front(tip_x, tip_y)
    normal_root, normal_tip = field.gradient(root), field.gradient(tip)
    wide = 0.62 * np.cross(tip - root, normal_root) / long[:, None]
    blades = np.stack(
        [root - wide - 0.2 * normal_root, root + wide + 0.35 * normal_root, tip + 0.7 * normal_tip], 1
    )
    colours = np.repeat(BROW * random.uniform(0.6, 1.3, (count, 1)), 3, 0)
    faces = np.arange(3 * count).reshape(-1, 3)
    return Piece("brow", blades.reshape(-1, 3), faces, colours)
