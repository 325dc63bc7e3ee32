"""Semantic relevance gesture recall: the share of joints that are near the true ones.

Axis names: `frames`, `joints`. Positions are in metres. Source: EMAGE (BEAT; Liu et al. 2022), whose tools of
today and scripts of 2024 measure the distance in two ways; their thresholds are not interchangeable. It is a
metric of bodies: for faces talk offers the functions and has no row in the catalogue.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Joints = Float[np.ndarray, "frames joints 3"]

# What the scripts divide semantic weights by.
WEIGHT_SCALE = 0.165


def srgr(
    predicted: Joints, true: Joints, threshold: float, weights: Float[np.ndarray, "frames"] | None = None
) -> float:
    """Return the share of joints whose L2 error is under `threshold`; `weights` divided by 0.165 weigh
    frames.
    """
    near = (np.linalg.norm(predicted - true, axis=2) < threshold).mean(axis=1)
    return float((near if weights is None else near * weights / WEIGHT_SCALE).mean())


def srgr_2024(
    predicted: Joints, true: Joints, threshold: float, weights: Float[np.ndarray, "frames"]
) -> float:
    """Return the same of the L1 error, as in the scripts of 2024."""
    near = (np.abs(predicted - true).sum(axis=2) < threshold).mean(axis=1)
    return float((near * weights / WEIGHT_SCALE).mean())
