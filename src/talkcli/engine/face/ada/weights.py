"""Smooth weights on the skin: heat between pinned vertices, so that they respect the slit of the mouth.

Axis names: `verts`. Millimetres.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from talkcli.engine.face.ada import curves
from talkcli.engine.face.ada.rings import lip_columns
from talkcli.engine.face.ada.skin import Skin

Weights = Float[np.ndarray, "verts"]

# The jaw's effective centre of rotation: turning about the joint while gliding forward amounts to a turn
# about a point in the ramus, below and behind the condyle (Grant, 1973).
HINGE = np.array([0.0, -26.0, 6.0])


def laplacian(vertices: Float[np.ndarray, "verts 3"], faces: Int[np.ndarray, "faces 3"]) -> csr_array:
    """Return graph Laplacian with inverse edge lengths."""
    edges = np.unique(
        np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1), axis=0
    )
    value = 1.0 / (np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1) + 0.3)
    n = len(vertices)
    both = np.concatenate([edges, edges[:, ::-1]]).T
    a = coo_array((np.concatenate([value, value]), (both[0], both[1])), shape=(n, n)).tocsr()
    return csr_array(diags_array(np.asarray(a.sum(1)).ravel()) - a)


def solve(shape: Skin, pinned: dict[int, float]) -> Weights:
    """Return the harmonic function with the `pinned` values, the same on both sides."""
    ids = np.array(sorted(pinned))
    values = np.array([pinned[i] for i in ids])
    system = laplacian(shape.vertices, shape.faces)
    free = np.setdiff1d(np.arange(len(shape.vertices)), ids)
    out = np.zeros(len(shape.vertices))
    out[ids] = values
    out[free] = spsolve(system[free][:, free].tocsc(), -(system[free][:, ids] @ values))
    return 0.5 * (out + out[shape.mirror])


def pin_lips(
    shape: Skin, upper: Float[np.ndarray, "columns"], lower: Float[np.ndarray, "columns"]
) -> dict[int, float]:
    """Pin the contact line on both sides; values by column from the midline to the corner."""
    pinned: dict[int, float] = {}
    values = np.concatenate([upper, lower[-2::-1]])
    for half in (shape.lips, shape.mirror[shape.lips]):
        for vertex, value in zip(half[shape.bag_rings], values, strict=True):
            pinned[int(vertex)] = float(value)
    return pinned


def pin_where(shape: Skin, where: np.ndarray, value: float) -> dict[int, float]:
    """Pin a region, the bag excepted."""
    where = where.copy()
    for half in (shape.lips, shape.mirror[shape.lips]):
        where[half[: shape.bag_rings]] = False
    return {int(i): value for i in np.flatnonzero(where)}


def finish_bag(shape: Skin, weight: Weights, upper: float, lower: float, corner: float) -> Weights:
    """Rings of the bag go from the contact line's values to those of the bone they line."""
    _, side = lip_columns()
    bone = np.where(side > 0, upper, np.where(side < 0, lower, corner))
    for half in (shape.lips, shape.mirror[shape.lips]):
        contact = weight[half[shape.bag_rings]]
        for ring in range(shape.bag_rings):
            share = curves.smoothstep(np.array([ring / shape.bag_rings]), 0.2, 1.0)[0]
            weight[half[ring]] = bone + (contact - bone) * share
    return weight


def jaw(shape: Skin) -> Weights:
    """Return how much each vertex turns with the jaw."""
    s = lip_columns()[0][: len(lip_columns()[0]) // 2 + 1]
    corner = 0.36
    round_ = np.sqrt(np.clip(1.0 - s**2, 0.0, 1.0))
    pinned = pin_lips(shape, corner * (1 - round_) ** 1.3, corner + (0.98 - corner) * round_**0.75)
    x, y, z = np.abs(shape.vertices[:, 0]), shape.vertices[:, 1], shape.vertices[:, 2]
    line = y + 109.5 - 0.42 * np.maximum(88.0 - z, 0.0)  # height over the jaw's lower edge
    bone = (line < 22.0) & (line > -6.0) & (z > 25.0) & (x < 46.0)
    still = (
        (y > -42.0 - 0.25 * np.maximum(0, z - 60)) | (z < -4.0) | (y < -152.0) | ((y < -125.0) & (z < 30.0))
    )
    pinned = pin_where(shape, still, 0.0) | pin_where(shape, bone & ~still, 1.0) | pinned
    return finish_bag(shape, np.clip(solve(shape, pinned), 0, 1), 0.0, 1.0, 0.45)


def upper_side(shape: Skin) -> Weights:
    """Return 1 on the upper lip and above, 0 on the lower lip and below, smooth round the corners."""
    s = lip_columns()[0][: len(lip_columns()[0]) // 2 + 1]
    half = 0.5 * curves.smoothstep(1.0 - s, 0.0, 0.25)
    pinned = pin_lips(shape, 0.5 + half, 0.5 - half)
    y, z = shape.vertices[:, 1], shape.vertices[:, 2]
    pinned = pin_where(shape, y > -50.0, 1.0) | pin_where(shape, (y < -92.0) & (z > -40), 0.0) | pinned
    return finish_bag(shape, np.clip(solve(shape, pinned), 0, 1), 1.0, 0.0, 0.5)


def attachment(shape: Skin, points: Float[np.ndarray, "points 3"], neighbours: int = 6) -> csr_array:
    """Return (points, verts) weights by which loose points ride on the skin near them."""
    bag = np.concatenate([shape.lips[: shape.bag_rings].ravel(), shape.lids[: shape.lid_inner_rings].ravel()])
    outside = np.setdiff1d(np.arange(len(shape.vertices)), np.concatenate([bag, shape.mirror[bag]]))
    far, near = cKDTree(shape.vertices[outside]).query(points, k=neighbours)
    value = 1.0 / (np.asarray(far) + 0.5) ** 2
    value /= value.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), neighbours)
    return csr_array((value.ravel(), (rows, outside[near.ravel()])), shape=(len(points), len(shape.vertices)))
