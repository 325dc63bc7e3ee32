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
CROWN = np.array([0.0, 0.97, -0.24]) / np.hypot(0.97, 0.24)
INSIDE = np.array([0.0, 18.0, -8.0])
# The hairline of the left half, from the forehead to the nape, as points near the head.
HAIRLINE = (
    (0.0, 73.0, 88.0), (16.0, 74.0, 85.0), (30.0, 73.0, 79.0), (42.0, 67.0, 72.0), (50.0, 56.0, 66.0),
    (54.0, 44.0, 63.0), (61.0, 28.0, 55.0), (67.0, 13.0, 43.0), (70.0, -1.0, 31.0), (70.0, -14.0, 22.0),
    (71.0, -15.0, 14.0), (72.0, -3.0, 9.0), (74.0, 12.0, 2.0), (74.0, 17.0, -10.0), (74.0, 13.0, -24.0),
    (72.0, -2.0, -36.0), (68.0, -24.0, -42.0), (60.0, -44.0, -48.0), (48.0, -58.0, -56.0),
    (28.0, -65.0, -64.0),
    (0.0, -67.0, -68.0),
)  # fmt: skip
COLUMNS, RINGS = 73, 10
LOCKS = 90


def turn(v: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points"]:
    """Return angle of directions about the crown, 0 ahead, pi behind, the left side positive."""
    return np.arctan2(v[:, 0], v @ np.array([0.0, -CROWN[2], CROWN[1]]))


def border() -> Float[np.ndarray, "columns 3"]:
    """Return unit directions from `INSIDE` to the hairline, from the forehead over the left side and
    round.
    """
    line = np.array(HAIRLINE)
    # Columns are spread by the angle about the crown more than by length, or notches crowd them.
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    along = 0.3 * along / along[-1] + 0.7 * turn(line - INSIDE) / np.pi
    half = PchipInterpolator(along, line)(np.linspace(0.0, 1.0, COLUMNS))
    half[0, 0] = half[-1, 0] = 0.0
    edge = np.concatenate([half, half[-2:0:-1] * np.array([-1.0, 1.0, 1.0])]) - INSIDE
    return edge / np.linalg.norm(edge, axis=1, keepdims=True)


def combed(
    edge: Float[np.ndarray, "columns 3"], column: Float[np.ndarray, "points"], t: Float[np.ndarray, "points"]
) -> tuple[Float[np.ndarray, "points 3"], Float[np.ndarray, "points 3"]]:
    """Return scalp points at `t` of the way from the crown to the hairline (1 and above: beyond), and
    directions.
    """
    low = np.floor(column).astype(int)
    mix = (column - low)[:, None]
    goal = edge[low % len(edge)] * (1.0 - mix) + edge[(low + 1) % len(edge)] * mix
    goal /= np.linalg.norm(goal, axis=1, keepdims=True)
    angle = np.arccos(np.clip(goal @ CROWN, -1.0, 1.0))
    direction = (np.sin((1 - t) * angle) / np.sin(angle))[:, None] * CROWN
    direction = direction + (np.sin(t * angle) / np.sin(angle))[:, None] * goal
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return field.cast(np.broadcast_to(INSIDE, direction.shape), direction, 20.0, 200.0), direction


def depth(
    scalp: Float[np.ndarray, "points 3"], t: Float[np.ndarray, "points"]
) -> Float[np.ndarray, "points"]:
    """Return thickness of the hair: full on top and in front, cropped at the sides and the nape."""
    high = smoothstep(scalp[:, 1], -20.0, 95.0)
    front = smoothstep(scalp[:, 2] + 0.4 * scalp[:, 1], 60.0, 115.0)
    return (2.6 + 7.5 * high + 2.5 * front) * np.clip(1.0 - np.clip(t, 0, 1) ** 5, 0.0, None) ** 0.55


def ripple(
    u: Float[np.ndarray, "points"], count: int, random: np.random.Generator
) -> Float[np.ndarray, "points"]:
    """Return noise in [-1, 1] over one turn `u` in [0, 1), interpolated between `count` random values."""
    table = random.uniform(-1.0, 1.0, count)
    at = (u % 1.0) * count
    low = np.floor(at).astype(int)
    mix = at - low
    return table[low % count] * (1.0 - mix) + table[(low + 1) % count] * mix


def shell() -> Piece:
    """Return the hair: ridges combed from the crown, drifting sideways on their way, jagged where they
    end.
    """
    random = np.random.default_rng(5)
    edge = border()
    n = len(edge)
    t = np.concatenate([[0.012], np.linspace(0.1, 1.0, RINGS - 1) ** 0.85, [1.0]])
    tt, column = (grid.ravel() for grid in np.meshgrid(t, np.arange(n).astype(float), indexing="ij"))
    u = np.tile(turn(edge) / (2 * np.pi), len(t)) + 0.05 * tt**1.5
    tuft, strand = ripple(u, 40, random), ripple(u + 0.02 * tt, n // 2, random)
    # Each column ends a little before or behind the hairline.
    jag = random.uniform(-1.5, 3.0, n) / (95.0 * np.arccos(edge @ CROWN))
    reach = tt * (1.0 + np.tile(jag, len(t)) * smoothstep(tt, 0.6, 1.0))
    scalp, direction = combed(edge, column, reach)
    ridges = (1.7 * tuft + 1.2 * strand) * smoothstep(tt, 0.02, 0.35) * (1.0 - smoothstep(tt, 0.85, 1.0))
    thick = depth(scalp, tt) + ridges
    thick[-2 * n : -n] = 0.5
    thick[-n:] = -2.0
    colours = HAIR * (1.0 + 0.30 * tuft + 0.35 * strand)[:, None]
    return Piece("hair", scalp + direction * thick[:, None], grid_faces(len(t), n, closed=True), colours)


def locks() -> Piece:
    """Build loose tufts over the hairline, most of them in front: blades of four vertices."""
    random = np.random.default_rng(3)
    edge = border()
    n = len(edge)
    # Even over the turn, then drawn towards the forehead (column 0).
    u = (np.arange(LOCKS) + random.uniform(-0.4, 0.4, LOCKS)) / LOCKS
    column = ((u + 0.09 * np.sin(2 * np.pi * u) * -1.0) % 1.0) * n
    along_mm = 95.0 * np.arccos(edge @ CROWN)[column.astype(int) % n]  # from the crown to the hairline
    start = 1.0 - random.uniform(10.0, 20.0, LOCKS) / along_mm
    end = 1.0 + random.uniform(-3.0, 5.0, LOCKS) / along_mm
    drift = random.uniform(-1.5, 3.0, LOCKS)
    rows = []
    for share, lift in ((0.0, -0.3), (0.5, 1.1), (1.0, 0.5)):
        t = start + share * (end - start)
        scalp, direction = combed(edge, column + drift * share**1.5, t)
        rows.append(scalp + direction * (depth(scalp, np.minimum(t, 0.99)) + lift)[:, None])
    root, middle, tip = rows
    aside = np.cross(tip - root, middle - INSIDE)
    aside *= (random.uniform(0.8, 1.7, LOCKS) / np.linalg.norm(aside, axis=1))[:, None]
    vertices = np.stack([root, middle - aside, middle + aside, tip], 1)
    colours = HAIR * (random.uniform(0.75, 1.05, (LOCKS, 1)) * np.array([0.9, 1.0, 1.0, 1.1]))[..., None]
    faces = (4 * np.arange(LOCKS))[:, None, None] + np.array([[0, 2, 1], [1, 2, 3]])[None]
    return Piece("hair", vertices.reshape(-1, 3), faces.reshape(-1, 3), colours.reshape(-1, 3))


def cover(p: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points"]:
    """Return how far points of the skin lie towards the hairline: below 1 under the hair."""
    edge = border()
    d = (p - INSIDE) / np.linalg.norm(p - INSIDE, axis=1, keepdims=True)
    order = np.argsort(turn(edge))
    limit = np.interp(turn(d), turn(edge)[order], np.arccos(edge @ CROWN)[order], period=2 * np.pi)
    return np.arccos(np.clip(d @ CROWN, -1.0, 1.0)) / limit


def brow_line(
    t: Float[np.ndarray, "points"],
) -> tuple[Float[np.ndarray, "points"], Float[np.ndarray, "points"]]:
    """Return middle of the left brow in front view, t from the inner end to the tail."""
    x = PchipInterpolator([0, 0.25, 0.5, 0.7, 1.0], [12.5, 22.0, 32.0, 40.0, 51.0])(t)
    y = PchipInterpolator([0, 0.25, 0.5, 0.7, 1.0], [17.0, 19.6, 22.6, 23.6, 19.2])(t)
    return x, y


def brow() -> Piece:
    """Return the left brow: blades rooted in the skin, swept upwards at the inner end and outwards at the
    tail.
    """
    random = np.random.default_rng(11)
    count = 110
    t = np.sort(random.uniform(0.0, 1.0, count) ** 0.92)
    across = random.uniform(-1.0, 1.0, count)
    x, y = brow_line(t)
    half = 3.2 * (1.0 - t**2.0) * (0.55 + 0.45 * smoothstep(t, 0.0, 0.22)) + 0.5
    y = y + across * half
    tilt = np.deg2rad(74.0 - 58.0 * smoothstep(t, 0.0, 0.40) - 36.0 * smoothstep(t, 0.5, 1.0) - 10.0 * across)
    long = 8.0 - 2.0 * t + random.uniform(-1.0, 1.0, count)
    tip_x, tip_y = x + long * np.cos(tilt), y + long * np.sin(tilt)
    root = field.cast_front(x, y)
    tip = field.cast_front(tip_x, tip_y)
    normal_root, normal_tip = field.gradient(root), field.gradient(tip)
    wide = 0.55 * np.cross(tip - root, normal_root) / long[:, None]
    # One side of the root lies further back, so that hairs begin in a point too.
    back = 0.3 * (root - tip)
    blades = np.stack(
        [root + back - wide - 0.1 * normal_root, root + wide + 0.3 * normal_root, tip + 0.9 * normal_tip], 1
    )
    colours = np.repeat(BROW * random.uniform(0.6, 1.3, (count, 1)), 3, 0)
    faces = np.arange(3 * count).reshape(-1, 3)
    return Piece("brow", blades.reshape(-1, 3), faces, colours)
