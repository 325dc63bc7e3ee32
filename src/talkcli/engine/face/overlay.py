"""The similarity that lays one set of points over another. Axis names: `points`. Source: Umeyama (1991)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """`scale` times `turn` times a point, plus `shift`."""

    scale: float
    turn: Float[np.ndarray, "3 3"]
    shift: Float[np.ndarray, "3"]

    def __call__(self, points: Float[np.ndarray, "*many 3"]) -> Float[np.ndarray, "*many 3"]:
        """Return `points` laid over."""
        return self.vectors(points) + self.shift

    def vectors(self, vectors: Float[np.ndarray, "*many 3"]) -> Float[np.ndarray, "*many 3"]:
        """Return differences of points laid over."""
        found: np.ndarray = self.scale * vectors @ self.turn.T
        return found

    def back(self, points: Float[np.ndarray, "*many 3"]) -> Float[np.ndarray, "*many 3"]:
        """Return where `points` come from."""
        return self.vectors_back(points - self.shift)

    def vectors_back(self, vectors: Float[np.ndarray, "*many 3"]) -> Float[np.ndarray, "*many 3"]:
        """Return where differences of points come from."""
        found: np.ndarray = vectors @ self.turn / self.scale
        return found


def overlay(
    source: Float[np.ndarray, "points 3"], target: Float[np.ndarray, "points 3"], *, rigid: bool = False
) -> Overlay:
    """Return the similarity of least squares from `source` to `target`; with `rigid`, of scale 1."""
    first, second = source - source.mean(axis=0), target - target.mean(axis=0)
    left, sizes, right = np.linalg.svd(second.T @ first)
    signs = np.array([1.0, 1.0, 1.0 if np.linalg.det(left @ right) >= 0 else -1.0])
    turn = (left * signs) @ right
    scale = 1.0 if rigid else float((sizes * signs).sum() / max(float((first**2).sum()), 1e-12))
    return Overlay(scale=scale, turn=turn, shift=target.mean(axis=0) - scale * turn @ source.mean(axis=0))
