"""What is drawn of an avatar: its head with the shoulders, cut finely where its pictures need it.

Axis names: `coarse` vertices of the avatar's meshes, `verts` that are drawn, `faces`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy import sparse

from talkcli.engine.face.avatar.cutting import Sampler, colours_of, cut
from talkcli.engine.face.avatar.geometry import Part
from talkcli.engine.face.avatar.materials import Paint, Paints
from talkcli.engine.face.avatar.mesh import Mesh
from talkcli.engine.wording import counted

# How far below the face, and to its sides from its middle, is drawn: in heights of the part that shapes move.
_BELOW, _ASIDE = 0.9, 1.9
# Vertices nearer than this are one place; surfaces whose normals differ by less go on there without an edge.
_SAME_M, _SMOOTH = 2e-5, 0.6
_MOST_FACES = 400_000


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The mesh that is drawn."""

    of: sparse.csr_array
    """Share of each coarse vertex in each vertex (verts coarse)."""
    rest: Float[np.ndarray, "verts 3"]
    faces: Int[np.ndarray, "faces 3"]
    part_of_face: Int[np.ndarray, "faces"]
    parts: tuple[str, ...]
    colours: Float[np.ndarray, "verts 3"]
    uv: Float[np.ndarray, "verts 2"]
    pictures: tuple[UInt8[np.ndarray, "_ _ 4"] | None, ...]
    """Picture of each of `parts`."""
    twins: Int[np.ndarray, "verts"]
    """The first vertex at the same place whose surface goes on there: they share a normal."""


def draw(
    mesh: Mesh, rest: Float[np.ndarray, "coarse 3"], face: Int[np.ndarray, "_"], parts: Sequence[Part], paints: Paints
) -> Drawn:
    """Return what is drawn of a mesh.

    Args:
        mesh: All parts of the avatar.
        rest: Its vertices at rest, in metres.
        face: Vertices of the face, those that shapes move.
        parts: Parts of the mesh, which may have colours of vertices.
        paints: Materials.
    """
    near = _near(rest, face)
    kept = near[mesh.faces].all(axis=1)
    faces, material, part_of = mesh.faces[kept], mesh.material_of_face[kept], mesh.part_of_face[kept]
    if len(faces) > _MOST_FACES:
        paints.notes.append(f"Of {counted(len(faces), 'triangle')} the first {_MOST_FACES} are drawn.")
        faces, material, part_of = faces[:_MOST_FACES], material[:_MOST_FACES], part_of[:_MOST_FACES]
    numbers = np.unique(material)
    looks = [paints[None if number < 0 else int(number)] for number in numbers]
    which = np.searchsorted(numbers, material)
    uv = _placed(mesh.uv, faces, which, looks)
    sample = _sampler(looks)
    fine = cut(rest, uv, faces, which, sample, np.array([look.picture is not None for look in looks])[which])
    of, corners = fine.of, fine.faces
    which, part_of = which[fine.coarse], part_of[fine.coarse]
    uv = (of @ uv).astype(np.float32)
    seen = _seen(uv, corners, which, looks, sample)
    corners, which, part_of = corners[seen], which[seen], part_of[seen]
    colours = colours_of(uv, corners, which, sample)
    colours *= _own_colours(parts, of, corners, part_of)
    # The back of what has two sides is a surface of its own, with the opposite normal.
    double = np.array([look.two_sided for look in looks], bool)[which]
    backs = corners[double][:, ::-1] + len(uv)
    used, local = np.unique(np.concatenate([corners, backs]), return_inverse=True)
    at = used % max(len(uv), 1)
    shares = of[at]
    placed = (shares @ rest).astype(np.float32)
    corners = local.reshape(-1, 3)
    return Drawn(
        of=shares,
        rest=placed,
        faces=corners.astype(np.int64),
        part_of_face=np.concatenate([which, which[double]]).astype(np.int64),
        parts=tuple(f"avatar {look.name}" for look in looks),
        colours=colours[at].astype(np.float32),
        uv=uv[at],
        pictures=tuple(_tinted(look) for look in looks),
        twins=_twins(placed, corners),
    )


def _near(rest: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Return which vertices are near enough to the face to be in a portrait."""
    if not len(face):
        return np.ones(len(rest), bool)
    low, high = np.percentile(rest[face], [1, 99], axis=0)
    height = max(high[1] - low[1], 1e-6)
    middle = (low + high) / 2
    return (rest[:, 1] > low[1] - _BELOW * height) & (np.abs(rest[:, 0] - middle[0]) < _ASIDE * height)


def _placed(uv: np.ndarray, faces: np.ndarray, which: np.ndarray, looks: Sequence[Paint]) -> np.ndarray:
    """Return the places in the pictures after what materials do to them."""
    placed = uv.copy()
    for number, look in enumerate(looks):
        if look.moved is not None:
            verts = np.unique(faces[which == number])
            placed[verts] = uv[verts] @ look.moved[:2, :2].T + look.moved[:2, 2]
    # Far away, pictures are only repeated, and whole numbers overflow.
    return placed.clip(-1000.0, 1000.0).astype(np.float32)


def _sampler(looks: Sequence[Paint]) -> Sampler:
    def sample(which: np.ndarray, uv: np.ndarray) -> np.ndarray:
        found = np.ones((len(uv), 4), np.float32)
        for number, look in enumerate(looks):
            some = which == number
            if some.any():
                found[some] = look.sample(uv[some])
                if look.cut is None:
                    found[some, 3] = 1.0
        return found

    return sample


def _seen(
    uv: np.ndarray, faces: np.ndarray, which: np.ndarray, looks: Sequence[Paint], sample: Sampler
) -> np.ndarray:
    """Return which triangles are there: of a transparent one the alpha at its middle decides."""
    cuts = np.array([-1.0 if look.cut is None else look.cut for look in looks])[which]
    places = uv[faces]
    alpha = sum(
        sample(which, np.einsum("k,fkd->fd", np.array(share, np.float32), places))[:, 3]
        for share in ((1 / 3, 1 / 3, 1 / 3), (0.6, 0.2, 0.2), (0.2, 0.6, 0.2), (0.2, 0.2, 0.6))
    )
    seen: np.ndarray = alpha / 4 >= cuts
    return seen


def _own_colours(
    parts: Sequence[Part], of: sparse.csr_array, faces: np.ndarray, part_of: np.ndarray
) -> np.ndarray:
    """Return the colours of vertices that files have beside pictures, white for others."""
    if all(part.colours is None for part in parts):
        return np.ones((of.shape[0], 3), np.float32)
    coarse = np.concatenate(
        [np.ones((len(part.points), 4), np.float32) if part.colours is None else part.colours for part in parts]
    )
    found: np.ndarray = (of @ coarse[:, :3]).astype(np.float32)
    return found


def _tinted(look: Paint) -> np.ndarray | None:
    """Return the picture of a material with its colour, sRGB and alpha."""
    if look.picture is None or look.colour == (1.0, 1.0, 1.0, 1.0):
        return look.picture
    # sRGB is about a power of 2.2.
    factors = np.array([*(value ** (1 / 2.2) for value in look.colour[:3]), look.colour[3]])
    return (look.picture * factors).round().clip(0, 255).astype(np.uint8)


def _twins(rest: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return for each vertex the first one at its place whose normal is nearly the same.

    Programs double vertices where a picture has a seam: without this the seam would be an edge.
    """
    normals = np.zeros_like(rest)
    a, b, c = rest[faces[:, 0]], rest[faces[:, 1]], rest[faces[:, 2]]
    across = np.cross(b - a, c - a)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], across)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    keys = np.round(rest / _SAME_M).astype(np.int64)
    _, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.reshape(-1)
    order = np.lexsort((np.arange(len(rest)), place))
    twins = np.arange(len(rest))
    starts = np.flatnonzero(np.append(True, place[order][1:] != place[order][:-1])) if len(order) else []
    ends = [*starts[1:], len(order)]
    for start, end in zip(starts, ends, strict=True):
        if end - start < 2:
            continue
        group = order[start:end]
        first: list[int] = []
        for vertex in group[:64]:
            found = next((other for other in first if normals[other] @ normals[vertex] > _SMOOTH), None)
            if found is None:
                first.append(int(vertex))
            else:
                twins[vertex] = found
    return twins
