"""Measures of a rig: closed lips, closed lids, triangles that cross, and how alike the sides are.

Axis names: `verts` and `faces` of the skin, `shapes` = 52. Millimetres of the rig.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from talkcli.engine.face.channels import ARKIT
from talkcli.engine.rigging.build import Rigged
from talkcli.engine.rigging.donor import ACTS_ON
from talkcli.engine.rigging.surface_mesh import SurfaceMesh

# Triangles around lips and lids, in widths of the mouth, are tested for crossing.
_AROUND = 0.25
_NEIGHBOURS = 12
# Meshes whose sides differ by more, in millimetres, have no mirror to compare with.
_ALIKE_MM = 1.0
_SIDES = ("Left", "Right")


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was measured."""

    lips_mm: float
    """Largest distance of facing points of the lips beyond rest, with `jawOpen` and `mouthClose` at 1."""
    lids_mm: float
    """Largest distance of facing points of the lids, with both `eyeBlink` at 1."""
    lids_at_rest_mm: float
    crossings_at_rest: int
    """Pairs of an edge and a triangle around mouth and eyes that cross at rest."""
    crossings: dict[str, int]
    """How many more there are with a shape at 1, for shapes that have more."""
    asymmetry_mm: float | None
    """Mean difference of left and right shapes where they move; None for a face that is not symmetric."""
    asymmetry_at_rest_mm: float
    moved_mm: dict[str, float]
    """Largest displacement of the skin by each shape."""

    def document(self) -> dict[str, Any]:
        """Return the values, ready for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the values as sentences."""
        worst = sorted(self.crossings.items(), key=lambda item: -item[1])[:3]
        told = ", ".join(f"{name} {count}" for name, count in worst) or "none"
        sides = "a face that is not symmetric" if self.asymmetry_mm is None else f"{self.asymmetry_mm:.2f} mm"
        return [
            f"lips with jawOpen and mouthClose: {self.lips_mm:.2f} mm apart beyond rest",
            f"lids in a blink: {self.lids_mm:.2f} mm apart (open: {self.lids_at_rest_mm:.2f} mm)",
            f"new crossings of edges and triangles around mouth and eyes: {told}",
            f"difference of left and right shapes: {sides}",
        ]


def inspect(rigged: Rigged) -> Inspection:
    """Return the measures of `rigged`."""
    mesh = rigged.skin_mesh
    deltas = dict(zip(ARKIT, rigged.rig.deltas[:, rigged.skin].astype(np.float64), strict=True))
    lips, lids = rigged.carried.touching
    grows = deltas["jawOpen"] + deltas["mouthClose"]
    blinks = mesh.vertices + sum(deltas[f"eyeBlink{side}"] for side in _SIDES)
    region = _region(rigged)
    at_rest = _crossings(mesh, region)
    more = {}
    for name, moved in deltas.items():
        # Without the shape that it acts on, `mouthClose` presses closed lips through each other.
        posed = mesh.vertices + moved + deltas.get(ACTS_ON.get(name, ""), 0.0)
        more[name] = _crossings(mesh.moved(posed), region) - at_rest
    own, other = _asymmetry(mesh, deltas)
    return Inspection(
        lips_mm=_most_mm(lips.first.of(grows) - lips.second.of(grows)),
        lids_mm=_most_mm(lids.first.of(blinks) - lids.second.of(blinks)),
        lids_at_rest_mm=_most_mm(lids.first.of(mesh.vertices) - lids.second.of(mesh.vertices)),
        crossings_at_rest=at_rest,
        crossings={name: count for name, count in more.items() if count > 0},
        asymmetry_mm=other if own < _ALIKE_MM else None,
        asymmetry_at_rest_mm=own,
        moved_mm={name: _most_mm(moved) for name, moved in deltas.items()},
    )


def _most_mm(ways: Float[np.ndarray, "many 3"]) -> float:
    return float(np.linalg.norm(ways, axis=1).max(initial=0.0) * 1000)


def _region(rigged: Rigged) -> Int[np.ndarray, "chosen"]:
    """Return the triangles around mouth and eyes."""
    rig, mesh = rigged.rig, rigged.skin_mesh
    assert rig.landmark_vertices is not None
    marks = rig.template[rig.landmark_vertices].astype(np.float64)
    width = float(np.linalg.norm(marks[54] - marks[48]))
    middles = mesh.vertices[mesh.faces].mean(axis=1)
    found: np.ndarray = np.flatnonzero(cKDTree(marks[36:]).query(middles)[0] < _AROUND * width)
    return found


def _crossings(mesh: SurfaceMesh, region: Int[np.ndarray, "chosen"]) -> int:
    """Return the number of pairs of an edge and a triangle of `region` that cross and share no corner.

    Source: Moeller and Trumbore (1997).
    """
    if len(region) == 0:
        return 0
    faces = mesh.faces[region]
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    starts, ends = mesh.vertices[edges[:, 0]], mesh.vertices[edges[:, 1]]
    tree = cKDTree(mesh.vertices[faces].mean(axis=1))
    near = tree.query((starts + ends) / 2, k=min(_NEIGHBOURS, len(faces)))[1].reshape(len(edges), -1)
    corners = mesh.vertices[faces[near]]
    way = (ends - starts)[:, None]
    one, other = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    across = np.cross(way, other)
    size = (one * across).sum(-1)
    size = np.where(np.abs(size) < 1e-15, np.inf, size)
    start = starts[:, None] - corners[..., 0, :]
    u = (start * across).sum(-1) / size
    turned = np.cross(start, one)
    v, along = (way * turned).sum(-1) / size, (other * turned).sum(-1) / size
    shares = (faces[near][..., None] == edges[:, None, None, :]).any(axis=(2, 3))
    hit = (u > 0) & (v > 0) & (u + v < 1) & (along > 0) & (along < 1) & ~shares
    return int(hit.sum())


def _asymmetry(mesh: SurfaceMesh, deltas: dict[str, Float[np.ndarray, "verts 3"]]) -> tuple[float, float]:
    """Return how far the face at rest is from its mirror image, and right shapes from those of left ones, in
    millimetres.
    """
    mirrored = mesh.vertices * [-1.0, 1.0, 1.0]
    mirrored[:, 0] += 2 * float(np.median(mesh.vertices[:, 0]))
    distances, other = map(np.asarray, cKDTree(mesh.vertices).query(mirrored))
    found = []
    for name, left in deltas.items():
        right = deltas.get(name.removesuffix(_SIDES[0]) + _SIDES[1])
        if not name.endswith(_SIDES[0]) or right is None:
            continue
        moved = np.linalg.norm(left, axis=1) > 5e-4
        if moved.any():
            apart = left * [-1.0, 1.0, 1.0] - right[other]
            found.append(float(np.linalg.norm(apart[moved], axis=1).mean()))
    return float(distances.mean() * 1000), float(np.mean(found) * 1000) if found else 0.0
