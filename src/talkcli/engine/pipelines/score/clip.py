"""All metrics of one clip: its takes against its true motion, its sound and its words.

A metric that cannot be computed has a reason in place of a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from talkcli.engine.errors import AssetError
from talkcli.engine.face.surface import Surface
from talkcli.engine.methods import resolve
from talkcli.engine.metrics.catalogue import METRICS, MetricInfo, shown_metrics
from talkcli.engine.metrics.take import Compared, Observations, Running, Share
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.face_pictures import FacePictures
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import Alignment, Speech

# Reason in place of the value that a pooled metric has for all clips only.
_POOLED = "pooled over clips"


@dataclass(frozen=True, kw_only=True)
class Value:
    """A measured value, or the reason why there is none."""

    value: float | None
    """Value in the unit of the metric; None when there is a reason or observations."""
    reason: str | None = None
    """Reason why there is no value, for tables."""
    weight: float = 1.0
    """Weight of the value in a weighted mean over clips."""
    observations: Observations | Compared | Running | None = None
    """Observations of a pooled metric: by symbol of the phone; features, of which `gathered` keeps the
    moments; or what it adds up. None for other metrics."""


@dataclass(frozen=True, kw_only=True)
class SeenFaces:
    """Pictures of the faces of a clip whose videos are scored."""

    takes: Sequence[FacePictures]
    """Pictures of each take."""
    true: FacePictures | None
    """Pictures to compare with; None without any."""


def score_clip(
    takes: Sequence[Surface],
    true: Surface | None,
    speech: Speech | None,
    alignment: Alignment | str,
    reference: Mapping[str, float] | str = "no reference given",
    metrics: Sequence[str] | None = None,
    seen: SeenFaces | None = None,
    missing: Mapping[str, str] | None = None,
    speaker: str | None = None,
) -> dict[str, Value]:
    """Measure metrics of `METRICS` on a clip.

    Args:
        takes: Takes of the clip, all of one length and frame rate.
        true: True motion, of that length and frame rate; None when there is none.
        speech: Sound of the clip; None when there is none.
        alignment: Phones of the speech and their times, or the reason why they are unknown.
        reference: Mean over real motion of each metric that is divided by it, by the metric's name, or the
            reason why it is unknown.
        metrics: Names of the metrics; None for those that are measured by default.
        seen: Pictures of the faces where videos are scored; None where talk draws them.
        missing: Reasons why there is no `truth` or `audio`, by these words; None for the usual ones.
        speaker: Name of the speaker; None when it is unknown.
    """
    shown: Sequence[FacePictures | None] = [None] * len(takes) if seen is None else seen.takes
    measured = [Measured(surface, pictures) for surface, pictures in zip(takes, shown, strict=True)]
    # Second argument of a row's function by what the row needs, or the reason why it is missing.
    given: dict[str, Any] = {
        "truth": "no true motion given for this clip"
        if true is None
        else Measured(true, None if seen is None else seen.true),
        "audio": "no sound given for this clip" if speech is None else speech,
        "truth and audio": "no true motion and sound given for this clip",
        "speaker and audio": "no sound with a speaker's name given for this clip",
        "phones": alignment,
        "reference": reference,
    }
    for what, reason in (missing or {}).items():
        given[what] = given["truth and audio"] = reason
    if true is not None and speech is not None:
        given["truth and audio"] = (given["truth"], speech)
    if speaker is not None and speech is not None:
        given["speaker and audio"] = (speaker, speech)
    given["takes and truth"] = given["truth"]
    values = {}
    for name in shown_metrics() if metrics is None else metrics:
        info = METRICS[name]
        beside = given.get(info.needs)
        if isinstance(beside, str):
            values[name] = Value(value=None, reason=beside)
            continue
        try:
            values[name] = _value(name, info, measured, beside)
        except UndefinedMetricError as error:
            values[name] = Value(value=None, reason=str(error))
        except AssetError as error:
            values[name] = Value(value=None, reason=error.problem)
    return values


def _value(name: str, info: MetricInfo, takes: Sequence[Measured], beside: Any) -> Value:
    """Measure one metric.

    Args:
        name: Name of the metric.
        info: Row of the metric.
        takes: Takes of the clip.
        beside: Second argument of the row's function; None when it takes the motion alone.

    Raises:
        UndefinedMetricError: When the metric has no value.
        AssetError: When the topology lacks what the metric needs.
    """
    measure: Callable[..., float | Share | Observations | Compared | Running] = resolve(info.measure)
    found: list[Any]
    if info.needs in ("takes", "takes and truth"):
        found = [measure(takes) if info.needs == "takes" else measure(takes, beside)]
    else:
        alone = info.needs in ("motion", "reference")
        found = [measure(take) if alone else measure(take, beside) for take in takes]
    if isinstance(found[0], Share):
        share, count = np.mean(found, axis=0)
        return Value(value=float(share), weight=float(count))
    if isinstance(found[0], Compared):
        return Value(value=None, reason=_POOLED, observations=found[0])
    if isinstance(found[0], Running):
        total = found[0]
        for each in found[1:]:
            total.join(each)
        total.clips = 1
        return Value(value=None, reason=_POOLED, observations=total)
    if isinstance(found[0], Mapping):
        pool = {key: [number for observed in found for number in observed[key]] for key in found[0]}
        return Value(value=None, reason=_POOLED, observations=pool)
    number = float(max(found) if info.over_takes == "largest" else np.mean(found))
    if info.needs == "reference":
        number /= beside[name]
    return _finite(number, weight=float(takes[0].num_frames))


def _finite(number: float, weight: float = 1.0) -> Value:
    finite = math.isfinite(number)
    return Value(
        value=number if finite else None, reason=None if finite else "not a finite number", weight=weight
    )
