"""Shapes of ada on the skin of another mesh: warp, registration, correspondence, transfer.

Axis names: `verts` of the target's skin, `shapes` = 52. All in the frame of ada, metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.rigging.donor import Contacts, Donor
from talkcli.engine.rigging.mouth_sides import LOWER, NEITHER, UPPER, mouth_sides, side_of_faces
from talkcli.engine.rigging.register import Side, register, warp
from talkcli.engine.rigging.rings import key_places
from talkcli.engine.rigging.surface_mesh import Places, SurfaceMesh
from talkcli.engine.rigging.transfer import Touch, transfer
from talkcli.engine.types import Reporter

# Points between two neighbouring pairs of the lips, at which they are also held together.
_BETWEEN = 3
# Distance in metres from the registered skin at which its displacements no longer count in full.
_FAR_M = 0.01


@dataclass(frozen=True, kw_only=True)
class Carried:
    """Shapes on the target's skin."""

    deltas: Float[np.ndarray, "shapes verts 3"]
    touching: list[Touch]
    """Points of lips and lids that were held together."""
    warped: Float[np.ndarray, "everything 3"]
    """All vertices of ada's head at rest, where the landmarks take them."""
    error_mm: float
    """Median distance of ada's registered face from the target."""


def carry(donor: Donor, skin: SurfaceMesh, marks: Int[np.ndarray, "68"], reporter: Reporter) -> Carried:
    """Return ada's shapes on `skin`, whose landmarks are the vertices `marks`."""
    known = np.arange(17, 68)
    warped = warp(
        donor.head.template.astype(np.float64),
        donor.mesh.vertices[donor.marks[known]],
        skin.vertices[marks[known]],
    )
    template = Side(mesh=donor.mesh.moved(warped[donor.rows]), sides=mouth_sides(donor.mesh, donor.marks))
    target = Side(mesh=skin, sides=mouth_sides(skin, marks))
    keys, places = key_places(template.mesh, donor.marks, skin, marks)
    on_target = register(template, target, keys=keys, places=places, trusted=~donor.hidden, reporter=reporter)
    bent = Side(mesh=donor.mesh.moved(on_target), sides=template.sides)
    points = _on(bent, skin.vertices, skin.normals, target.sides)
    middles = _on(
        bent,
        skin.vertices[skin.faces].mean(axis=1),
        skin.face_normals,
        side_of_faces(skin, target.sides),
    )
    touching = [_touch(donor, contacts, bent, target) for contacts in donor.contacts()]
    deltas = transfer(
        skin,
        donor.mesh,
        donor.deltas.astype(np.float64),
        places=points,
        middles=middles,
        # Skin that ada lacks hangs on its neighbours.
        trust=1.0 / (1.0 + (points.distances / _FAR_M) ** 2),
        touching=touching,
        reporter=reporter,
    )
    face = ~donor.hidden & (donor.mesh.vertices[:, 2] > np.median(donor.mesh.vertices[:, 2]))
    error = target.closest(NEITHER)(on_target[face]).distances
    return Carried(deltas=deltas, touching=touching, warped=warped, error_mm=float(np.median(error) * 1000))


def _on(
    bent: Side,
    points: Float[np.ndarray, "points 3"],
    normals: Float[np.ndarray, "points 3"],
    sides: Int[np.ndarray, "points"],
) -> Places:
    """Return where on the registered skin `points` lie, each on its side of the mouth."""
    parts = dict[str, np.ndarray]()
    order = []
    for side in (NEITHER, UPPER, LOWER):
        chosen = np.flatnonzero(sides == side)
        if not len(chosen):
            continue
        order.append(chosen)
        part, kept = bent.mesh, _faces_of(bent, side)
        found = bent.closest(side)(points[chosen], normals[chosen])
        for name, values in (
            ("faces", kept[found.faces]),
            ("corners", part.faces[kept[found.faces]]),
            ("weights", found.weights),
            ("distances", found.distances),
        ):
            parts[name] = values if name not in parts else np.concatenate([parts[name], values])
    back = np.argsort(np.concatenate(order), kind="stable")
    return Places(**{name: values[back] for name, values in parts.items()})


def _faces_of(side_of: Side, side: int) -> Int[np.ndarray, "chosen"]:
    """Return the numbers of the triangles among which `Side.closest` searches."""
    other = {UPPER: LOWER, LOWER: UPPER}.get(side)
    found: np.ndarray = np.flatnonzero(side_of_faces(side_of.mesh, side_of.sides) != other)
    return found


def _touch(donor: Donor, contacts: Contacts, bent: Side, target: Side) -> Touch:
    """Return the points of the target on which pairs of ada lie, and how far apart each shape leaves them."""
    first, second = contacts.pairs.T
    rest = donor.mesh.vertices[first] - donor.mesh.vertices[second]
    grows = donor.deltas[:, first] - donor.deltas[:, second]
    ends = [bent.mesh.vertices[ids] for ids in (first, second)]
    sides = (NEITHER, NEITHER)
    if not contacts.by_share:
        ends = [_denser(points) for points in ends]
        grows = np.stack([_denser(shape) for shape in grows])
        sides = (UPPER, LOWER)
    at = [target.closest(side)(points) for side, points in zip(sides, ends, strict=True)]
    if contacts.by_share:
        # Of the gap that the target's lids have, as much goes as of ada's.
        size = (rest**2).sum(axis=1).clip(min=1e-12)
        share = np.einsum("spx,px->sp", grows, rest) / size
        open_ = at[0].of(target.mesh.vertices) - at[1].of(target.mesh.vertices)
        grows = share.clip(min=-1.0)[..., None] * open_
    return Touch(first=at[0], second=at[1], apart=grows)


def _denser(points: Float[np.ndarray, "pairs 3"]) -> Float[np.ndarray, "more 3"]:
    """Return the points of a line with `_BETWEEN` - 1 more between neighbours."""
    at = np.arange(0, len(points) - 1 + 1e-9, 1 / _BETWEEN)
    known = np.arange(len(points))
    return np.stack([np.interp(at, known, points[:, axis]) for axis in range(3)], axis=1)
