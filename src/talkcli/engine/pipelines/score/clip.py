"""All metrics of one clip: its takes against its true motion, its sound and its words.

Axis names: `frames`, `verts`.
What cannot be computed has no value but a reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from talkcli.engine.errors import AssetError
from talkcli.engine.face.head import Head
from talkcli.engine.metrics.bilabial_closure import bilabial_closure
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.diversity import diversity_l2, diversity_mm
from talkcli.engine.metrics.eve import eve_m2, eve_mm
from talkcli.engine.metrics.false_closure import false_closure
from talkcli.engine.metrics.fdd import fdd_m2
from talkcli.engine.metrics.jerk import jerkiness
from talkcli.engine.metrics.jump import jump_mm
from talkcli.engine.metrics.labiodental_contact import labiodental_contact
from talkcli.engine.metrics.lve import lve_m2, lve_mm
from talkcli.engine.metrics.mve import mve_mm
from talkcli.engine.metrics.openness_order import OPENNESS
from talkcli.engine.metrics.phone_frames import at_middles
from talkcli.engine.metrics.rounding import ROUND, SPREAD
from talkcli.engine.metrics.silence_closed import silence_closed
from talkcli.engine.metrics.sync import sync_correlation
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.surface import Surface, frame_mean, indices, upper_teeth
from talkcli.engine.types import MODEL_FPS, Alignment, Motion, Speech

_POOLED = "pooled over clips"


@dataclass(frozen=True, kw_only=True)
class Value:
    """A measured value with its weight among clips, or the reason why there is none.

    A metric that is pooled over clips has `observations` instead, by class.
    """

    value: float | None
    reason: str | None = None
    weight: float = 1.0
    observations: Mapping[str, Sequence[float]] | None = None


def score_clip(
    head: Head,
    takes: Sequence[Motion],
    true: Motion | None,
    speech: Speech | None,
    alignment: Alignment | str,
    reference: Mapping[str, float] | str = "no reference given",
) -> dict[str, Value]:
    """Every metric of `METRICS`. Over takes: the mean, but `jump_*` the worst, `diversity_*` the spread.

    All motions are of one length. `alignment` is the phones, `reference` the jerkiness of real motion by
    vertex set, or the reason why they are not known.
    """
    surfaces = [Surface(head, motion) for motion in takes]
    at_25_fps = [surface.at(float(MODEL_FPS)) for surface in surfaces]
    values = _measure(
        {
            "diversity_mm": lambda: frame_mean(
                len(surfaces[0]), lambda block: diversity_mm([surface.whole(block) for surface in surfaces])
            ),
            "diversity_l2": lambda: diversity_l2([motion.coeffs for motion in takes]),
            "jump_mm": lambda: max(jump_mm(surface.part("lips")) for surface in surfaces),
            "jump_25fps_mm": lambda: max(jump_mm(surface.part("lips")) for surface in at_25_fps),
        }
    )
    if isinstance(reference, str):
        values |= _undefined("reference", reference)
    else:
        values |= _against_reference(at_25_fps, reference)
    if true is None:
        values |= _undefined("truth", "no true motion given for this clip")
    else:
        values |= _against_truth(surfaces, Surface(head, true), head)
    if speech is None:
        values |= _undefined("audio", "no sound given for this clip")
    else:
        values |= _against_sound(surfaces, speech)
    if isinstance(alignment, str):
        values |= _undefined("phones", alignment)
    else:
        values |= _against_phones(surfaces, head, alignment)
    # In the catalogue's order, and a missing one would be an error.
    return {name: values[name] for name in METRICS}


def _against_truth(surfaces: Sequence[Surface], true: Surface, head: Head) -> dict[str, Value]:
    def mean(name: str, metric: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[], float]:
        part = METRICS[name].vertices
        return lambda: float(np.mean([metric(surface.part(part), true.part(part)) for surface in surfaces]))

    def whole_error(surface: Surface) -> float:
        return frame_mean(len(true), lambda block: mve_mm(surface.whole(block), true.whole(block)))

    def upper_at_rest() -> np.ndarray:
        return head.template[indices(head, METRICS["fdd_m2"].vertices)]

    return _measure(
        {
            "lve_mm": mean("lve_mm", lve_mm),
            "lve_m2": mean("lve_m2", lve_m2),
            "eve_mm": mean("eve_mm", eve_mm),
            "eve_m2": mean("eve_m2", eve_m2),
            "mve_mm": lambda: float(np.mean([whole_error(surface) for surface in surfaces])),
            "fdd_m2": mean("fdd_m2", lambda one, other: fdd_m2(one, other, upper_at_rest())),
        },
        weight=float(len(true)),
    )


def _against_reference(surfaces: Sequence[Surface], reference: Mapping[str, float]) -> dict[str, Value]:
    def ratio(name: str) -> Callable[[], float]:
        part = METRICS[name].vertices
        return lambda: (
            float(np.mean([jerkiness(surface.part(part)) for surface in surfaces])) / reference[part]
        )

    return _measure({name: ratio(name) for name, info in METRICS.items() if info.needs == "reference"})


def _against_sound(surfaces: Sequence[Surface], speech: Speech) -> dict[str, Value]:
    fps = surfaces[0].fps
    # Where the sound has ended there is neither speech nor a pause to compare with.
    num_frames = min(len(surfaces[0]), max(1, round(speech.duration_s * fps)))

    def correlations() -> np.ndarray:
        found = [sync_correlation(surface.gap_mm()[:num_frames], speech, fps) for surface in surfaces]
        return np.mean(found, axis=0)

    return _measure(
        {"sync_r": lambda: correlations()[0], "sync_lag_ms": lambda: correlations()[1]}
    ) | _shares(
        surfaces,
        {"silence_closed": lambda surface: silence_closed(surface.gap_mm()[:num_frames], speech, fps)},
    )


def _against_phones(surfaces: Sequence[Surface], head: Head, alignment: Alignment) -> dict[str, Value]:
    fps = surfaces[0].fps

    def against_teeth(surface: Surface) -> tuple[float, int]:
        teeth = upper_teeth(head)
        at_rest = head.template[indices(head, "lower_lip")]
        return labiodental_contact(surface.part("lower_lip"), at_rest, teeth, alignment, fps)

    shares = _shares(
        surfaces,
        {
            "bilabial_closure": lambda surface: bilabial_closure(surface.gap_mm(), alignment, fps),
            "labiodental_contact": against_teeth,
            "false_closure": lambda surface: false_closure(surface.gap_mm(), alignment, fps),
        },
    )

    def observed(track: Callable[[Surface], np.ndarray], symbols: Sequence[str]) -> Value:
        values: dict[str, list[float]] = {symbol: [] for symbol in symbols}
        try:
            for surface in surfaces:
                for symbol, found in at_middles(track(surface), alignment, symbols, fps).items():
                    values[symbol] += found
        except AssetError as error:
            return Value(value=None, reason=error.problem)
        return Value(value=None, reason=_POOLED, observations=values)

    return shares | {
        "openness_order": observed(Surface.gap_mm, OPENNESS),
        "rounding_mm": observed(Surface.width_mm, (SPREAD, *ROUND)),
    }


def _shares(
    surfaces: Sequence[Surface], metrics: Mapping[str, Callable[[Surface], tuple[float, int]]]
) -> dict[str, Value]:
    """Shares with the number of what was counted as their weight; over takes, the mean of both."""
    values = {}
    for name, metric in metrics.items():
        try:
            share, count = np.mean([metric(surface) for surface in surfaces], axis=0)
            values[name] = Value(value=float(share), weight=float(count))
        except UndefinedMetricError as error:
            values[name] = Value(value=None, reason=str(error))
        except AssetError as error:
            values[name] = Value(value=None, reason=error.problem)
    return values


def _measure(metrics: Mapping[str, Callable[[], float]], weight: float = 1.0) -> dict[str, Value]:
    values = {}
    for name, metric in metrics.items():
        try:
            number = float(metric())
            finite = math.isfinite(number)
            values[name] = Value(
                value=number if finite else None,
                reason=None if finite else "not a finite number",
                weight=weight,
            )
        except UndefinedMetricError as error:
            values[name] = Value(value=None, reason=str(error))
        except AssetError as error:
            values[name] = Value(value=None, reason=error.problem)
    return values


def _undefined(needs: str, reason: str) -> dict[str, Value]:
    return {name: Value(value=None, reason=reason) for name, info in METRICS.items() if info.needs == needs}
