"""Landmarks and irises of a head as functions of the coefficients, for the fit.

Axis names: `frames`, `coeffs` = 53, `points` = 68 landmarks of the iBUG scheme, then the right and the left
iris if the head's eyes turn, `corners` = vertices whose weighted mean is a landmark.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.face.head import Head

# Number of landmarks of the iBUG scheme.
NUM_IBUG = 68
# Number of frames that the head computes at a time.
_BLOCK_ROWS = 1024
# Threshold on the displacement in metres above which a vertex turns with the eye.
_MOVED_M = 1e-6
# Angles in radians of the jaw for which `Rig.opened_jaw` returns landmarks.
_JAW_ANGLES_RAD = np.linspace(0.0, 0.4, 41)


class Rig:
    """Landmarks and irises of `head`, computed only from the vertices that they need.

    Points 68 and 69 are the irises; a head whose eyes do not turn lacks them. Raises InputError for a head
    whose landmarks are not fixed weighted means of vertices, AssetError for a head without landmarks.
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
        """Return the landmarks and irises in metres."""
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
        """Return angles of the jaw in radians, and the landmarks when only the jaw opens by each of them.

        For a head without a jaw return the angle 0 and the landmarks at rest.
        """
        if "jawPitch" not in self.head.channels:
            return np.zeros(1), self.rest[None, :NUM_IBUG]
        tried = np.zeros((len(_JAW_ANGLES_RAD), len(self.head.channels)))
        tried[:, self.head.channels.index("jawPitch")] = _JAW_ANGLES_RAD
        return _JAW_ANGLES_RAD, self.points(tried)[:, :NUM_IBUG]


def _mixture(head: Head) -> tuple[Int[np.ndarray, "68 corners"], Float[np.ndarray, "68 corners"]]:
    """Return the vertices of each landmark and their weights, from the gradients of the landmark's x."""
    rest = torch.from_numpy(np.asarray(head.template, np.float32))[None]
    vertices = rest.clone().requires_grad_(True)
    marks = head.landmarks(vertices)[0, :, 0]
    shares = torch.stack(
        [torch.autograd.grad(mark, vertices, retain_graph=True)[0][0, :, 0] for mark in marks]
    )
    if not torch.allclose(shares @ rest[0], head.landmarks(rest)[0], atol=1e-5):
        raise InputError(f"The landmarks of {head.name} are not fixed weighted means of its vertices.")
    most = int((shares != 0).sum(dim=1).max())
    corners = shares.abs().topk(most, dim=1).indices
    return corners.numpy(), shares.gather(1, corners).numpy()


def _iris_vertices(head: Head) -> Int[np.ndarray, "2"] | None:
    """Return the foremost vertex that turns with the right and with the left eye; None if no channel turns
    the eyes.
    """
    names = ("eyeLookUpRight", "eyeLookUpLeft")
    # Some heads have a part of its own for the iris, which is the foremost of the eye.
    eye_parts = [head.parts.index(part) for part in ("eye", "iris") if part in head.parts]
    if not set(names) <= set(head.channels) or not eye_parts:
        return None
    looks = torch.zeros(2, len(head.channels))
    looks[[0, 1], [head.channels.index(name) for name in names]] = 0.5
    eyes = np.unique(head.faces[np.isin(head.part_of_face, eye_parts)])
    with torch.inference_mode():
        moved = head(looks, only=torch.from_numpy(eyes)).numpy() - head.template[eyes]
    turning = np.linalg.norm(moved, axis=-1) > _MOVED_M
    if not turning.any(axis=1).all():
        return None
    depth = np.where(turning, head.template[eyes, 2], -np.inf)
    found: np.ndarray = eyes[depth.argmax(axis=1)]
    return found
