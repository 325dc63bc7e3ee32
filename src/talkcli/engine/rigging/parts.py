"""What is not skin: eyes, teeth, gums and tongue of a mesh, recognised by place and shape, or added from ada.

Axis names: `verts`, `shapes` = 52. All in the frame of ada, metres.
Eyes turn about the centres of their spheres and single teeth go with their jaw as ada's do; gums and tongues
follow the nearest point of ada's mouth. Everything else (lashes, brows, tears) follows the nearest skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from talkcli.engine.face.overlay import overlay
from talkcli.engine.rigging.donor import Donor
from talkcli.engine.rigging.surface_mesh import SurfaceMesh

EYE, MOUTH, TEETH, OTHER = "eye", "gums", "teeth", "other"
# Radii of eyeballs in metres, the greatest share of the radius that their points are off, the least extent in
# radii, and how far the centre may be from the middle of the lids.
_RADII_M, _OFF, _LEAST, _FROM_LIDS_M = (0.008, 0.02), 0.15, 0.8, 0.02
# Largest extent of a single tooth in metres, its root included.
_TOOTH_M = 0.026
# How deep behind the lips a part of the mouth lies at most, in metres, and how far before them it may reach.
_DEEP_M, _BEFORE_M = 0.09, 0.004
# Distance in metres for which a turn of a radian counts.
_FACING_M = 0.012
_FEWEST = 8
# Teeth that are enough to tell two rows.
_ROW = 8
_SMOOTHINGS = 12
_RIGHT_EYE, _LEFT_EYE = range(36, 42), range(42, 48)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component of the mesh that is no skin."""

    kind: str
    verts: Int[np.ndarray, "chosen"]


def recognise(mesh: SurfaceMesh, skin: Int[np.ndarray, "others"], marks: Int[np.ndarray, "68"]) -> list[Part]:
    """Return the components beside that of the `skin`."""
    points = mesh.vertices[marks]
    labels = mesh.components.copy()
    labels[skin] = -1
    order = np.argsort(labels, kind="stable")
    parts = []
    for verts in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if labels[verts[0]] < 0:
            continue
        kind = OTHER
        if len(verts) >= _FEWEST:
            kind = _kind(mesh.vertices[verts], points)
        parts.append(Part(kind=kind, verts=verts))
    return parts


def _kind(own: Float[np.ndarray, "part 3"], marks: Float[np.ndarray, "68 3"]) -> str:
    extent = np.ptp(own, axis=0)
    centre, radius, off = _sphere(own)
    lids = [marks[list(eye)].mean(axis=0) for eye in (_RIGHT_EYE, _LEFT_EYE)]
    near = min(float(np.linalg.norm(centre - lid)) for lid in lids)
    in_size = _RADII_M[0] < radius < _RADII_M[1] and extent.min() > _LEAST * radius
    if in_size and off < _OFF * radius and near < _FROM_LIDS_M:
        return EYE
    middle, lips = own.mean(axis=0), marks[60:68]
    half_width = float(np.ptp(marks[48:60, 0])) / 2
    inside = (
        abs(middle[0] - lips[:, 0].mean()) < 1.3 * half_width
        and marks[8, 1] < middle[1] < marks[33, 1]
        and lips[:, 2].max() - _DEEP_M < middle[2] < lips[:, 2].max()
        and own[:, 2].max() < lips[:, 2].max() + _BEFORE_M
    )
    if not inside:
        return OTHER
    return TEETH if extent.max() < _TOOTH_M else MOUTH


def moved_parts(
    mesh: SurfaceMesh,
    parts: list[Part],
    donor: Donor,
    warped: Float[np.ndarray, "everything 3"],
    skin: Int[np.ndarray, "others"],
    deltas: Float[np.ndarray, "shapes verts 3"],
) -> None:
    """Write what the shapes move of `parts` into `deltas`, which has that of the skin."""
    head = donor.head
    inside = _ids(donor, "teeth", "gums", "tongue")
    lower = np.intersect1d(_ids(donor, "teeth"), np.flatnonzero(head.tables["jaw"] > 0.5))
    # Tongue and palate lie near each other, and face each other.
    normals = SurfaceMesh(warped, head.faces).normals[inside]
    tree = cKDTree(np.concatenate([warped[inside], _FACING_M * normals], axis=1))
    places = np.concatenate([mesh.vertices, _FACING_M * mesh.normals], axis=1)
    near_skin = cKDTree(mesh.vertices[skin])
    lower_row = _lower_row(places, parts, head.tables["jaw"][inside], tree)
    for number, part in enumerate(parts):
        own = mesh.vertices[part.verts]
        if part.kind == EYE:
            side = 2 if own[:, 0].mean() < head.template[donor.rows, 0].mean() else 1
            ball = np.flatnonzero(head.tables["eye_of_vertex"] == side)
            deltas[:, part.verts] = _turned(
                own, _sphere(own)[0], head.template[ball], donor.all_deltas[:, ball]
            )
        elif part.kind == OTHER:
            deltas[:, part.verts] = deltas[:, skin[near_skin.query(own)[1]]]
        else:
            found = inside[tree.query(places[part.verts])[1]]
            if part.kind == TEETH:
                goes = number in lower_row
                deltas[:, part.verts] = _with_jaw(own, warped, donor, lower) if goes else 0.0
            else:
                deltas[:, part.verts] = donor.all_deltas[:, found]
                _smooth(mesh, part.verts, deltas)


def _lower_row(
    places: Float[np.ndarray, "verts 6"], parts: list[Part], jaw: Float[np.ndarray, "inside"], tree: cKDTree
) -> set[int]:
    """Return the numbers of the teeth that go with the jaw: the lower of two groups by height, or of a few
    teeth those that lie nearest to what goes with ada's.
    """
    teeth = [number for number, part in enumerate(parts) if part.kind == TEETH]
    heights = np.array([places[parts[number].verts, 1].mean() for number in teeth])
    if len(teeth) < _ROW:
        near = [jaw[tree.query(places[parts[number].verts])[1]].mean() for number in teeth]
        return {number for number, share in zip(teeth, near, strict=True) if share > 0.5}
    order = np.sort(heights)
    # The cut that leaves the least variance within the two groups.
    cost = [order[:cut].var() * cut + order[cut:].var() * (len(order) - cut) for cut in range(1, len(order))]
    border = order[int(np.argmin(cost))]
    return {number for number, height in zip(teeth, heights, strict=True) if height <= border}


@dataclass(frozen=True, kw_only=True)
class Added:
    """Parts of ada that a mesh lacks."""

    vertices: Float[np.ndarray, "added 3"]
    faces: Int[np.ndarray, "faces 3"]
    deltas: Float[np.ndarray, "shapes added 3"]
    parts: tuple[str, ...]
    part_of_face: Int[np.ndarray, "faces"]
    colours: Float[np.ndarray, "added 3"]


def added(
    donor: Donor,
    warped: Float[np.ndarray, "everything 3"],
    marks: Float[np.ndarray, "68 3"],
    *,
    eyes: bool,
    mouth: bool,
) -> Added | None:
    """Return ada's eyes and what is in her mouth, as wished, where the landmarks of the mesh put them."""
    head = donor.head
    names = (("eye", "iris") if eyes else ()) + (("teeth", "gums", "tongue") if mouth else ())
    if not names:
        return None
    chosen = np.isin(head.part_of_face, [head.parts.index(name) for name in names])
    rows, places = np.unique(head.faces[chosen], return_inverse=True)
    vertices = warped.copy()
    own = head.template[head.landmark_vertices].astype(np.float64)
    for side, eye in ((1, _LEFT_EYE), (2, _RIGHT_EYE)):
        # A warped ball is no ball: eyes are moved and scaled only.
        ball = np.flatnonzero(head.tables["eye_of_vertex"] == side)
        corners, others = own[[eye[0], eye[3]]], marks[[eye[0], eye[3]]]
        scale = np.linalg.norm(others[1] - others[0]) / np.linalg.norm(corners[1] - corners[0])
        about = own[list(eye)].mean(axis=0)
        vertices[ball] = marks[list(eye)].mean(axis=0) + scale * (head.template[ball] - about)
    return Added(
        vertices=vertices[rows],
        faces=places.reshape(-1, 3),
        deltas=donor.all_deltas[:, rows].astype(np.float64),
        parts=head.parts,
        part_of_face=head.part_of_face[chosen],
        colours=head.colours[rows],
    )


def _ids(donor: Donor, *names: str) -> Int[np.ndarray, "chosen"]:
    head = donor.head
    faces = head.faces[np.isin(head.part_of_face, [head.parts.index(name) for name in names])]
    return np.unique(faces)


def _sphere(points: Float[np.ndarray, "part 3"]) -> tuple[Float[np.ndarray, "3"], float, float]:
    """Return centre and radius of the sphere of least squares, and the standard deviation of distances."""
    rows = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    found = np.linalg.lstsq(rows, (points**2).sum(axis=1), rcond=None)[0]
    centre = found[:3]
    distances = np.linalg.norm(points - centre, axis=1)
    return centre, float(distances.mean()), float(distances.std())


def _turned(
    own: Float[np.ndarray, "part 3"],
    centre: Float[np.ndarray, "3"],
    ball: Float[np.ndarray, "ball 3"],
    moved: Float[np.ndarray, "shapes ball 3"],
) -> Float[np.ndarray, "shapes part 3"]:
    """Return how an eye moves that turns about `centre` as the other does."""
    out = np.zeros((len(moved), *own.shape))
    for shape, way in enumerate(moved):
        if np.abs(way).max() > 1e-6:
            turn = overlay(ball.astype(np.float64), (ball + way).astype(np.float64), rigid=True).turn
            out[shape] = (own - centre) @ (turn - np.eye(3)).T
    return out


def _with_jaw(
    own: Float[np.ndarray, "part 3"],
    warped: Float[np.ndarray, "everything 3"],
    donor: Donor,
    lower: Int[np.ndarray, "chosen"],
) -> Float[np.ndarray, "shapes part 3"]:
    """Return how a tooth moves that is fixed to ada's lower row, laid where the landmarks put it."""
    at = warped[lower]
    out = np.zeros((len(donor.all_deltas), *own.shape))
    for shape, moved in enumerate(donor.all_deltas[:, lower]):
        if np.abs(moved).max() > 1e-6:
            out[shape] = overlay(at, at + moved, rigid=True)(own) - own
    return out


def _smooth(mesh: SurfaceMesh, verts: Int[np.ndarray, "chosen"], deltas: np.ndarray) -> None:
    """Let neighbours share what they move: the nearest point of another mouth jumps from tongue to gum."""
    links = mesh.edges[verts][:, verts].copy()
    links.data[:] = 1.0
    degrees = np.asarray(links.sum(axis=1)).ravel().clip(min=1.0)[:, None]
    own = deltas[:, verts].transpose(1, 0, 2).reshape(len(verts), -1)
    for _ in range(_SMOOTHINGS):
        own = 0.5 * own + 0.5 * (links @ own) / degrees
    deltas[:, verts] = own.reshape(len(verts), len(deltas), 3).transpose(1, 0, 2)
