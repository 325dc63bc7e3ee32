"""All metrics by name: unit, vertex set, what each needs, and how clips are summed up.

Plain strings, so that help and thresholds need no computation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """One row. `vertices` names what is looked at. `over_clips` says how the values of single clips become
    one: a mean weighted by frames or by phones, a plain mean over clips, the median, or the largest; what is
    pooled has no value for a single clip, and is worked out from the observations of all.
    """

    unit: str
    vertices: str
    needs: Literal["truth", "audio", "phones", "takes", "motion", "reference"]
    over_clips: Literal["frame mean", "phone mean", "clip mean", "median", "largest", "pooled"]
    meaning: str


METRICS: dict[str, MetricInfo] = {
    "lve_mm": MetricInfo(
        unit="mm", vertices="lips", needs="truth", over_clips="frame mean",
        meaning="lip vertex error: largest lip distance per frame",
    ),
    "lve_m2": MetricInfo(
        unit="m2", vertices="lips", needs="truth", over_clips="frame mean",
        meaning="the same, squared, as in CodeTalker's code",
    ),
    "eve_mm": MetricInfo(
        unit="mm", vertices="eyes+forehead", needs="truth", over_clips="frame mean",
        meaning="upper-face vertex error: largest eye or forehead distance per frame",
    ),
    "eve_m2": MetricInfo(
        unit="m2", vertices="eyes+forehead", needs="truth", over_clips="frame mean",
        meaning="the same, squared",
    ),
    "mve_mm": MetricInfo(
        unit="mm", vertices="all", needs="truth", over_clips="clip mean",
        meaning="mean vertex error",
    ),
    "fdd_m2": MetricInfo(
        unit="m2", vertices="upper_face", needs="truth", over_clips="clip mean",
        meaning="upper-face dynamics deviation, signed: positive moves less than the truth",
    ),
    "diversity_mm": MetricInfo(
        unit="mm", vertices="all", needs="takes", over_clips="clip mean",
        meaning="mean vertex distance between the takes of a clip",
    ),
    "diversity_l2": MetricInfo(
        unit="", vertices="coefficients", needs="takes", over_clips="clip mean",
        meaning="mean L2 distance of the takes' whole sequences of coefficients",
    ),
    "sync_r": MetricInfo(
        unit="", vertices="inner lips", needs="audio", over_clips="median",
        meaning="lip opening against the speech envelope, at the best lag within 80 ms",
    ),
    "sync_lag_ms": MetricInfo(
        unit="ms", vertices="inner lips", needs="audio", over_clips="median",
        meaning="that lag; positive: the lips are late",
    ),
    "silence_closed": MetricInfo(
        unit="", vertices="inner lips", needs="audio", over_clips="frame mean",
        meaning="share of the frames in pauses over 200 ms whose lips are within 1 mm of closed",
    ),
    "bilabial_closure": MetricInfo(
        unit="", vertices="inner lips", needs="phones", over_clips="phone mean",
        meaning="share of p, b, m in which the lip gap falls under 1 mm",
    ),
    "labiodental_contact": MetricInfo(
        unit="", vertices="lower_lip", needs="phones", over_clips="phone mean",
        meaning="share of f, v in which the lower lip meets the upper teeth",
    ),
    "false_closure": MetricInfo(
        unit="", vertices="inner lips", needs="phones", over_clips="phone mean",
        meaning="share of vowels over 80 ms inside of which the lips close",
    ),
    "openness_order": MetricInfo(
        unit="", vertices="inner lips", needs="phones", over_clips="pooled",
        meaning="rank correlation of mean lip opening with aa > ae > eh > ih > s",
    ),
    "rounding_mm": MetricInfo(
        unit="mm", vertices="mouth corners", needs="phones", over_clips="pooled",
        meaning="mean mouth width of iy, less that of uw, ow and w",
    ),
    "jump_mm": MetricInfo(
        unit="mm", vertices="lips", needs="motion", over_clips="largest",
        meaning="largest lip step from one frame to the next",
    ),
    "jump_25fps_mm": MetricInfo(
        unit="mm", vertices="lips", needs="motion", over_clips="largest",
        meaning="the same at 25 fps, whatever the motion's rate",
    ),
    "jerk_ratio_lips": MetricInfo(
        unit="", vertices="lips", needs="reference", over_clips="clip mean",
        meaning="jerk above 5 Hz per speed, against the reference's mean",
    ),
    "jerk_ratio_face": MetricInfo(
        unit="", vertices="face", needs="reference", over_clips="clip mean",
        meaning="the same of the face without its eyes",
    ),
}  # fmt: skip
