"""Dynamics and synchrony of films, as THEval (2025) measures them on detected landmarks.

Axis names: `frames`, `points`, `values` (of metrics). The functions take what a detector of faces found:
angles in degrees, and points in pixels. Source: the public scripts of THEval.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist

from talkcli.engine.metrics.undefined import UndefinedMetricError

# What the script adds to the range of a track before it divides by it.
_TINY = 1e-8


def head_motion_dynamics(
    angles_deg: Float[np.ndarray, "frames 3"], centre: Float[np.ndarray, "frames 2"]
) -> float:
    """Return the root of spread of the angles times variance of their steps, plus variance of the centre.

    Units are mixed, and the part in pixels dominates.

    Args:
        angles_deg: Pitch, yaw and roll in degrees.
        centre: Centre of the face's box in pixels.
    """
    steps = np.diff(angles_deg, axis=0).var(axis=0).mean()
    return float(np.sqrt(angles_deg.std(axis=0).mean() * steps + centre.var(axis=0).mean()))


def lip_dynamics(points: Float[np.ndarray, "frames points 2"]) -> float:
    """Return the mean over pairs of lip points of the spread (population) of their distance, in pixels."""
    return float(np.stack([pdist(frame) for frame in points]).std(axis=0).mean())


def lip_sync(opening: Float[np.ndarray, "frames"], volume: Float[np.ndarray, "frames"]) -> float:
    """Return the mean absolute difference of lip opening and volume, each scaled to [0, 1]; lower is better.

    Raises UndefinedMetricError when either never changes.
    """
    scaled = []
    for track in (opening, volume):
        if np.ptp(track) == 0:
            raise UndefinedMetricError("the lips or the sound never change")
        scaled.append((track - track.min()) / (np.ptp(track) + _TINY))
    return float(np.abs(scaled[0] - scaled[1]).mean())


def final_score(values: Float[np.ndarray, "values"], true: Float[np.ndarray, "values"]) -> float:
    """Return the mean of 1 - |value - truth| / truth over all metrics; nothing bounds it below."""
    return float((1 - np.abs(values - true) / true).mean())
