"""Gradients of what moving edges cover and uncover; the picture itself stays as it is.

Axis names: `frames`, `verts`, `faces`, `height`, `width`.
A z-buffer's colours do not change while an edge moves between two pixel centres: by them alone an opening
mouth would have no gradient where lips give way to teeth. Source: Pidhorskyi et al. 2024, Rasterized Edge
Gradients: what lies between two neighbours moves with the nearer surface. We differ: edges are found by the
jump in depth, since triangles are smaller than pixels here; and beside an edge the differences of neighbours
replace the gradient inside the triangle, which would count a rim narrower than a pixel a second time.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# Neighbours whose depths differ by more than this many times their distance see no smooth surface.
_STEEP = 3.0


def beside_edges(
    depth: Float[Tensor, "frames height width"], focal: float
) -> Bool[Tensor, "frames height width"]:
    """Return pixels with a jump in `depth` to one of their four neighbours; infinite depth is where nothing
    is seen.

    `focal` in pixels.
    """
    found = torch.zeros_like(depth, dtype=torch.bool)
    for along in (1, 2):
        before, after = _neighbours(depth, along)
        # Two that see nothing are no edge: the difference of their depths is not a number.
        jump = (after - before).abs() > _STEEP / focal * torch.minimum(before, after)
        for side in _neighbours(found, along):
            side.logical_or_(jump)
    return found


def with_edge_gradients(
    picture: Float[Tensor, "frames height width 3"],
    edges: Bool[Tensor, "frames height width"],
    depth: Float[Tensor, "frames height width"],
    face_at: Int[Tensor, "frames height width"],
    weights: Float[Tensor, "frames height width 3"],
    corners: Float[Tensor, "frames verts 3"],
    faces: Int[Tensor, "faces 3"],
    focal: float,
    middle: Float[Tensor, "frames 2"],
) -> Float[Tensor, "frames height width 3"]:
    """Return `picture` with the gradients of its pixels `edges` to `corners` (vertices in camera space) and
    to `middle`, the pixels where the camera's axis meets the picture.
    """
    colours = picture.detach()
    for along, axis in ((1, 1), (2, 0)):
        before, after = _neighbours(depth, along)
        pairs = torch.logical_or(*_neighbours(edges, along)) & torch.minimum(before, after).isfinite()
        first = pairs.nonzero().unbind(1)
        second = tuple(place + (dim == along) for dim, place in enumerate(first))
        behind = (after < before)[pairs].long()
        nearer = tuple(place + behind * (dim == along) for dim, place in enumerate(first))
        points = corners[first[0][:, None], faces[face_at[nearer]]] * weights.detach()[nearer][..., None]
        points = points.sum(1)
        place = points[:, axis] / points[:, 2] * focal + middle[first[0], axis]
        # A step of a pixel puts the first colour in the second's place: half of it is seen by each of them.
        change = (place - place.detach())[:, None] * (colours[first] - colours[second]) / 2
        for side in (first, second):
            picture = picture.index_put(side, change * edges[side][:, None], accumulate=True)
    return picture


def _neighbours(values: Tensor, along: int) -> tuple[Tensor, Tensor]:
    """Return views of all pixels but the last, and of the pixels after them."""
    length = values.shape[along] - 1
    return values.narrow(along, 0, length), values.narrow(along, 1, length)
