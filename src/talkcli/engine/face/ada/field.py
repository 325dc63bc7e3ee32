"""The shape of the head: one signed field of smoothly blended primitives, negative inside.

Axis names: `points`. Millimetres; the origin lies between the ears at the height of the pupils, y up, z
towards the viewer, x to the subject's left. Proportions follow published adult means (Farkas, 1994),
averaged over the sexes. Distance bounds and blends: Quilez, "distance functions" and "smooth minimum".
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "points 3"]
Values = Float[np.ndarray, "points"]
# Literals of the shape are written without decimals where they have none.
Number = float | int
Triple = tuple[Number, Number, Number]

# A point inside the head from which all of the skin but the ears is seen: rays are cast from here.
CENTRE = np.array([0.0, -15.0, 0.0])
EYE = np.array([31.5, 0.0, 69.5])
EYE_RADIUS = 12.0
LID_RADIUS = 13.5
COLLAR_Y = -180.0
# Where the upper lid folds: a line on the lid, some 4 mm above the open lid's edge.
LID_FOLD = [
    (19.0, 3.4, 78.5),
    (23.0, 6.9, 80.1),
    (28.0, 8.9, 80.8),
    (33.0, 9.5, 80.5),
    (38.0, 8.9, 78.6),
    (42.5, 7.0, 75.2),
    (46.0, 4.6, 72.5),
]


def ellipsoid(p: Points, centre: Triple, radii: Triple) -> Values:
    """Return distance bound of an ellipsoid with axes along x, y, z."""
    q = (p - np.array(centre)) / np.array(radii)
    k0 = np.sqrt((q * q).sum(1))
    k1 = np.sqrt(((q / np.array(radii)) ** 2).sum(1)) + 1e-9
    return k0 * (k0 - 1.0) / k1


def capsule(p: Points, a: Triple, b: Triple, radius_a: Number, radius_b: Number) -> Values:
    """Return distance bound of a thick segment from `a` to `b` whose radius changes linearly."""
    start, along = np.array(a), np.array(b) - np.array(a)
    t = np.clip((p - start) @ along / (along @ along), 0.0, 1.0)
    return np.sqrt(((p - start - t[:, None] * along) ** 2).sum(1)) - (radius_a + t * (radius_b - radius_a))


def union(a: Values, b: Values, blend: Number) -> Values:
    """Return both bodies, with a fillet about `blend` wide."""
    h = np.maximum(blend - np.abs(a - b), 0.0) / blend
    return np.minimum(a, b) - h * h * blend * 0.25


def carve(body: Values, tool: Values, blend: Number) -> Values:
    """Return `body` without `tool`, with a rounded edge."""
    return -union(-body, tool, blend)


def stroke(p: Points, centre: Triple, radii: Triple, amount: Number) -> Values:
    """Return a sculptor's touch: adds `amount` of flesh (negative removes) that fades like a Gaussian."""
    q = (p - np.array(centre)) / np.array(radii)
    return -amount * np.exp(-(q * q).sum(1))


def crease(p: Points, line: list[Triple], radius: Number, amount: Number) -> Values:
    """Return a stroke along a polyline."""
    nearest = np.full(len(p), np.inf)
    for a, b in pairwise(line):
        nearest = np.minimum(nearest, capsule(p, a, b, 0.0, 0.0))
    return -amount * np.exp(-((nearest / radius) ** 2))


def skull(p: Points) -> Values:
    """Return cranium, brow ridge, cheekbones, jaw and neck; `p` has x >= 0."""
    f = ellipsoid(p, (0, 27, -4), (70.5, 80, 93))
    f = union(f, ellipsoid(p, (0, 41, 28), (59.5, 52, 64)), 24)
    f = union(f, ellipsoid(p, (0, -34, 24), (58, 76, 60)), 24)
    f = union(f, capsule(p, (50, -14, 6), (38.5, -67, 10), 15.5, 12), 22)
    f = union(f, capsule(p, (38.5, -71, 12), (12, -94, 72), 12, 14), 24)
    f = union(f, ellipsoid(p, (0, -50, 52), (46, 50, 42)), 20)
    f = union(f, ellipsoid(p, (42, -25, 56), (19, 16, 20)), 24)
    f = union(f, capsule(p, (51, -14, 40), (58, -6, 6), 8, 5), 24)
    f = union(f, capsule(p, (0, 19, 82), (34, 19, 74), 9, 9), 16)
    f = union(f, ellipsoid(p, (0, -95.5, 79), (18.5, 12.5, 17.5)), 14)
    f = union(f, ellipsoid(p, (0, -70, 68), (33, 27, 30)), 16)
    neck = capsule(p, (0, -60, -16), (0, -240, -34), 42.5, 53)
    neck = union(neck, capsule(p, (43, -60, -14), (10, -205, 14), 7, 7), 28)
    neck = union(neck, ellipsoid(p, (0, -146, 22), (10, 20, 9)), 20)
    # The trapezius, on its way from the back of the head to the shoulders.
    neck = union(neck, capsule(p, (24, -112, -42), (76, -222, -36), 9, 26), 26)
    return union(f, neck, 18)


def nose(p: Points, f: Values) -> Values:
    """Add bridge, tip, wings and columella."""
    bridge = capsule(p, (0, 10, 82), (0, -18, 98), 6.2, 6.6)
    bridge = union(bridge, capsule(p, (0, -18, 98), (0, -33, 106.0), 6.6, 7.2), 8)
    f = union(f, bridge, 17)
    tip = ellipsoid(p, (0, -35.2, 105.8), (7.8, 7.4, 8.4))
    tip = union(tip, ellipsoid(p, (3.0, -35.5, 108.2), (4.2, 4.4, 4.4)), 5)
    f = union(f, tip, 11)
    wing = ellipsoid(p, (11.9, -39.8, 96.3), (5.6, 6.4, 8.6))
    columella = capsule(p, (0, -42.8, 105.8), (0, -47.0, 93), 3.2, 4.2)
    f = union(f, union(wing, columella, 3), 3.6)
    return f + crease(p, [(14.5, -31.2, 97.5), (18.5, -36, 94), (19.2, -43, 91.0)], 2.4, -1.8)


def face(p: Points) -> Values:
    """Return the head without lips and ears; lips and ears have layers of their own."""
    p = p.copy()
    p[:, 0] = np.abs(p[:, 0])
    f = skull(p)
    # Orbits: hollow them first, then let the lids lie on the eyeballs.
    f = carve(f, ellipsoid(p, (31, -1, 92), (19, 13.5, 15)), 14)
    f = nose(p, f)
    lids = np.sqrt(((p - EYE) ** 2).sum(1)) - LID_RADIUS
    f = union(f, lids, 4.5)
    # The sulcus above the lid, so that its skin folds there.
    f = f + stroke(p, (32, 12, 84), (13, 4.5, 10), -1.6)
    f = (
        f
        + crease(p, LID_FOLD, 1.5, -1.6)
        + crease(p, [(x, y + 3.6, z + 0.5) for x, y, z in LID_FOLD], 2.4, 1.0)
    )
    f = f + stroke(p, (16, -1, 84), (4, 7, 9), -1.5)
    f = f + stroke(p, (0, -55, 102), (2.6, 7, 10), -1.6) + stroke(p, (5.0, -56, 102), (2.4, 6, 10), 0.7)
    f = f + stroke(p, (0, -86.5, 98), (15, 4.5, 14), -2.8)
    f = f + crease(p, [(18, -42, 92), (25, -54, 88), (30, -66, 82)], 6.0, -1.2)
    f = f + stroke(p, (29, -70, 84), (5, 6, 10), -1.2)
    f = f + stroke(p, (38, -32, 74), (15, 12, 16), 2.0)
    return f + stroke(p, (66, 22, 46), (14, 20, 18), -2.5)


def cast(origin: Points, direction: Points, near: Number, far: Number) -> Points:
    """Return where rays leave the head: bisection between `near` (inside) and `far` (outside)."""
    lo, hi = np.full(len(origin), near), np.full(len(origin), far)
    for _ in range(44):
        mid = 0.5 * (lo + hi)
        inside = face(origin + mid[:, None] * direction) < 0
        lo, hi = np.where(inside, mid, lo), np.where(inside, hi, mid)
    return origin + (0.5 * (lo + hi))[:, None] * direction


def cast_radial(direction: Points) -> Points:
    """Return surface points in unit directions from `CENTRE`."""
    return cast(np.broadcast_to(CENTRE, direction.shape), direction, 20.0, 260.0)


def cast_front(x: Values, y: Values) -> Points:
    """Return surface points of the face under front-view coordinates."""
    origin = np.stack([x, y, np.zeros_like(x)], 1)
    forward = np.broadcast_to(np.array([0.0, 0.0, 1.0]), origin.shape)
    return cast(origin, forward, 30.0, 150.0)


def gradient(p: Points, step: Number = 0.05) -> Points:
    """Return unit outward normals of the field."""
    g = np.stack(
        [face(p + step * axis) - face(p - step * axis) for axis in np.eye(3)],
        1,
    )
    return g / np.linalg.norm(g, axis=1, keepdims=True)


def settle(p: Points) -> Points:
    """Return the surface points near `p`: a few Newton steps along the normal."""
    for _ in range(3):
        p = p - face(p)[:, None] * gradient(p)
    return p


def occlusion(p: Points, normal: Points) -> Values:
    """Return how open the surface is to light, in [0, 1]: the field along the normal against the free
    distance.
    """
    blocked = np.zeros(len(p))
    for distance, weight in ((2.0, 0.5), (5.0, 0.3), (11.0, 0.2)):
        blocked += weight * np.clip(1.0 - face(p + distance * normal) / distance, 0.0, 1.0)
    return 1.0 - blocked
