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
# Surfaces that may meet at one place; the vertices of others keep their own normals.
_SURFACES = 4
_MOST_FACES = 400_000
# Shortest edges that are cut, in heights of the face: a portrait of 512 pixels shows 200 of its face.
_IN_FACE, _ELSEWHERE = 0.005, 0.02


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
    tints: Float[np.ndarray, "verts 3"]
    """Linear colours by which those of the pictures are multiplied."""
    notes: tuple[str, ...]
    """What is not drawn as the file has it."""


def draw(
    mesh: Mesh,
    rest: Float[np.ndarray, "coarse 3"],
    face: Int[np.ndarray, "_"],
    parts: Sequence[Part],
    paints: Paints,
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
    faces, material = mesh.faces[kept], mesh.material_of_face[kept]
    if len(faces) > _MOST_FACES:
        paints.notes.append(f"Of {counted(len(faces), 'triangle')} the first {_MOST_FACES} are drawn.")
        faces, material = faces[:_MOST_FACES], material[:_MOST_FACES]
    numbers = np.unique(material)
    looks = [paints[None if number < 0 else int(number)] for number in numbers]
    which = np.searchsorted(numbers, material)
    uv = _placed(mesh.uv, faces, which, looks)
    sample = _sampler(looks)
    pictured = np.array([look.picture is not None for look in looks], bool)[which]
    fine = cut(rest, uv, faces, which, sample, pictured, _shortest(rest, face))
    of, corners = fine.of, fine.faces
    which = which[fine.coarse]
    uv = (of @ uv).astype(np.float32)
    seen = _seen(uv, corners, which, looks, sample)
    corners, which = corners[seen], which[seen]
    colours = colours_of(uv, corners, which, sample)
    tints = _own_colours(parts, of)
    colours *= tints
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
        tints=tints[at],
        notes=tuple(paints.notes),
    )


def _near(rest: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Return which vertices are near enough to the face to be in a portrait."""
    if not len(face):
        return np.ones(len(rest), bool)
    low, high = np.percentile(rest[face], [1, 99], axis=0)
    height = max(high[1] - low[1], 1e-6)
    middle = (low + high) / 2
    return (rest[:, 1] > low[1] - _BELOW * height) & (np.abs(rest[:, 0] - middle[0]) < _ASIDE * height)


def _shortest(rest: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Return how short edges may become at each vertex, in metres: a pixel of a portrait in the face, more
    beside it, where nobody looks.
    """
    if not len(face):
        return np.full(len(rest), _ELSEWHERE, np.float32)
    low, high = np.percentile(rest[face], [1, 99], axis=0)
    size = max(high[1] - low[1], 1e-6)
    inside = ((rest > low - 0.1 * size) & (rest < high + 0.1 * size)).all(axis=1)
    return (size * np.where(inside, _IN_FACE, _ELSEWHERE)).astype(np.float32)


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
    def sample(which: np.ndarray, uv: np.ndarray, smooth: bool = False) -> np.ndarray:
        found = np.empty((len(uv), 4), np.float32)
        order = np.argsort(which, kind="stable")
        ends = np.searchsorted(which, np.arange(len(looks) + 1), sorter=order)
        for look, start, end in zip(looks, ends[:-1], ends[1:], strict=True):
            some = order[start:end]
            if len(some):
                found[some] = look.sample(uv[some], smooth=smooth)
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


def _own_colours(parts: Sequence[Part], of: sparse.csr_array) -> np.ndarray:
    """Return the colours of vertices that files have beside pictures, white for others."""
    if all(part.colours is None for part in parts):
        return np.ones((of.shape[0], 3), np.float32)
    coarse = np.concatenate(
        [
            np.ones((len(part.points), 4), np.float32) if part.colours is None else part.colours
            for part in parts
        ]
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
    keys = np.round((rest - rest.min(axis=0, initial=0)) / _SAME_M).astype(np.int64)
    order = np.lexsort((np.arange(len(rest)), *keys.T))
    twins, left = np.arange(len(rest)), order
    for _ in range(_SURFACES):
        # Of those left at a place the first one, and all whose normals are like its own.
        new = np.append(True, (keys[left[1:]] != keys[left[:-1]]).any(axis=1))[: len(left)]
        first = left[np.flatnonzero(new)[np.cumsum(new) - 1]] if len(left) else left
        like = (normals[first] * normals[left]).sum(axis=1) > _SMOOTH
        twins[left[like]] = first[like]
        left = left[~like & (left != first)]
    return twins
