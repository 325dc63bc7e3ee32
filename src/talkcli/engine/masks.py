"""Masks over time: the runs in which something holds.

Axis names: `steps`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool


def runs(mask: Bool[np.ndarray, "steps"]) -> list[tuple[int, int]]:
    """Return the first index of every run of true values, and the index after its last, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
