"""A head's landmarks and irises as functions of the coefficients, for the fit.

Axis names: `frames`, `coeffs` = 53, `points` = 68 landmarks of the iBUG scheme, then the right and the left
iris where the eyes turn, `corners` = vertices a landmark is mixed from.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.face.head import Head

NUM_IBUG = 68
_BLOCK_ROWS = 1024
_MOVED_M = 1e-6
_JAW_ANGLES_RAD = np.linspace(0.0, 0.4, 41)


class Rig:
    """`head` at the vertices its landmarks need; points 68 and 69, the irises, exist where eyes turn.

    Raises InputError for a head whose landmarks are no fixed mixture of vertices, AssetError for one without.
    """

    def __init__(self, head: Head) -> None:
        self.head = head
        corners, weights = _mixture(head)
        irises = _iris_vertices(head)
        if irises is not None:
            corners = np.concatenate([corners, np.repeat(irises[:, None], corners.shape[1], axis=1)])
            weights = np.concatenate([weights, np.eye(1, weights.shape[1]).repeat(2, axis=0)])
        used, places = np.unique(corners, return_inverse=True)
        self._only = torch.from_numpy(used)
        self._corners = torch.from_numpy(places.reshape(corners.shape))
        self._weights = torch.from_numpy(weights.astype(np.float32))[..., None]
        self.rest: Float[np.ndarray, "points 3"] = self.points(np.zeros((1, len(head.channels))))[0]

    def points(self, coeffs: Float[np.ndarray, "frames coeffs"]) -> Float[np.ndarray, "frames points 3"]:
        """Return landmarks and irises in metres."""
        out = np.empty((len(coeffs), len(self._corners), 3), np.float32)
        rows = torch.from_numpy(coeffs.astype(np.float32))
        with torch.inference_mode():
            for start in range(0, len(coeffs), _BLOCK_ROWS):
                vertices = self.head(rows[start : start + _BLOCK_ROWS], only=self._only)
                mixed = vertices[:, self._corners[:, 0]] * self._weights[:, 0]
                for corner in range(1, self._corners.shape[1]):
                    mixed += vertices[:, self._corners[:, corner]] * self._weights[:, corner]
                out[start : start + len(mixed)] = mixed.numpy()
        return out

    def opened_jaw(self) -> tuple[Float[np.ndarray, "angles"], Float[np.ndarray, "angles 68 3"]]:
        """Return landmarks with the jaw alone turned open by some angles (radians); at rest where there is
        none.
        """
        if "jawPitch" not in self.head.channels:
            return np.zeros(1), self.rest[None, :NUM_IBUG]
        tried = np.zeros((len(_JAW_ANGLES_RAD), len(self.head.channels)))
        tried[:, self.head.channels.index("jawPitch")] = _JAW_ANGLES_RAD
        return _JAW_ANGLES_RAD, self.points(tried)[:, :NUM_IBUG]


def _mixture(head: Head) -> tuple[Int[np.ndarray, "68 corners"], Float[np.ndarray, "68 corners"]]:
    """Return which vertices make each landmark, and how much of each: the gradients of one coordinate."""
    rest = torch.from_numpy(np.asarray(head.template, np.float32))[None]
    vertices = rest.clone().requires_grad_(True)
    marks = head.landmarks(vertices)[0, :, 0]
    shares = torch.stack(
        [torch.autograd.grad(mark, vertices, retain_graph=True)[0][0, :, 0] for mark in marks]
    )
    if not torch.allclose(shares @ rest[0], head.landmarks(rest)[0], atol=1e-5):
        raise InputError(f"The landmarks of {head.name} are no fixed mixture of its vertices.")
    most = int((shares != 0).sum(dim=1).max())
    corners = shares.abs().topk(most, dim=1).indices
    return corners.numpy(), shares.gather(1, corners).numpy()


def _iris_vertices(head: Head) -> Int[np.ndarray, "2"] | None:
    """Return the foremost vertices that turn with the right and the left eye; None where no channel turns
    them.
    """
    names = ("eyeLookUpRight", "eyeLookUpLeft")
    if not set(names) <= set(head.channels) or "eye" not in head.parts:
        return None
    looks = torch.zeros(2, len(head.channels))
    looks[[0, 1], [head.channels.index(name) for name in names]] = 0.5
    eyes = np.unique(head.faces[head.part_of_face == head.parts.index("eye")])
    with torch.inference_mode():
        moved = head(looks, only=torch.from_numpy(eyes)).numpy() - head.template[eyes]
    turning = np.linalg.norm(moved, axis=-1) > _MOVED_M
    if not turning.any(axis=1).all():
        return None
    depth = np.where(turning, head.template[eyes, 2], -np.inf)
    found: np.ndarray = eyes[depth.argmax(axis=1)]
    return found
