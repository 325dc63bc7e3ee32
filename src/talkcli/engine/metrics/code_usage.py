"""Usage of a codebook: how many of its codes a model uses, and how evenly.

Axis names: `steps` (of all clips), `classes` (codes of the book). Source: van den Oord et al. (2017) for
perplexity. A codebook of which few codes are used has collapsed.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.metrics.undefined import UndefinedMetricError


def code_shares(used: Int[np.ndarray, "..."], num_codes: int) -> Float[np.ndarray, "classes"]:
    """Return the share of each of `num_codes` codes among the used ones.

    Raises UndefinedMetricError when none was used, and ValueError for a code that does not exist.
    """
    if used.size == 0:
        raise UndefinedMetricError("no code was used")
    if not 0 <= used.min() <= used.max() < num_codes:
        raise ValueError(f"codes from {used.min()} to {used.max()}, but there are {num_codes}")
    return np.bincount(used.ravel(), minlength=num_codes) / used.size


def usage(shares: Float[np.ndarray, "classes"]) -> float:
    """Return the share of the codes that are used at all."""
    return float((shares > 0).mean())


def perplexity(shares: Float[np.ndarray, "classes"]) -> float:
    """Return the exponential of the entropy of the shares: from 1 to the number of codes."""
    used = shares[shares > 0]
    return float(np.exp(-(used * np.log(used)).sum()))
