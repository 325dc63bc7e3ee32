"""One value for all clips from the values of single clips, by the rule of the catalogue; and thresholds on
it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import UsageError
from talkcli.engine.methods import resolve
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.frechet_pool import ComparedMoments
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.clip import Value


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Limit of a metric over all clips."""

    metric: str
    """Name of the metric."""
    limit: float
    """Limit in the unit of the metric."""
    is_floor: bool
    """Whether the value must not be under the limit; else it must not be over it."""

    @classmethod
    def parse(cls, text: str, *, is_floor: bool, known: Collection[str] = METRICS) -> Threshold:
        """Return the threshold that `METRIC=VALUE` states.

        Args:
            text: Text to parse.
            is_floor: Whether the value must not be under the limit; else it must not be over it.
            known: Names that METRIC may have.

        Raises:
            UsageError: For anything else.
        """
        metric, _, limit = text.partition("=")
        if metric not in known:
            near = difflib.get_close_matches(metric, known, n=1)
            raise UsageError(
                f"There is no metric called {metric} here.",
                hint=f"Did you mean {near[0]}?" if near else f"Metrics: {', '.join(known)}.",
            )
        try:
            number = float(limit)
        except ValueError as error:
            raise UsageError(f"{text} is not of the form METRIC=VALUE.") from error
        if math.isnan(number):
            raise UsageError(f"{text}: the value is not a number.")
        return cls(metric=metric, limit=number, is_floor=is_floor)

    def missed(self, overall: Mapping[str, Mapping[str, Any]]) -> str | None:
        """Return the failure in words; None when the threshold is met. A metric without a value fails."""
        found = overall[self.metric]
        value = found["value"]
        if value is None:
            return f"{self.metric} has no value ({found['reason']})"
        if value < self.limit if self.is_floor else value > self.limit:
            side = "under" if self.is_floor else "over"
            return f"{self.metric} is {value:.4g}, {side} {self.limit:g}"
        return None


def over_clips(name: str, values: Sequence[Value]) -> dict[str, Any]:
    """Return one value of the metric `name` for all clips that have one, ready for JSON.

    `spread` describes the values of the clips. A pooled metric has no spread, but `classes`: the mean and the
    number of observations of each phone.
    """
    info = METRICS[name]
    if info.over_clips == "pooled":
        return _pooled(name, values)
    known = [item for item in values if item.value is not None]
    numbers = np.array([item.value for item in known])
    value: float | None = None
    reason = None
    if not known:
        reason = values[0].reason
    elif info.over_clips == "median":
        value = float(np.median(numbers))
    elif info.over_clips == "largest":
        value = float(numbers.max())
    else:
        weights = None if info.over_clips == "clip mean" else [item.weight for item in known]
        value = float(np.average(numbers, weights=weights))
    return _entry(name, value, len(known), reason) | {"spread": _spread(numbers)}


def _spread(numbers: Float[np.ndarray, "clips"]) -> dict[str, float | None] | None:
    """Return the standard deviation (None for a single clip) and the quartiles of values; None
    without any.
    """
    if len(numbers) == 0:
        return None
    first, median, third = np.quantile(numbers, (0.25, 0.5, 0.75)).tolist()
    deviation = float(numbers.std(ddof=1)) if len(numbers) > 1 else None
    return {"sd": deviation, "first_quartile": first, "median": median, "third_quartile": third}


def _pooled(name: str, values: Sequence[Value]) -> dict[str, Any]:
    known = [item.observations for item in values if item.observations is not None]
    if not known:
        return _entry(name, None, 0, values[0].reason) | {"classes": {}, "spread": None}
    if not isinstance(known[0], Mapping):
        moments = _joined(known)
        value, reason = _pool_value(name, moments)
        return _entry(name, value, moments.clips, reason) | {"classes": {}, "spread": None}
    pool = {key: [number for clip in known for number in clip[key]] for key in known[0]}  # type: ignore[index]
    value, reason = _pool_value(name, pool)
    classes = {
        key: {"mean": float(np.mean(found)) if found else None, "count": len(found)}
        for key, found in pool.items()
    }
    return _entry(name, value, len(known), reason) | {"classes": classes, "spread": None}


def _pool_value(name: str, pool: Any) -> tuple[float | None, str | None]:
    """Return the value of a pooled metric, or the reason why there is none."""
    pooling = METRICS[name].pool
    assert pooling is not None, f"{name} is pooled, but its row names no function for that"
    try:
        return resolve(pooling)(pool), None
    except UndefinedMetricError as error:
        return None, str(error)


def _joined(known: Sequence[Any]) -> ComparedMoments:
    """Return the moments of all features."""
    total = ComparedMoments.empty(len(known[0].made.mean))
    for part in known:
        total.join(part)
    return total


def _entry(name: str, value: float | None, clips: int, reason: str | None) -> dict[str, Any]:
    info = METRICS[name]
    return {
        "value": value,
        "unit": info.unit,
        "over_clips": info.over_clips,
        "clips": clips,
        "reason": reason,
    }
