"""The jackknife: a standard error of a measure, over clips or over speakers.

Axis names: `clips`. Source: Quenouille (1956), Tukey (1958). The groups are left out one after the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from talkcli.engine.metrics.undefined import UndefinedMetricError


def standard_error(
    measure: Callable[[Int[np.ndarray, "chosen"]], float], groups: Int[np.ndarray, "clips"]
) -> float:
    """Return the jackknife's standard error of `measure`, in the measure's unit.

    Args:
        measure: Function from the positions of clips to their value.
        groups: Group of each clip. Clips of one group are left out together: numbers of speakers give the
            error over speakers, a different number for each clip gives the error over clips.

    Raises:
        UndefinedMetricError: For fewer than two groups, and when `measure` is undefined without one of them.
    """
    names = np.unique(groups)
    if len(names) < 2:
        raise UndefinedMetricError("needs two groups or more")
    values = np.array([measure(np.flatnonzero(groups != name)) for name in names])
    return float(np.sqrt((len(names) - 1) * values.var()))
