"""Triangles cut finely where a picture on them needs it, so that colours of vertices show the picture.

Axis names: `verts` of the mesh, `fine` vertices, `faces`. A fine vertex is a mean of vertices of the mesh:
where these move, it moves with them, and edges stay where they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

# Materials, places in their pictures, and whether to look between pixels (default: no), to colours and alpha.
Sampler = Callable[..., np.ndarray]
# A picture that differs by less from what its corners make is drawn by them; of the square root of light.
_DIFFERS = 0.06
_ROUNDS, _MOST_FACES = 6, 150_000
# Places along an edge and within a triangle where the picture is looked at.
_ALONG = np.linspace(0, 1, 9, dtype=np.float32)[1:-1]
_WITHIN = np.array(
    [[a, b, 1 - a - b] for a in np.arange(0.1, 0.9, 0.16) for b in np.arange(0.1, 0.95 - a, 0.16)], np.float32
)
_INNER = 0.25


@dataclass(frozen=True)
class Fine:
    """A mesh that was cut."""

    of: sparse.csr_array
    """Share of each vertex of the mesh in each fine vertex (fine verts)."""
    faces: Int[np.ndarray, "faces 3"]
    coarse: Int[np.ndarray, "faces"]
    """Triangle of the mesh in which each fine triangle lies."""


def cut(
    points: Float[np.ndarray, "verts 3"],
    uv: Float[np.ndarray, "verts 2"],
    faces: Int[np.ndarray, "faces 3"],
    material: Int[np.ndarray, "faces"],
    sample: Sampler,
    pictured: Bool[np.ndarray, "faces"],
    shortest: Float[np.ndarray, "verts"],
) -> Fine:
    """Return the mesh with its triangles cut where the picture varies between their corners.

    Args:
        points: Vertices at rest in metres.
        uv: Their places in the pictures.
        faces: Triangles.
        material: Number of the material of each triangle.
        sample: Function of materials and places that returns colours and alpha (points 4).
        pictured: Whether a triangle has a picture.
        shortest: Length in metres below which edges at a vertex are not cut.
    """
    of = sparse.csr_array(sparse.identity(len(points), np.float32, format="csr"))
    coarse = np.arange(len(faces))
    active = pictured
    for _ in range(_ROUNDS):
        if not active.any() or len(faces) > _MOST_FACES:
            break
        corners = faces[active]
        edges = np.sort(corners[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        # As single numbers, which are sorted far faster than pairs.
        keys, of_edge = np.unique(edges[:, 0] * len(points) + edges[:, 1], return_inverse=True)
        edges, of_edge = np.column_stack(np.divmod(keys, len(points))), of_edge.reshape(-1, 3)
        paint = np.zeros(len(edges), np.int64)
        paint[of_edge.reshape(-1)] = np.repeat(material[coarse[active]], 3)
        length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
        marked = _varies_along(uv, edges, paint, sample)
        inner = _varies_within(uv, corners, material[coarse[active]], sample)
        marked[of_edge[inner].reshape(-1)] = True
        marked &= length > shortest[edges].max(axis=1)
        if not marked.any():
            break
        number = np.full(len(edges), -1)
        number[marked] = len(points) + np.arange(int(marked.sum()))
        halves = edges[marked]
        points = np.concatenate([points, points[halves].mean(axis=1)])
        uv = np.concatenate([uv, uv[halves].mean(axis=1)])
        shortest = np.concatenate([shortest, shortest[halves].max(axis=1)])
        of = sparse.csr_array(sparse.vstack([of, (of[halves[:, 0]] + of[halves[:, 1]]) * np.float32(0.5)]))
        cut_faces, parents = _split(corners, number[of_edge])
        was_cut = (number[of_edge] >= 0).any(axis=1)[parents]
        faces = np.concatenate([faces[~active], cut_faces])
        coarse = np.concatenate([coarse[~active], coarse[active][parents]])
        active = np.concatenate([np.zeros(int((~active).sum()), bool), was_cut])
    return Fine(of, faces, coarse)


def colours_of(
    uv: Float[np.ndarray, "fine 2"],
    faces: Int[np.ndarray, "faces 3"],
    material: Int[np.ndarray, "faces"],
    sample: Sampler,
) -> Float[np.ndarray, "fine 3"]:
    """Return the colour of each fine vertex: that of the picture beside it on its triangles, by its alpha.

    What is transparent has any colour, which must not be seen at its edge.
    """
    total = np.zeros((len(uv), 4), np.float32)
    centre = uv[faces].mean(axis=1)
    for corner in range(3):
        at = (1 - _INNER) * uv[faces[:, corner]] + _INNER * centre
        found = sample(material, at, True)
        weight = found[:, 3:] + 1e-3
        np.add.at(total, faces[:, corner], np.concatenate([found[:, :3] * weight, weight], axis=1))
    return total[:, :3] / np.maximum(total[:, 3:], 1e-6)


def _seen(colours: np.ndarray) -> np.ndarray:
    """Return colours about as evenly as eyes tell them apart, nothing where they are transparent."""
    return np.concatenate(
        [np.sqrt(np.maximum(colours[..., :3], 0.0)) * colours[..., 3:], colours[..., 3:]], axis=-1
    )


def _varies_along(uv: np.ndarray, edges: np.ndarray, paint: np.ndarray, sample: Sampler) -> np.ndarray:
    ends = uv[edges]
    first, last = (_seen(sample(paint, ends[:, k])) for k in (0, 1))
    differs = np.zeros(len(edges), np.float32)
    for share in _ALONG:
        here = _seen(sample(paint, (1 - share) * ends[:, 0] + share * ends[:, 1]))
        off = np.abs(here - ((1 - share) * first + share * last)).max(axis=1)
        np.maximum(differs, off, out=differs)
    return differs > _DIFFERS


def _varies_within(uv: np.ndarray, corners: np.ndarray, paint: np.ndarray, sample: Sampler) -> np.ndarray:
    places = uv[corners]
    ends = np.stack([_seen(sample(paint, places[:, k])) for k in range(3)], axis=1)
    differs = np.zeros(len(corners), np.float32)
    for share in _WITHIN:
        here = _seen(sample(paint, np.einsum("k,fkd->fd", share, places)))
        off = np.abs(here - np.einsum("k,fkd->fd", share, ends)).max(axis=1)
        np.maximum(differs, off, out=differs)
    return differs > _DIFFERS


def _split(corners: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return triangles cut at the middles of their edges, and what each was part of.

    `middle[f, k]` lies between corners k and k + 1; -1 for an edge that stays.
    """
    made, of = [], []
    rows = np.arange(len(corners))
    count = (middle >= 0).sum(axis=1)
    whole = count == 0
    made.append(corners[whole])
    of.append(rows[whole])
    for number in (1, 2, 3):
        some = np.flatnonzero(count == number)
        if not len(some):
            continue
        cut_edges = middle[some] >= 0
        # Turned so that the first edge is cut; of two, the second is too.
        turn = np.argmax(cut_edges & np.roll(cut_edges, -1, axis=1) if number == 2 else cut_edges, axis=1)
        order = (turn[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(corners[some], order, axis=1).T
        ab, bc, ca = np.take_along_axis(middle[some], order, axis=1).T
        if number == 1:
            parts = [(a, ab, c), (ab, b, c)]
        elif number == 2:
            parts = [(ab, b, bc), (a, ab, bc), (a, bc, c)]
        else:
            parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        made += [np.stack(part, axis=1) for part in parts]
        of += [some] * len(parts)
    return np.concatenate(made), np.concatenate(of)
