"""The topology of the skin: rings round the mouth and the eyes, an even fill between, a bag behind the lips.

Axis names: `points`, `verts`, `faces`. Millimetres. Points are laid out in a plane (azimuthal equidistant
about the forward axis through `field.CENTRE`), triangulated there, and lifted onto the field; one half is
built and mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import Delaunay, cKDTree

from talkcli.engine.face.ada import curves, field

Plane = Float[np.ndarray, "_ 2"]
Points = Float[np.ndarray, "_ 3"]
Ids = Int[np.ndarray, "..."]

LIP_STEPS = 16  # columns from the midline to the corner
LID_STEPS = 15  # columns from the inner to the outer corner
RED = (0.0, 0.14, 0.32, 0.52, 0.72, 0.88, 1.0)  # rings across the red of the lips
# Where the fill is finer: about a point, within a width, down to a spacing (mm).
FINE = (
    ((0, -38, 82), 20.0, 1.9),
    ((11, -42, 82), 9.0, 1.5),
    ((30, -60, 70), 18.0, 3.3),
    ((31, 5, 80), 20.0, 3.0),
    ((0, -95, 60), 18.0, 3.8),
    ((0, -110, 20), 40.0, 3.6),
    ((0, -87, 62), 13.0, 2.6),
)
LIP_OUT = (1.1, 2.6, 4.8, 7.6)  # rings beyond it, mm
LID_OUT = (0.8, 1.8, 2.9, 3.9, 4.8, 6.0, 7.8, 10.0)
BACK_ANGLE = np.deg2rad(166.0)


@dataclass(frozen=True)
class Skin:
    """A mirrored skin. `mirror[v]` is the vertex across the midline.

    `lips` (bag rings first, then contact, red, beyond; by columns) and `lids` (inner rings first) hold the
    vertex indices of the left half; upper columns run 0..STEPS-1 (the corner), lower ones on from there.
    """

    vertices: Points
    faces: Ids
    mirror: Ids
    lips: Ids
    lids: Ids
    collar: Ids
    bag_rings: int
    lid_inner_rings: int


def to_plane(p: Points) -> Plane:
    """Layout coordinates (radians) of points seen from the centre."""
    d = p - field.CENTRE
    d = d / np.linalg.norm(d, axis=1, keepdims=True)
    side = np.hypot(d[:, 0], d[:, 1])
    return d[:, :2] * (np.arctan2(side, d[:, 2]) / np.maximum(side, 1e-12))[:, None]


def to_direction(q: Plane) -> Points:
    """Unit directions of layout coordinates."""
    angle = np.hypot(q[:, 0], q[:, 1])
    return np.concatenate(
        [q * (np.sin(angle) / np.maximum(angle, 1e-12))[:, None], np.cos(angle)[:, None]], 1
    )


def lip_columns() -> tuple[Float[np.ndarray, "columns"], Float[np.ndarray, "columns"]]:
    """`s` and side (+1 upper, 0 corner, -1 lower) of the columns of the left half."""
    s = np.sin(np.linspace(0.0, np.pi / 2, LIP_STEPS)) ** 1.08
    return np.concatenate([s, s[-2::-1]]), np.concatenate(
        [np.ones(LIP_STEPS - 1), [0.0], -np.ones(LIP_STEPS - 1)]
    )


def lip_rings() -> list[Points]:
    """Rings from the line of contact outwards."""
    s, side = lip_columns()
    part, border = (
        curves.parting_y(s),
        np.where(side >= 0, curves.upper_border_y(s), curves.lower_border_y(s)),
    )
    swell = np.where(side >= 0, 2.3, 3.1) * np.clip(1.0 - s**2.6, 0.0, None) ** 0.8
    swell = swell + np.where(side > 0, 0.9 * curves.bump(s, 0.0, 0.2), 0.0)
    out = np.stack([s, side * np.sqrt(np.clip(1 - s**2, 0, None))], 1)
    rings = []
    for f in (*RED, *(1.0 + d for d in LIP_OUT)):
        red, beyond = min(f, 1.0), max(f - 1.0, 0.0)
        x = curves.MOUTH_HALF_WIDTH * s + 1.6 * red * s**4 + out[:, 0] * beyond
        y = part + (border - part) * red + out[:, 1] * beyond
        p = field.cast_front(x, y)
        # The red swells between the parting line and the border, and dips into the parting.
        profile = np.sin(np.pi * red**0.62) ** 0.9 if 0 < red < 1 else 0.0
        rim = 0.2 * np.exp(-((beyond - 0.3) ** 2)) if f >= 1 else 0.0
        p[:, 2] += swell * profile + rim * np.clip(1 - s**4, 0, 1) - (1.0 - red) ** 2 * (2.2 + 1.0 * s)
        rings.append(p)
    return rings


def bag_rings(contact: Points) -> list[Points]:
    """Rings from just behind the contact line to the throat, innermost first."""
    s, side = lip_columns()
    rings = []
    #        back, up(upper), down(lower), wide
    for back, rise, wide in ((2.2, 0.05, 0.0), (4.6, 0.9, 0.6), (6.6, 4.5, 3.0), (7.2, 11.0, 7.0)):
        p = contact.copy()
        p[:, 2] -= back
        p[:, 1] += side * rise * np.sqrt(np.clip(1 - s**4, 0, 1))
        p[:, 0] += wide * s**2
        rings.append(p)
    angle = np.where(side >= 0, 1.0, -1.0) * np.arccos(np.clip(s, 0, 1))
    for z, wide, high in ((74.0, 36.0, 20.0), (52.0, 33.0, 22.0), (30.0, 20.0, 16.0), (24.0, 6.0, 5.0)):
        bend = 1.0 - 0.0 * s
        rings.append(
            np.stack(
                [wide * np.cos(angle), -72.0 + high * np.sin(angle), (z - 16.0 * s**2 * (z > 60)) * bend], 1
            )
        )
    return rings[::-1]


def lid_columns() -> tuple[Float[np.ndarray, "columns"], Float[np.ndarray, "columns"]]:
    """`t` and side of the columns round one eye; the corners belong to the upper run."""
    t = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, LID_STEPS))
    return np.concatenate([t, t[-2:0:-1]]), np.concatenate([np.ones(LID_STEPS), -np.ones(LID_STEPS - 2)])


def lid_margin(t: Float[np.ndarray, "columns"], y: Float[np.ndarray, "columns"]) -> Points:
    """The lid's edge on the field at heights `y`."""
    return field.cast_front(curves.EYE_INNER_X + (curves.EYE_OUTER_X - curves.EYE_INNER_X) * t, y)


def lid_inner(margin: Points) -> list[Points]:
    """From the lid's edge back onto the eyeball and into it, innermost first."""
    d = margin - field.EYE
    d = d / np.linalg.norm(d, axis=1, keepdims=True)
    return [field.EYE + d * (field.EYE_RADIUS - 1.5), field.EYE + d * (field.EYE_RADIUS + 0.45)]


def lid_rings() -> list[Points]:
    """Rings from the lid's edge outwards."""
    t, side = lid_columns()
    y = np.where(side > 0, curves.upper_lid_y(t), curves.lower_lid_y(t))
    x = curves.EYE_INNER_X + (curves.EYE_OUTER_X - curves.EYE_INNER_X) * t
    c = 2.0 * t - 1.0
    out = np.stack([c, side * np.sqrt(np.clip(1 - c**2, 0, None))], 1)
    return [field.cast_front(x + 0.75 * d * out[:, 0], y + d * out[:, 1]) for d in (0.0, *LID_OUT)]


def spacing(q: Plane) -> Float[np.ndarray, "points"]:
    """Wanted distance between neighbours, in radians: fine about the nose, coarse under the hair."""
    d = to_direction(q)
    p = field.CENTRE + 95.0 * d
    h = 4.6 + 0.05 * np.linalg.norm(p - np.array([0.0, -45.0, 85.0]), axis=1)
    for centre, width, finest in FINE:
        near = np.exp(-(((p - np.array(centre)) / width) ** 2).sum(1))
        h = h + (finest - h) * near
    # Under the hair, and on the nape.
    h = h + 9.0 * curves.smoothstep(p[:, 1] - 0.5 * p[:, 2], 25.0, 70.0)
    return h / 95.0


def inside(q: Plane, polygon: Plane) -> np.ndarray:
    """Even-odd test of points against a closed polygon."""
    hit = np.zeros(len(q), bool)
    for a, b in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        crosses = (a[1] > q[:, 1]) != (b[1] > q[:, 1])
        hit ^= crosses & (q[:, 0] < (b[0] - a[0]) * (q[:, 1] - a[1]) / (b[1] - a[1] + 1e-30) + a[0])
    return hit


def walk(start: float, end: float) -> Plane:
    """Midline points strictly between two heights of the plane, spaced as `spacing` wants."""
    heights = [start]
    sign = np.sign(end - start)
    while (end - heights[-1]) * sign > 0:
        heights.append(heights[-1] + sign * float(spacing(np.array([[0.0, heights[-1]]]))[0]))
    y = np.array(heights)
    y = start + (y - start) * (end - start) / (y[-1] - start)
    return np.stack([np.zeros(len(y) - 2), y[1:-1]], 1)


def fill(fixed: Plane, holes: list[Plane], seed: int = 7) -> Plane:
    """Evenly spaced points between `fixed` ones: Lloyd's relaxation on random samples."""
    random = np.random.default_rng(seed)
    samples = random.uniform([0.0, -BACK_ANGLE], [BACK_ANGLE, BACK_ANGLE], (240_000, 2))
    samples = samples[np.hypot(samples[:, 0], samples[:, 1]) < BACK_ANGLE]
    for hole in holes:
        samples = samples[~inside(samples, hole)]
    h = spacing(samples)
    area = BACK_ANGLE**2 * np.pi / 2 / len(samples)
    free = samples[random.uniform(size=len(samples)) < area / (0.87 * h**2)]
    far = cKDTree(fixed).query(free)[0] > 0.6 * spacing(free)
    free = free[far]
    weight = h**-4
    for _ in range(40):
        owner = cKDTree(np.concatenate([free, fixed])).query(samples)[1]
        mass = np.bincount(owner, weight, len(free) + len(fixed))[: len(free)]
        moved = np.stack(
            [np.bincount(owner, weight * samples[:, i], len(free) + len(fixed))[: len(free)] for i in (0, 1)],
            1,
        )
        free = np.where(mass[:, None] > 0, moved / np.maximum(mass, 1e-30)[:, None], free)
    return free


def quads(rings: Ids, closed: bool) -> Ids:
    """Two triangles per cell of a grid (rings, columns)."""
    if closed:
        rings = np.concatenate([rings, rings[:, :1]], 1)
    a, b, c, d = rings[:-1, :-1], rings[:-1, 1:], rings[1:, 1:], rings[1:, :-1]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


def triangulate(plane: Plane, holes: list[Plane]) -> Ids:
    """Delaunay triangles of the layout, counter-clockwise, without those in the holes."""
    triangles = Delaunay(plane).simplices.astype(np.int64)
    a, b, c = (plane[triangles[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    triangles[area < 0] = triangles[area < 0][:, ::-1]
    keep = np.abs(area) > 1e-9
    for hole in holes:
        keep &= ~inside((a + b + c) / 3, hole)
    return triangles[keep]


def relax(p: Points, faces: Ids, num_fixed: int, rounds: int = 8) -> Points:
    """Even out what the rays left stretched: slide vertices to their neighbours' mean, on the field.

    The first `num_fixed` stay, and those of the midline stay on it.
    """
    i, j = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    degree = np.bincount(i, minlength=len(p))[:, None]
    middle = np.abs(p[:, 0]) < 1e-6
    for _ in range(rounds):
        total = np.stack([np.bincount(i, p[j, axis], len(p)) for axis in range(3)], 1)
        q = p[num_fixed:] + 0.5 * (total / degree - p)[num_fixed:]
        for _ in range(3):
            q = q - field.face(q)[:, None] * field.gradient(q)
        p = np.concatenate([p[:num_fixed], np.where(middle[num_fixed:, None], p[num_fixed:], q)])
    return p


def outline() -> Points:
    """The collar's half ring, front to back."""
    turn = np.linspace(0.0, np.pi, 22)
    axis = np.broadcast_to(np.array([0.0, field.COLLAR_Y, -26.0]), (22, 3))
    return field.cast(axis, np.stack([np.sin(turn), 0 * turn, np.cos(turn)], 1), 5.0, 160.0)


def build() -> Skin:
    """Lay out, triangulate, lift, mirror."""
    lips, lids, collar = lip_rings(), lid_rings(), outline()
    bag, inner = bag_rings(lips[0]), lid_inner(lids[0])
    lip_grid, lid_grid = np.stack([*bag, *lips]), np.stack([*inner, *lids])
    lip_ids = np.arange(lip_grid[..., 0].size).reshape(lip_grid.shape[:2])
    lid_ids = lip_ids.size + np.arange(lid_grid[..., 0].size).reshape(lid_grid.shape[:2])

    turn = np.linspace(0.0, np.pi, 8)
    back_q = BACK_ANGLE * np.stack([np.sin(turn), np.cos(turn)], 1)
    lips_q, lids_q, collar_q = to_plane(lips[-1]), to_plane(lids[-1]), to_plane(collar)
    top, bottom = lips_q[0, 1], lips_q[-1, 1]
    middle = np.concatenate(
        [walk(top, BACK_ANGLE), walk(bottom, collar_q[0, 1]), walk(collar_q[-1, 1], -BACK_ANGLE)]
    )
    fixed = np.concatenate([lips_q, lids_q, collar_q, back_q, middle])
    holes = [lips_q, lids_q, collar_q]
    plane = np.concatenate([fixed, fill(fixed, holes)])
    triangles = triangulate(plane, holes)

    # The outer rings are vertices of the plane too: send their triangles to the grids.
    rings = len(lips_q) + len(lids_q)
    first_new = lip_ids.size + lid_ids.size
    place = np.concatenate([lip_ids[-1], lid_ids[-1], first_new + np.arange(len(plane) - rings)])
    lifted = field.cast_radial(to_direction(plane[rings:]))
    lifted[: len(collar)] = collar
    lifted = relax(
        np.concatenate([lips[-1], lids[-1], lifted]), triangles, rings + len(collar) + len(back_q)
    )[rings:]
    collar_ids = first_new + np.arange(len(collar))
    back_ids = collar_ids[-1] + 1 + np.arange(len(back_q))
    pole = first_new + len(lifted)
    half = np.concatenate(
        [
            lip_grid.reshape(-1, 3),
            lid_grid.reshape(-1, 3),
            lifted,
            field.cast_radial(np.array([[0.0, 0.0, -1.0]])),
        ]
    )
    throat = np.stack([lip_ids[0, :LIP_STEPS], lip_ids[0, ::-1][:LIP_STEPS]])
    faces = np.concatenate(
        [
            place[triangles],
            quads(lip_ids, closed=False),
            quads(throat, closed=False)[:, ::-1],
            quads(lid_ids, closed=True),
            np.stack([np.full(len(back_ids) - 1, pole), back_ids[:-1], back_ids[1:]], 1),
        ]
    )
    return mirrored(half, faces, lip_ids, lid_ids, collar_ids, len(bag), len(inner))


def mirrored(half: Points, faces: Ids, lips: Ids, lids: Ids, collar: Ids, bag: int, inner: int) -> Skin:
    """Both halves; vertices of the midline are shared."""
    on_midline = np.abs(half[:, 0]) < 1e-6
    half = half.copy()
    half[on_midline, 0] = 0.0
    twin = np.arange(len(half))
    twin[~on_midline] = len(half) + np.arange((~on_midline).sum())
    other = half[~on_midline] * np.array([-1.0, 1.0, 1.0])
    mirror = np.concatenate([twin, np.flatnonzero(~on_midline)])
    both = np.concatenate([faces, twin[faces][:, ::-1]])
    flat = (both[:, 0] == both[:, 1]) | (both[:, 1] == both[:, 2]) | (both[:, 0] == both[:, 2])
    return Skin(
        vertices=np.concatenate([half, other]),
        faces=both[~flat],
        mirror=mirror,
        lips=lips,
        lids=lids,
        collar=collar,
        bag_rings=bag,
        lid_inner_rings=inner,
    )
