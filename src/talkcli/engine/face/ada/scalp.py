"""Where hair grows: the hairline, ways over the skull, and the colour that skin takes at the hairline.

Axis names: `points`. Millimetres. A place on the hairline is `s`: 0 at the forehead, 1 at the nape over the
left side, -1 over the right.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from talkcli.engine.face.ada import field
from talkcli.engine.face.ada.curves import smoothstep

Points = Float[np.ndarray, "*points 3"]
Values = Float[np.ndarray, "*points"]

INSIDE = np.array([0.0, 18.0, -8.0])
CROWN = np.array([0.0, 0.97, -0.24]) / np.hypot(0.97, 0.24)
# The left half from the forehead to the nape, near the head. A man's temples recede, and he has whiskers.
MAN = (
    (0.0, 73.0, 88.0), (14.0, 75.0, 85.0), (28.0, 80.0, 75.0), (41.0, 76.0, 65.0), (50.0, 63.0, 60.0),
    (55.0, 44.0, 61.0), (62.0, 28.0, 52.0), (68.0, 13.0, 40.0), (70.0, -1.0, 29.0), (70.5, -14.0, 22.0),
    (71.0, -15.0, 14.0), (72.0, -3.0, 9.0), (74.0, 12.0, 2.0), (74.0, 17.0, -10.0), (74.0, 13.0, -24.0),
    (72.0, -2.0, -36.0), (68.0, -24.0, -42.0), (60.0, -44.0, -48.0), (48.0, -58.0, -56.0),
    (28.0, -65.0, -64.0), (0.0, -67.0, -68.0),
)  # fmt: skip
WOMAN = (
    (0.0, 71.0, 89.0), (14.0, 71.5, 86.0), (27.0, 69.0, 81.0), (39.0, 63.0, 75.0), (49.0, 53.0, 68.0),
    (55.0, 42.0, 61.0), (62.0, 29.0, 51.0), (68.0, 17.0, 39.0), (70.0, 8.0, 28.0), (71.0, 5.0, 21.0),
    (71.5, 7.0, 14.0), (73.0, 11.0, 8.0), (74.0, 15.0, 1.0), (74.0, 17.0, -10.0), (74.0, 13.0, -24.0),
    (72.0, 0.0, -36.0), (68.0, -18.0, -43.0), (60.0, -36.0, -50.0), (48.0, -49.0, -58.0),
    (28.0, -56.0, -66.0), (0.0, -54.0, -71.0),
)  # fmt: skip


def unit(v: Points) -> Points:
    """Return directions of length one."""
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def turn(v: Points) -> Values:
    """Return angle of directions about the crown, 0 ahead, pi behind, the left side positive."""
    return np.arctan2(v[..., 0], v @ np.array([0.0, -CROWN[2], CROWN[1]]))


def hairline(s: Values, sex: float) -> Points:
    """Return unit directions from `INSIDE` to places on the hairline."""
    line = np.array(WOMAN) + sex * (np.array(MAN) - np.array(WOMAN))
    # Spread by the angle about the crown more than by length, or notches crowd the columns of hair.
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    along = 0.45 * along / along[-1] + 0.55 * turn(line - INSIDE) / np.pi
    place = PchipInterpolator(along, line)(np.abs(s))
    place[..., 0] *= np.sign(s)
    return unit(place - INSIDE)


def between(a: Points, b: Points, t: Values) -> Points:
    """Return directions at `t` of the way from `a` to `b` on great circles (above 1: beyond)."""
    angle = np.arccos(np.clip((a * b).sum(-1), -1.0, 1.0))
    sine = np.maximum(np.sin(angle), 1e-9)
    return unit((np.sin((1 - t) * angle) / sine)[..., None] * a + (np.sin(t * angle) / sine)[..., None] * b)


def surface(direction: Points) -> Points:
    """Return where the skin is in some directions from `INSIDE`."""
    flat = direction.reshape(-1, 3)
    low, high = np.full(len(flat), 50.0), np.full(len(flat), 150.0)
    for _ in range(20):
        middle = 0.5 * (low + high)
        inside = field.face(INSIDE + middle[:, None] * flat) < 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (INSIDE + low[:, None] * flat).reshape(direction.shape)


def push_out(points: Points, least: Values) -> Points:
    """Return points moved outwards until they are `least` mm above the skin."""
    p, least = points.reshape(-1, 3).copy(), np.broadcast_to(least, points.shape[:-1]).ravel()
    for _ in range(4):
        short = np.clip(least - field.face(p), 0.0, None)
        p += short[:, None] * field.gradient(p)
    return p.reshape(points.shape)


@cache
def _limit(sex: float) -> tuple[np.ndarray, np.ndarray]:
    edge = hairline(np.linspace(-1.0, 1.0, 241), sex)
    order = np.argsort(turn(edge))
    return turn(edge)[order], np.arccos(np.clip(edge @ CROWN, -1.0, 1.0))[order]


def beyond(points: Points, sex: float) -> Values:
    """Return how far places are outside the hairline as an angle from `INSIDE`, in mm of a head's radius;
    negative inside.
    """
    direction = unit(points - INSIDE)
    limit = np.interp(turn(direction), *_limit(sex), period=2 * np.pi)
    return 90.0 * (np.arccos(np.clip(direction @ CROWN, -1.0, 1.0)) - limit)


def roots(points: Points, sex: float) -> Values:
    """Return how densely hair grows, in [0, 1]: it thins out over some mm, unevenly."""
    uneven = 1.6 * np.sin(points @ np.array([0.55, 0.31, 0.2]))
    uneven = uneven + 1.2 * np.sin(points @ np.array([-0.9, 0.7, 0.4]))
    return 1.0 - smoothstep(beyond(points, sex) + uneven, -5.0, 7.0)
