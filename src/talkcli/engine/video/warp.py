"""A smooth bending of space that carries some points where they should be: a person's shape on any head.

Axis names: `points`, `verts`. Metres.
Source: radial basis functions with the distance itself as kernel, the biharmonic spline of three dimensions
(Duchon 1977), with an affine part; a little slack, since points close together may disagree.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import RBFInterpolator

_SLACK = 2e-3


class Warp:
    """Displacements everywhere from those of some points."""

    def __init__(self, points: Float[np.ndarray, "points 3"], offsets: Float[np.ndarray, "points 3"]) -> None:
        # Upper and lower lip share points at rest.
        places, group = np.unique(points.round(5), axis=0, return_inverse=True)
        count = np.bincount(group.ravel())
        mean = np.stack([np.bincount(group.ravel(), column) / count for column in offsets.T], -1)
        self._spline = RBFInterpolator(places, mean, smoothing=_SLACK, kernel="linear", degree=1)

    def __call__(self, at: Float[np.ndarray, "verts 3"]) -> Float[np.ndarray, "verts 3"]:
        """Return the displacement at each of `at`."""
        moved: np.ndarray = self._spline(at)
        return moved
