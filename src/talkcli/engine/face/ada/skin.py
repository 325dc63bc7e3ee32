"""The topology of the skin: rings round the mouth and the eyes, an even fill between, a bag behind the lips.

Axis names: `points`, `verts`, `faces`. Millimetres. Points are laid out in a plane (azimuthal equidistant
about the forward axis through `field.CENTRE`), triangulated there, and lifted onto the field; one half is
built and mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import Delaunay, cKDTree

from talkcli.engine.face.ada import curves, field
from talkcli.engine.face.ada.rings import LIP_STEPS, bag_rings, lid_inner, lid_rings, lip_rings, nostril_rings

Plane = Float[np.ndarray, "_ 2"]
Points = Float[np.ndarray, "_ 3"]
Ids = Int[np.ndarray, "..."]

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
BACK_ANGLE = np.deg2rad(166.0)


@dataclass(frozen=True)
class Skin:
    """A mirrored skin. `mirror[v]` is the vertex across the midline.

    `lips` (bag rings first, then contact, red, beyond; by columns), `lids` and `nostrils` (inner rings first)
    hold the vertex indices of the left half; upper columns run 0..STEPS-1 (the corner), lower ones on from
    there.
    """

    vertices: Points
    faces: Ids
    mirror: Ids
    lips: Ids
    lids: Ids
    nostrils: Ids
    bag_rings: int
    lid_inner_rings: int


def to_plane(p: Points) -> Plane:
    """Return layout coordinates (radians) of points seen from the centre."""
    d = p - field.CENTRE
    d = d / np.linalg.norm(d, axis=1, keepdims=True)
    side = np.hypot(d[:, 0], d[:, 1])
    return d[:, :2] * (np.arctan2(side, d[:, 2]) / np.maximum(side, 1e-12))[:, None]


def to_direction(q: Plane) -> Points:
    """Return unit directions of layout coordinates."""
    angle = np.hypot(q[:, 0], q[:, 1])
    return np.concatenate(
        [q * (np.sin(angle) / np.maximum(angle, 1e-12))[:, None], np.cos(angle)[:, None]], 1
    )


def spacing(q: Plane) -> Float[np.ndarray, "points"]:
    """Return wanted distance between neighbours, in radians: fine about the nose, coarse under the hair."""
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
    """Return even-odd test of points against a closed polygon."""
    hit = np.zeros(len(q), bool)
    for a, b in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        crosses = (a[1] > q[:, 1]) != (b[1] > q[:, 1])
        hit ^= crosses & (q[:, 0] < (b[0] - a[0]) * (q[:, 1] - a[1]) / (b[1] - a[1] + 1e-30) + a[0])
    return hit


def walk(start: float, end: float) -> Plane:
    """Return midline points strictly between two heights of the plane, spaced as `spacing` wants."""
    heights = [start]
    sign = np.sign(end - start)
    while (end - heights[-1]) * sign > 0:
        heights.append(heights[-1] + sign * float(spacing(np.array([[0.0, heights[-1]]]))[0]))
    y = np.array(heights)
    y = start + (y - start) * (end - start) / (y[-1] - start)
    return np.stack([np.zeros(len(y) - 2), y[1:-1]], 1)


def fill(fixed: Plane, holes: list[Plane], seed: int = 7) -> Plane:
    """Place evenly spaced points between `fixed` ones by Lloyd's relaxation on random samples."""
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
    """Return two triangles per cell of a grid (rings, columns)."""
    if closed:
        rings = np.concatenate([rings, rings[:, :1]], 1)
    a, b, c, d = rings[:-1, :-1], rings[:-1, 1:], rings[1:, 1:], rings[1:, :-1]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


def triangulate(plane: Plane, holes: list[Plane]) -> Ids:
    """Return Delaunay triangles of the layout, counter-clockwise, without those in the holes."""
    triangles = Delaunay(plane).simplices.astype(np.int64)
    a, b, c = (plane[triangles[:, i]] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    triangles[area < 0] = triangles[area < 0][:, ::-1]
    keep = np.abs(area) > 1e-9
    for hole in holes:
        keep &= ~inside((a + b + c) / 3, hole)
    return triangles[keep]


def outer_edges(plane: Plane, triangles: Ids) -> Ids:
    """Return the edges (from, to) with which the layout ends at the back of the head.

    The fill goes out to a circle, and `BACK_ANGLE` is the circle of few points: some of the fill lies outside
    the polygon through them, so what ends the layout is its hull.
    """
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    code, twin = edges @ np.array([len(plane), 1]), edges @ np.array([1, len(plane)])
    far = (np.hypot(plane[:, 0], plane[:, 1]) > 0.9 * BACK_ANGLE)[edges].all(1)
    return edges[~np.isin(code, twin) & far & (plane[edges, 0] > 1e-9).any(1)]


def relax(p: Points, faces: Ids, num_fixed: int, rounds: int = 8) -> Points:
    """Return even out what the rays left stretched: slide vertices to their neighbours' mean, on the field.

    The first `num_fixed` stay, and those of the midline stay on it.
    """
    i, j = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    degree = np.bincount(i, minlength=len(p))[:, None]
    middle = np.abs(p[:, 0]) < 1e-6
    for _ in range(rounds):
        total = np.stack([np.bincount(i, p[j, axis], len(p)) for axis in range(3)], 1)
        q = p[num_fixed:] + 0.5 * (total / degree - p)[num_fixed:]
        q = field.settle(q)
        p = np.concatenate([p[:num_fixed], np.where(middle[num_fixed:, None], p[num_fixed:], q)])
    return p


def outline() -> Points:
    """Return the collar's half ring, front to back."""
    turn = np.linspace(0.0, np.pi, 22)
    axis = np.broadcast_to(np.array([0.0, field.COLLAR_Y, -26.0]), (22, 3))
    return field.cast(axis, np.stack([np.sin(turn), 0 * turn, np.cos(turn)], 1), 5.0, 160.0)


@cache
def build() -> Skin:
    """Lay out, triangulate, lift, mirror."""
    lips, lids, collar = lip_rings(), lid_rings(), outline()
    bag, inner = bag_rings(lips[0]), lid_inner(lids[0])
    grids = [np.stack([*bag, *lips]), np.stack([*inner, *lids]), np.stack(nostril_rings())]
    ids, first_new = [], 0
    for grid in grids:
        ids.append(first_new + np.arange(grid[..., 0].size).reshape(grid.shape[:2]))
        first_new += ids[-1].size
    lip_ids, lid_ids, nostril_ids = ids

    turn = np.linspace(0.0, np.pi, 8)
    back_q = BACK_ANGLE * np.stack([np.sin(turn), np.cos(turn)], 1)
    holes = [*(to_plane(grid[-1]) for grid in grids), to_plane(collar)]
    top, bottom, front, back = holes[0][0, 1], holes[0][-1, 1], holes[-1][0, 1], holes[-1][-1, 1]
    middle = np.concatenate([walk(top, BACK_ANGLE), walk(bottom, front), walk(back, -BACK_ANGLE)])
    fixed = np.concatenate([*holes, back_q, middle])
    plane = np.concatenate([fixed, fill(fixed, holes)])
    triangles = triangulate(plane, holes)

    # The outer rings are vertices of the plane too: send their triangles to the grids.
    outer = np.concatenate([grid[-1] for grid in grids])
    place = np.concatenate(
        [*(grid_ids[-1] for grid_ids in ids), first_new + np.arange(len(plane) - len(outer))]
    )
    lifted = field.cast_radial(to_direction(plane[len(outer) :]))
    lifted[: len(collar)] = collar
    lifted = relax(np.concatenate([outer, lifted]), triangles, len(outer) + len(collar) + len(back_q))[
        len(outer) :
    ]
    rim = outer_edges(plane, triangles)
    pole = first_new + len(lifted)
    behind = field.cast_radial(np.array([[0.0, 0.0, -1.0]]))
    half = np.concatenate([*(grid.reshape(-1, 3) for grid in grids), lifted, behind])
    throat = np.stack([lip_ids[0, :LIP_STEPS], lip_ids[0, ::-1][:LIP_STEPS]])
    deep = nostril_ids[0]
    faces = np.concatenate(
        [
            place[triangles],
            quads(lip_ids, closed=False),
            quads(throat, closed=False)[:, ::-1],
            quads(lid_ids, closed=True),
            quads(nostril_ids, closed=True),
            np.stack([np.full(len(deep) - 2, deep[0]), deep[2:], deep[1:-1]], 1),
            np.concatenate([np.full((len(rim), 1), pole), place[rim[:, ::-1]]], 1),
        ]
    )
    vertices, both, mirror = mirrored(half, faces)
    return Skin(
        vertices=vertices,
        faces=both,
        mirror=mirror,
        lips=lip_ids,
        lids=lid_ids,
        nostrils=nostril_ids,
        bag_rings=len(bag),
        lid_inner_rings=len(inner),
    )


def mirrored(half: Points, faces: Ids) -> tuple[Points, Ids, Ids]:
    """Return both halves, sharing the vertices of the midline; last, which vertex is whose mirror image."""
    on_midline = np.abs(half[:, 0]) < 1e-6
    half = half.copy()
    half[on_midline, 0] = 0.0
    twin = np.arange(len(half))
    twin[~on_midline] = len(half) + np.arange((~on_midline).sum())
    other = half[~on_midline] * np.array([-1.0, 1.0, 1.0])
    mirror = np.concatenate([twin, np.flatnonzero(~on_midline)])
    both = np.concatenate([faces, twin[faces][:, ::-1]])
    flat = (both[:, 0] == both[:, 1]) | (both[:, 1] == both[:, 2]) | (both[:, 0] == both[:, 2])
    return np.concatenate([half, other]), both[~flat], mirror
