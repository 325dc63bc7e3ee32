"""One value for all clips from the values of single clips, by the rule of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.checkpoints.judge_weights import judge_of
from talkcli.engine.methods import resolve
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.frechet_pool import ComparedMoments
from talkcli.engine.metrics.take import Compared, Running
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.clip import Value

_NO_SPREAD: dict[str, Any] = {"spread": None}


def over_clips(name: str, values: Sequence[Value], *, of_videos: bool = False) -> dict[str, Any]:
    """Return one value of the metric `name` for all clips that have one, ready for JSON.

    `spread` describes the values of the clips. A pooled metric has no spread; one of phones has `classes`:
    the mean and the number of observations of each phone. `judge` has the name of the network that judged and
    the hash of its weights; None for a metric without one, and without its weights. `of_videos` says that the
    values are of videos, which a judge of pictures sees in place of drawings.
    """
    found = _over_clips(name, values)
    judge = found["judge"]
    if of_videos and judge is not None and METRICS[name].judge_of_videos:
        judge["name"] = METRICS[name].judge_of_videos
    return found


def _over_clips(name: str, values: Sequence[Value]) -> dict[str, Any]:
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
    return _entry(name, value, len(known), reason) | {"spread": spread(numbers)}


def spread(numbers: Float[np.ndarray, "clips"]) -> dict[str, float | None] | None:
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
    of_phones = METRICS[name].needs == "phones"
    if not known:
        return _entry(name, None, 0, values[0].reason) | ({"classes": {}} if of_phones else {}) | _NO_SPREAD
    if not isinstance(known[0], Mapping):
        total = _joined(known)
        value, reason = _pool_value(name, total)
        return _entry(name, value, total.clips, reason) | _NO_SPREAD
    observed: list[Any] = known
    pool = {key: [number for clip in observed for number in clip[key]] for key in known[0]}
    value, reason = _pool_value(name, pool)
    if not of_phones:
        return _entry(name, value, len(known), reason) | _NO_SPREAD
    classes = {
        key: {"mean": float(np.mean(found)) if found else None, "count": len(found)}
        for key, found in pool.items()
    }
    return _entry(name, value, len(known), reason) | {"classes": classes} | _NO_SPREAD


def _pool_value(name: str, pool: Any) -> tuple[float | None, str | None]:
    """Return the value of a pooled metric, or the reason why there is none."""
    pooling = METRICS[name].pool
    assert pooling is not None, f"{name} is pooled, but its row names no function for that"
    try:
        return resolve(pooling)(pool), None
    except UndefinedMetricError as error:
        return None, str(error)


def _joined(known: Sequence[Any]) -> Running:
    """Return the sum of what clips keep, which stays as it is."""
    parts = [ComparedMoments.of(part) if isinstance(part, Compared) else part for part in known]
    total = deepcopy(parts[0])
    for part in parts[1:]:
        total.join(part)
    return total


def _entry(name: str, value: float | None, clips: int, reason: str | None) -> dict[str, Any]:
    info = METRICS[name]
    judge = judge_of(info.weights, info.judge) if info.weights else None
    return {
        "value": value,
        "unit": info.unit,
        "over_clips": info.over_clips,
        "clips": clips,
        "reason": reason,
        "judge": None if judge is None else asdict(judge),
    }
