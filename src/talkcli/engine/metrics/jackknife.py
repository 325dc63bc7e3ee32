"""The jackknife: how far a measure would move with other clips or other speakers.

Axis names: `clips`. Source: Quenouille (1956), Tukey (1958); groups are left out one after the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from talkcli.engine.metrics.undefined import UndefinedMetricError


def standard_error(
    measure: Callable[[Int[np.ndarray, "chosen"]], float], groups: Int[np.ndarray, "clips"]
) -> float:
    """Return standard error of `measure`, which takes the positions of clips. Clips of equal `groups` are
    left out together: numbers of speakers give the error over speakers, distinct numbers that over clips.

    Undefined for fewer than two groups, and where the measure is for any that are left.
    """
    names = np.unique(groups)
    if len(names) < 2:
        raise UndefinedMetricError("needs two groups or more")
    values = np.array([measure(np.flatnonzero(groups != name)) for name in names])
    return float(np.sqrt((len(names) - 1) * values.var()))
