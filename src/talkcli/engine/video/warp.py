"""Smooth warp of space that moves given points by given offsets: it puts a person's shape on any head.

Axis names: `points`, `verts`. All lengths are in metres.
Source: radial basis functions with the distance itself as kernel, the biharmonic spline of three dimensions
(Duchon 1977), with an affine part. The spline is smoothed, since the offsets of close points may disagree.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import RBFInterpolator

# Smoothing of the spline; 0 would move every point exactly by its offset.
_SLACK = 2e-3


class Warp:
    """Displacement field, interpolated from the offsets of some points."""

    def __init__(self, points: Float[np.ndarray, "points 3"], offsets: Float[np.ndarray, "points 3"]) -> None:
        # Upper and lower lip share positions at rest; the spline gets the mean of their offsets.
        places, group = np.unique(points.round(5), axis=0, return_inverse=True)
        count = np.bincount(group.ravel())
        mean = np.stack([np.bincount(group.ravel(), column) / count for column in offsets.T], -1)
        self._spline = RBFInterpolator(places, mean, smoothing=_SLACK, kernel="linear", degree=1)

    def __call__(self, at: Float[np.ndarray, "verts 3"]) -> Float[np.ndarray, "verts 3"]:
        """Return the displacement at each of `at`."""
        moved: np.ndarray = self._spline(at)
        return moved
