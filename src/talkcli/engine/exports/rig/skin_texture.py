"""Pictures of skin for glTF: its colour, and its unevenness as a normal map, with the detail of the renderer.

Axis names: `height`, `width`, `samples` (texels with skin), `points` (vertices of the
unwrapped mesh). A normal map's red is the slope to the
right of the picture, its green that upwards, its blue outwards (glTF 2.0, chapter "Additional Textures").
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image
from scipy.ndimage import distance_transform_edt

from talkcli.engine.exports.rig.unwrap import Unwrapped
from talkcli.engine.face.topology import Topology
from talkcli.engine.render.look import srgb
from talkcli.engine.render.skin import add_detail_at

SIDE = 2048
_QUALITY = 92


class SkinTexture(NamedTuple):
    """JPEG files."""

    colour: bytes
    normal: bytes


def skin_texture(
    topology: Topology, normals_at_rest: Float[np.ndarray, "verts 3"], skin: Unwrapped, side: int = SIDE
) -> SkinTexture:
    """Return pictures of `side` x `side` texels of the skin of a head."""
    face_of, weights = _raster(skin, side)
    seen = face_of >= 0
    corners = skin.faces[face_of[seen]]
    share = weights[seen]
    template = topology.template[skin.rows].astype(np.float64)

    def mixed(values: np.ndarray) -> np.ndarray:
        return np.einsum("tc,tcx->tx", share, values[corners])

    normals = _unit(mixed(normals_at_rest[skin.rows]))
    bent, colours = normals.astype(np.float32), mixed(topology.colours[skin.rows]).astype(np.float32)
    # A texel is small enough for all detail.
    add_detail_at(mixed(template).astype(np.float32), bent, colours, np.float32(1e-5))
    # The axes that viewers make of tangents and normals.
    tangents = mixed(skin.tangents)
    right = _unit(tangents[:, :3])
    above = np.cross(normals, right) * np.sign(tangents[:, 3:])
    slopes = np.stack([np.sum(bent * axis, axis=1) for axis in (right, above, normals)], axis=1)
    return SkinTexture(
        colour=_jpeg(srgb(colours.clip(0, 1)), seen), normal=_jpeg((slopes * 0.5 + 0.5).clip(0, 1), seen)
    )


def _raster(
    skin: Unwrapped, side: int
) -> tuple[Int[np.ndarray, "height width"], Float[np.ndarray, "height width 3"]]:
    """Return for each texel the outermost triangle there (-1: none) and the shares of its corners."""
    face_of = np.full((side, side), -1)
    weights = np.zeros((side, side, 3))
    nearest = np.full((side, side), -np.inf)
    places = skin.uv.astype(np.float64) * side - 0.5
    for face, corner in enumerate(skin.faces):
        a, b, c = places[corner]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0:
            continue
        low = np.ceil(np.minimum(np.minimum(a, b), c)).astype(int)
        high = np.floor(np.maximum(np.maximum(a, b), c)).astype(int)
        x, y = np.meshgrid(
            np.arange(low[0], high[0] + 1), np.arange(max(low[1], 0), min(high[1], side - 1) + 1)
        )
        second = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
        third = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
        share = np.stack([1 - second - third, second, third], axis=-1)
        inside = (share >= 0).all(axis=-1)
        # The picture goes on at its other side.
        at = y[inside], x[inside] % side
        depth = share[inside] @ skin.depths[corner]
        outer = depth > nearest[at]
        at = at[0][outer], at[1][outer]
        nearest[at], face_of[at], weights[at] = depth[outer], face, share[inside][outer]
    return face_of, weights


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-20)


def _jpeg(values: Float[np.ndarray, "samples 3"], seen: np.ndarray) -> bytes:
    """Return a picture of values in [0, 1] at the texels that are `seen`; the others are as the nearest."""
    picture: UInt8[np.ndarray, "height width 3"] = np.zeros((*seen.shape, 3), np.uint8)
    picture[seen] = np.rint(values * 255)
    nearest = distance_transform_edt(~seen, return_distances=False, return_indices=True)
    content = io.BytesIO()
    Image.fromarray(picture[tuple(nearest)]).save(content, "JPEG", quality=_QUALITY, subsampling=0)
    return content.getvalue()
