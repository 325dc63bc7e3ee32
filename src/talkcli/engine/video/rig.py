"""What the fit sees of a head: its landmarks and irises as functions of the coefficients, with derivatives.

Axis names: `frames`, `coeffs` = 53, `points` = 68 landmarks of the iBUG scheme, then the right and the left
iris where the eyes turn, `moving` = channels that may be used.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.face.head import Head

NUM_IBUG = 68
_BLOCK_ROWS = 2048
_STEP = 0.04
_MOVED_M = 1e-6


class Rig:
    """`head` at the vertices its landmarks need. `has_irises` says whether points 68 and 69 exist.

    Raises InputError for a head whose landmarks are no fixed mixture of vertices, AssetError for one without.
    """

    def __init__(self, head: Head) -> None:
        self.head = head
        rest = torch.from_numpy(np.asarray(head.template, np.float32))[None]
        mixture = _mixture(head, rest)
        irises = _iris_vertices(head)
        self.has_irises = irises is not None
        used = np.unique(np.concatenate([mixture.indices()[1].numpy(), irises if self.has_irises else []]))
        self._only = torch.from_numpy(used.astype(np.int64))
        weights = torch.zeros(NUM_IBUG + 2 * self.has_irises, len(used))
        rows, columns = mixture.indices()
        weights[rows, torch.from_numpy(np.searchsorted(used, columns.numpy()))] = mixture.values()
        if irises is not None:
            weights[[NUM_IBUG, NUM_IBUG + 1], np.searchsorted(used, irises)] = 1.0
        self._weights = weights
        self.rest: Float[np.ndarray, "points 3"] = self.points(np.zeros((1, len(head.channels))))[0]

    def points(self, coeffs: Float[np.ndarray, "frames coeffs"]) -> Float[np.ndarray, "frames points 3"]:
        """Landmarks and irises in metres."""
        out = []
        with torch.no_grad():
            for start in range(0, len(coeffs), _BLOCK_ROWS):
                block = torch.from_numpy(np.asarray(coeffs[start : start + _BLOCK_ROWS], np.float32))
                vertices = self.head(block, only=self._only)
                out.append((self._weights @ vertices).numpy())
        return np.concatenate(out).astype(np.float64)

    def slopes(
        self,
        coeffs: Float[np.ndarray, "frames coeffs"],
        at: Float[np.ndarray, "frames points 3"],
        moving: Int[np.ndarray, "moving"],
        step: Float[np.ndarray, "coeffs"],
    ) -> Float[np.ndarray, "frames moving points 3"]:
        """Derivatives of `points` (which at `coeffs` are `at`), by differences of `step`."""
        tried = np.repeat(coeffs[:, None], len(moving), axis=1)
        tried[:, np.arange(len(moving)), moving] += step[:, moving]
        moved = self.points(tried.reshape(-1, coeffs.shape[1])).reshape(
            len(coeffs), len(moving), *at.shape[1:]
        )
        return (moved - at[:, None]) / step[:, moving, None, None]


def _mixture(head: Head, rest: torch.Tensor) -> torch.Tensor:
    """How landmarks are mixed from vertices, (68, verts) sparse: gradients of one coordinate each."""
    vertices = rest.clone().requires_grad_(True)
    marks = head.landmarks(vertices)[0, :, 0]
    rows = [torch.autograd.grad(mark, vertices, retain_graph=True)[0][0, :, 0] for mark in marks]
    mixture = torch.stack(rows)
    if not torch.allclose(mixture @ rest[0], head.landmarks(rest)[0], atol=1e-5):
        raise InputError(f"The landmarks of {head.name} are no fixed mixture of its vertices.")
    return mixture.to_sparse().coalesce()


def _iris_vertices(head: Head) -> Int[np.ndarray, "2"] | None:
    """The foremost vertices that turn with the right and the left eye; None where no channel turns them."""
    names = ("eyeLookUpRight", "eyeLookUpLeft")
    if not set(names) <= set(head.channels) or "eye" not in head.parts:
        return None
    looks = torch.zeros(2, len(head.channels))
    looks[[0, 1], [head.channels.index(name) for name in names]] = 0.5
    eyes = np.unique(head.faces[head.part_of_face == head.parts.index("eye")])
    with torch.no_grad():
        moved = head(looks, only=torch.from_numpy(eyes)).numpy() - head.template[eyes]
    turning = np.linalg.norm(moved, axis=-1) > _MOVED_M
    if not turning.any(axis=1).all():
        return None
    depth = np.where(turning, head.template[eyes, 2], -np.inf)
    return eyes[depth.argmax(axis=1)]
