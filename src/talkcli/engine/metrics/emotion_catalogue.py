"""All measures of `talk score --table emotion` by name, as plain strings: thresholds need no computation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class EmotionMeasure:
    """One row of the table. `unit` is empty for shares and ratios. `against` says whose origin the number
    stands on: the clips' true motion, or that which the classifier of motion was trained on.
    """

    meaning: str
    unit: str = ""
    against: Literal["truth", "training_set"] | None = None


EMOTION_MEASURES: dict[str, EmotionMeasure] = {
    "emotion_uar": EmotionMeasure(
        meaning="speech named by the model's own classifier, or else by its anchors"
    ),
    "anchor_uar": EmotionMeasure(meaning="speech named by the nearest of the model's anchors"),
    "motion_uar": EmotionMeasure(
        meaning="true motion named by the model's own classifier, or else by its anchors", against="truth"
    ),
    "audio_to_motion_top1": EmotionMeasure(
        meaning="speech whose nearest motion has its emotion", against="truth"
    ),
    "audio_to_motion_recall5": EmotionMeasure(meaning="the same among the five nearest", against="truth"),
    "audio_to_motion_choice": EmotionMeasure(
        meaning="speech that chooses right from one motion of each emotion", against="truth"
    ),
    "motion_to_audio_top1": EmotionMeasure(
        meaning="motion whose nearest speech has its emotion", against="truth"
    ),
    "motion_to_audio_recall5": EmotionMeasure(meaning="the same among the five nearest", against="truth"),
    "motion_to_audio_choice": EmotionMeasure(
        meaning="motion that chooses right from one speech of each emotion", against="truth"
    ),
    "confident_ratio": EmotionMeasure(
        meaning="how many times as often the surer half of the speech is named right"
    ),
    "named_true": EmotionMeasure(
        meaning="true motion named by a classifier trained on true motion: its ceiling",
        against="training_set",
    ),
    "named_generated": EmotionMeasure(
        meaning="motion made from speech, named by that classifier", against="training_set"
    ),
    "named_directed": EmotionMeasure(
        meaning="motion that was asked for an emotion, named as that", against="training_set"
    ),
    "swap_ratio": EmotionMeasure(
        meaning="another clip's emotion changes the upper face so many times as much as closures of p, b, m"
    ),
    "swap_closed_ratio": EmotionMeasure(meaning="the same for all frames in which the lips are closed"),
    "swap_opening_ratio": EmotionMeasure(meaning="the same for the lip opening of all frames"),
    "swap_upper_mm": EmotionMeasure(meaning="what it changes in the upper face", unit="mm"),
    "swap_bilabial_mm": EmotionMeasure(meaning="what it changes in the smallest gap of p, b, m", unit="mm"),
    "swap_closed_mm": EmotionMeasure(meaning="what it changes where the lips are closed", unit="mm"),
    "swap_opening_mm": EmotionMeasure(meaning="what it changes in the lip opening of all frames", unit="mm"),
}
