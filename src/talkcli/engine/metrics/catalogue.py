"""Catalogue of all metrics by name: the function that measures, its unit, vertex set and input, and how
values are summed up over clips.

To add a metric, write its file beside this one and add its row here; `talk score` needs nothing else. Rows
hold strings only, so that help and thresholds import no computation. The rows of the variants that single
papers' scripts compute (`name@source`) are in `paper_metrics.py`, those of metrics that need a network in
`judged_metrics.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from talkcli.engine.errors import UsageError
from talkcli.engine.metrics.judged_metrics import JUDGED_METRICS
from talkcli.engine.metrics.metric_info import MetricInfo
from talkcli.engine.metrics.paper_metrics import PAPER_METRICS

__all__ = ["METRICS", "MetricInfo", "chosen_metrics", "shown_metrics"]

_METRICS = "talkcli.engine.metrics"


METRICS: dict[str, MetricInfo] = {
    "lve_mm": MetricInfo(
        measure=f"{_METRICS}.lve:measure_mm",
        unit="mm", vertices="lips", needs="truth", over_clips="frame mean",
        meaning="lip vertex error: largest lip distance per frame",
        better="lower",
    ),
    "lve_m2": MetricInfo(
        measure=f"{_METRICS}.lve:measure_m2",
        unit="m2", vertices="lips", needs="truth", over_clips="frame mean",
        meaning="the square of lve_mm's distance, as in CodeTalker's code",
        better="lower",
    ),
    "eve_mm": MetricInfo(
        measure=f"{_METRICS}.eve:measure_mm",
        unit="mm", vertices="eyes+forehead", needs="truth", over_clips="frame mean",
        meaning="upper-face vertex error: largest eye or forehead distance per frame",
        better="lower",
    ),
    "eve_m2": MetricInfo(
        measure=f"{_METRICS}.eve:measure_m2",
        unit="m2", vertices="eyes+forehead", needs="truth", over_clips="frame mean",
        meaning="the square of eve_mm's distance",
        better="lower",
    ),
    "mve_mm": MetricInfo(
        measure=f"{_METRICS}.mve:measure",
        unit="mm", vertices="all", needs="truth", over_clips="clip mean",
        meaning="mean vertex error",
        better="lower",
    ),
    "fdd_m2": MetricInfo(
        measure=f"{_METRICS}.fdd:measure",
        unit="m2", vertices="upper_face", needs="truth", over_clips="clip mean",
        meaning="upper-face dynamics deviation, signed: positive moves less than the truth",
        better="near zero",
    ),
    "mod_mm": MetricInfo(
        measure=f"{_METRICS}.mod:measure_mm",
        unit="mm", vertices="inner lips", needs="truth", over_clips="clip mean",
        meaning="mouth-opening difference: mean difference of lip opening and true one",
        better="lower",
    ),
    "lip_dtw_mm": MetricInfo(
        measure=f"{_METRICS}.lip_dtw:measure",
        unit="mm", vertices="inner lips", needs="truth", over_clips="clip mean",
        meaning="mouth-opening difference after time warping, which forgives bad timing",
        better="lower",
    ),
    "mtm_ms": MetricInfo(
        measure=f"{_METRICS}.mtm:measure_ms",
        unit="ms", vertices="middle of the lips", needs="truth", over_clips="clip mean",
        meaning="mean temporal misalignment of openings and closings with the true ones",
        better="lower",
    ),
    "mee_mm": MetricInfo(
        measure=f"{_METRICS}.takes_error:measure_mee_mm",
        unit="mm", vertices="lips", needs="takes and truth", over_clips="frame mean",
        meaning="lip vertex error of the mean of the takes", shown=False,
        better="lower",
    ),
    "ce_mm": MetricInfo(
        measure=f"{_METRICS}.takes_error:measure_ce_mm",
        unit="mm", vertices="lips", needs="takes and truth", over_clips="frame mean",
        meaning="lip vertex error of each clip's best take", shown=False,
        better="lower",
    ),
    "diversity_mm": MetricInfo(
        measure=f"{_METRICS}.diversity:measure_mm",
        unit="mm", vertices="all", needs="takes", over_clips="clip mean",
        meaning="mean vertex distance between the takes of a clip",
    ),
    "diversity_l2": MetricInfo(
        measure=f"{_METRICS}.diversity:measure_l2",
        unit="", vertices="coefficients", needs="takes", over_clips="clip mean",
        meaning="mean L2 distance of the takes' whole sequences of coefficients",
    ),
    "sync_r": MetricInfo(
        measure=f"{_METRICS}.sync:measure_r",
        unit="", vertices="inner lips", needs="audio", over_clips="median",
        meaning="correlation of lip opening and speech envelope, at the best lag within 80 ms",
        better="higher",
    ),
    "sync_lag_ms": MetricInfo(
        measure=f"{_METRICS}.sync:measure_lag_ms",
        unit="ms", vertices="inner lips", needs="audio", over_clips="median",
        meaning="lag of the best sync_r; positive when the lips are late",
        better="near zero",
    ),
    "envelope_lag_ms": MetricInfo(
        measure=f"{_METRICS}.sync:measure_wide_lag_ms",
        unit="ms", vertices="inner lips", needs="audio", over_clips="median",
        meaning="the same within 400 ms", shown=False,
        better="near zero",
    ),
    "silence_closed": MetricInfo(
        measure=f"{_METRICS}.silence_closed:measure",
        unit="", vertices="inner lips", needs="audio", over_clips="frame mean",
        group="lips",
        meaning="share of the frames in pauses over 200 ms whose lips are within 1 mm of closed",
        better="higher",
    ),
    "bilabial_closure": MetricInfo(
        measure=f"{_METRICS}.bilabial_closure:measure",
        unit="", vertices="inner lips", needs="phones", over_clips="phone mean",
        group="lips",
        meaning="share of p, b, m in which the lip gap falls under 1 mm",
        better="higher",
    ),
    "labiodental_contact": MetricInfo(
        measure=f"{_METRICS}.labiodental_contact:measure",
        unit="", vertices="lower_lip", needs="phones", over_clips="phone mean",
        group="lips",
        meaning="share of f, v in which the lower lip meets the upper teeth",
        better="higher",
    ),
    "false_closure": MetricInfo(
        measure=f"{_METRICS}.false_closure:measure",
        unit="", vertices="inner lips", needs="phones", over_clips="phone mean",
        group="lips",
        meaning="share of vowels over 80 ms during which the lips close",
        better="lower",
    ),
    "closure_precision": MetricInfo(
        measure=f"{_METRICS}.closure_precision:measure_precision",
        unit="", vertices="inner lips", needs="phones", over_clips="phone mean",
        group="lips",
        meaning="share of shown lip closures that belong to a p, b, m or a silence",
        better="higher",
    ),
    "closure_chance": MetricInfo(
        measure=f"{_METRICS}.closure_precision:measure_chance",
        unit="", vertices="inner lips", needs="phones", over_clips="phone mean",
        group="lips",
        meaning="share of 60 ms windows away from p, b, m and silence with closed lips",
    ),
    "openness_order": MetricInfo(
        measure=f"{_METRICS}.openness_order:measure", pool=f"{_METRICS}.openness_order:openness_order",
        unit="", vertices="inner lips", needs="phones", over_clips="pooled",
        group="lips",
        meaning="rank correlation of mean lip opening with aa > ae > eh > ih > s",
        better="higher",
    ),
    "rounding_mm": MetricInfo(
        measure=f"{_METRICS}.rounding:measure", pool=f"{_METRICS}.rounding:rounding_mm",
        unit="mm", vertices="mouth corners", needs="phones", over_clips="pooled",
        group="lips",
        meaning="mean mouth width of iy, less that of uw, ow and w",
        better="higher",
    ),
    "opening_r": MetricInfo(
        measure=f"{_METRICS}.real_mouth:measure_opening_r",
        unit="", vertices="inner lips", needs="truth and audio", over_clips="median",
        meaning="lip opening against the true one, r at the best lag within 80 ms",
        better="higher",
    ),
    "opening_energy_r": MetricInfo(
        measure=f"{_METRICS}.real_mouth:measure_energy_r",
        unit="", vertices="inner lips", needs="truth and audio", over_clips="median",
        meaning="the same of the sound's log energy: what loudness alone would reach",
    ),
    "opening_gain": MetricInfo(
        measure=f"{_METRICS}.real_mouth:measure_gain",
        unit="", vertices="inner lips", needs="truth and audio", over_clips="median",
        meaning="how much better the lips correlate with the true ones than loudness does",
        better="higher",
    ),
    "width_r": MetricInfo(
        measure=f"{_METRICS}.real_mouth:measure_width_r",
        unit="", vertices="mouth corners", needs="truth and audio", over_clips="median",
        meaning="mouth width against the true one, r at the best lag within 80 ms",
        better="higher",
    ),
    "head_speed_deg_s": MetricInfo(
        measure=f"{_METRICS}.liveliness:measure_head_speed",
        unit="deg/s", vertices="all", needs="motion", over_clips="median",
        group="lively",
        meaning="mean speed at which the head turns",
    ),
    "head_beats": MetricInfo(
        measure=f"{_METRICS}.beats:measure_head",
        unit="", vertices="all", needs="audio", over_clips="clip mean",
        group="lively",
        meaning="nearness of the accents of the speech to moments at which the head slows down",
        better="higher",
    ),
    "brow_sd": MetricInfo(
        measure=f"{_METRICS}.liveliness:measure_brow_sd",
        unit="", vertices="coefficients", needs="motion", over_clips="median",
        group="lively",
        meaning="standard deviation of browInnerUp",
    ),
    "gap_mean_mm": MetricInfo(
        measure=f"{_METRICS}.liveliness:measure_gap_mean",
        unit="mm", vertices="inner lips", needs="motion", over_clips="median",
        group="lively",
        meaning="mean lip opening",
    ),
    "closed_share": MetricInfo(
        measure=f"{_METRICS}.liveliness:measure_closed_share",
        unit="", vertices="inner lips", needs="motion", over_clips="median",
        group="lively",
        meaning="share of all frames whose lips are within 1 mm of closed",
    ),
    "asymmetry": MetricInfo(
        measure=f"{_METRICS}.liveliness:measure_asymmetry",
        unit="", vertices="coefficients", needs="motion", over_clips="median",
        group="lively",
        meaning="mean difference of left and right channels",
    ),
    "blinks_per_min": MetricInfo(
        measure=f"{_METRICS}.liveliness:measure_blink_rate",
        unit="", vertices="coefficients", needs="motion", over_clips="clip mean",
        group="lively",
        meaning="blinks per minute",
    ),
    "jump_mm": MetricInfo(
        measure=f"{_METRICS}.jump:measure", over_takes="largest",
        unit="mm", vertices="lips", needs="motion", over_clips="largest",
        meaning="largest distance that a lip vertex moves from one frame to the next",
        better="lower",
    ),
    "jump_25fps_mm": MetricInfo(
        measure=f"{_METRICS}.jump:measure_25fps", over_takes="largest",
        unit="mm", vertices="lips", needs="motion", over_clips="largest",
        meaning="the same at 25 fps, whatever the frame rate of the motion",
        better="lower",
    ),
    "jerk_ratio_lips": MetricInfo(
        measure=f"{_METRICS}.jerk:measure_lips",
        unit="", vertices="lips", needs="reference", over_clips="clip mean",
        meaning="jerk above 5 Hz per speed, divided by its mean over the reference",
    ),
    "jerk_ratio_face": MetricInfo(
        measure=f"{_METRICS}.jerk:measure_face",
        unit="", vertices="face", needs="reference", over_clips="clip mean",
        meaning="the same ratio for the face without the eye region",
    ),
} | JUDGED_METRICS | PAPER_METRICS  # fmt: skip


def shown_metrics() -> list[str]:
    """Return the names of the metrics that `talk score` measures by default, in the catalogue's order."""
    return [name for name, info in METRICS.items() if info.shown]


def chosen_metrics(patterns: Sequence[str]) -> list[str]:
    """Return the names of the metrics that `patterns` choose, in the catalogue's order.

    Args:
        patterns: Names, or patterns in which * and ? stand for any letters (`lve@*`). Without any, the
            metrics that `talk score` measures by default.

    Raises:
        UsageError: For a name or pattern that no metric has.
    """
    if not patterns:
        return shown_metrics()
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in METRICS):
            near = difflib.get_close_matches(pattern, METRICS, n=3)
            raise UsageError(
                f"There is no metric called {pattern}.",
                hint=f"Did you mean {' or '.join(near)}?" if near else f"Metrics: {', '.join(METRICS)}.",
            )
    return [name for name in METRICS if any(fnmatchcase(name, pattern) for pattern in patterns)]
