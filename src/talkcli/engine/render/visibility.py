"""Which face each pixel sees, for many frames at once on any device; found without gradients.

Axis names: `frames`, `verts`, `faces`, `height`, `width`.
A screen vertex is (x, y, depth): pixels, y down, and metres from the camera's plane.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from talkcli.engine.render.raster import nearest_faces

# Nearer vertices drop the faces they belong to, metres.
NEAR = 1e-3
# Faces that share an edge both claim the pixels on it, and within this part of their size beside it: no gaps.
_EDGE = 1e-5
_FACE_BITS = 32


@torch.no_grad()
def visible_faces(
    screen: Float[Tensor, "frames verts 3"],
    faces: Int[Tensor, "faces 3"],
    closed: Bool[Tensor, "faces"],
    height: int,
    width: int,
) -> Int[Tensor, "frames height width"]:
    """Return the nearest face at each pixel's centre, -1 for none.

    Backs of `closed` faces are not drawn; front faces run clockwise on a screen with y down. A vertex nearer
    than a millimetre, or one that is not a number, takes its faces with it. On a CPU by the kernel of the
    software renderer, elsewhere by `scattered_faces`: the same but for pixels whose centre an edge crosses.
    """
    if screen.device.type != "cpu":
        return scattered_faces(screen, faces, closed, height, width)
    depth = screen[..., 2:]
    nearness = torch.where(depth > NEAR, depth.reciprocal(), torch.nan)
    corners = torch.cat([screen[..., :2], nearness], -1).float().contiguous().numpy()
    # Twelve bytes a face fit the cache where 24 do not.
    small, culled = faces.int().numpy(), closed.numpy()
    depths = np.empty((height, width), np.float32)
    found = np.full((len(screen), height, width), -1, np.int32)
    for frame, picture in zip(corners, found, strict=True):
        nearest_faces(frame, small, culled, depths, picture)
    return torch.from_numpy(found).long()


@torch.no_grad()
def scattered_faces(
    screen: Float[Tensor, "frames verts 3"],
    faces: Int[Tensor, "faces 3"],
    closed: Bool[Tensor, "faces"],
    height: int,
    width: int,
) -> Int[Tensor, "frames height width"]:
    """Return `visible_faces` in a few operations on all frames at once: every face offers itself to the
    pixels of its bounding box, and the nearest of those that hold the pixel's centre remains.
    """
    x, y, depth = screen[:, faces].unbind(-1)
    area = turned_away(screen, faces)
    first = torch.stack([y.amin(-1), x.amin(-1)], -1).sub(0.5).ceil().clamp(min=0)
    end = torch.stack([y.amax(-1), x.amax(-1)], -1).add(0.5).floor()
    end = end.minimum(end.new_tensor([height, width]))
    # Comparisons with what is not a number are false.
    drawn = (first < end).all(-1) & (depth.amin(-1) > NEAR) & (area.abs() > 1e-9) & ~(closed & (area > 0))
    frame, face = drawn.nonzero(as_tuple=True)
    x, y, nearness, area = x[drawn], y[drawn], depth[drawn].reciprocal(), area[drawn, None]
    first, size = first[drawn].long(), (end - first)[drawn].long()
    # The second and the third corner's weights are planes over the screen that are zero at the first corner.
    second = torch.stack([y[:, 2] - y[:, 0], x[:, 0] - x[:, 2]], -1) / area
    third = torch.stack([y[:, 0] - y[:, 1], x[:, 1] - x[:, 0]], -1) / area

    counts = size.prod(-1)
    of = torch.repeat_interleave(counts)
    place = torch.arange(len(of), device=of.device) - (counts.cumsum(0) - counts)[of]
    row, column = first[of, 0] + place // size[of, 1], first[of, 1] + place % size[of, 1]
    from_first = torch.stack([column + 0.5 - x[of, 0], row + 0.5 - y[of, 0]], -1)
    b, c = (second[of] * from_first).sum(-1), (third[of] * from_first).sum(-1)
    inside = (b >= -_EDGE) & (c >= -_EDGE) & (b + c <= 1 + _EDGE)
    of, b, c = of[inside], b[inside], c[inside]
    near = nearness[of]
    near = near[:, 0] + b * (near[:, 1] - near[:, 0]) + c * (near[:, 2] - near[:, 0])

    # Bits of positive floats have the order of the floats: the greatest key is the nearest face.
    key = (near.clamp(min=0).float().view(torch.int32).long() << _FACE_BITS) + face[of]
    pixel = (frame[of] * height + row[inside]) * width + column[inside]
    keys = key.new_full((len(screen) * height * width,), -1).scatter_reduce_(0, pixel, key, "amax")
    return torch.where(keys < 0, keys, keys & (2**_FACE_BITS - 1)).view(len(screen), height, width)


def turned_away(
    screen: Float[Tensor, "frames verts coords"], faces: Int[Tensor, "faces 3"]
) -> Float[Tensor, "frames faces"]:
    """Return twice each face's area on the screen, in square pixels: positive where its back is seen."""
    a, b, c = screen[:, faces, :2].unbind(2)
    right, left = b - a, c - a
    return right[..., 0] * left[..., 1] - right[..., 1] * left[..., 0]
