"""Catalogue of the measures of `talk score emotion` by name.

Rows hold strings only, so that help and thresholds import no computation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class EmotionMeasure:
    """One row of the catalogue."""

    meaning: str
    """Meaning of the value in words, for tables."""
    unit: str = ""
    """Unit of the value; empty for shares and ratios."""
    against: Literal["truth", "training_set"] | None = None
    """Motion whose origin a report states beside the value: the clips' true motion, or the motion that the
    classifier of motion was trained on; None where the value depends on neither."""


EMOTION_MEASURES: dict[str, EmotionMeasure] = {
    "emotion_uar": EmotionMeasure(
        meaning="recall of the emotion of speech by the model's classifier, else by its anchors"
    ),
    "anchor_uar": EmotionMeasure(meaning="recall of the emotion of speech by the nearest anchor"),
    "motion_uar": EmotionMeasure(
        meaning="recall of the emotion of true motion by the model's classifier, else by its anchors",
        against="truth",
    ),
    "audio_to_motion_top1": EmotionMeasure(
        meaning="share of speech whose nearest motion has its emotion", against="truth"
    ),
    "audio_to_motion_recall5": EmotionMeasure(
        meaning="share of speech with its emotion among the five nearest motions", against="truth"
    ),
    "audio_to_motion_choice": EmotionMeasure(
        meaning="share of speech nearest to its own emotion, given one motion of each", against="truth"
    ),
    "motion_to_audio_top1": EmotionMeasure(
        meaning="share of motion whose nearest speech has its emotion", against="truth"
    ),
    "motion_to_audio_recall5": EmotionMeasure(
        meaning="share of motion with its emotion among the five nearest speeches", against="truth"
    ),
    "motion_to_audio_choice": EmotionMeasure(
        meaning="share of motion nearest to its own emotion, given one speech of each", against="truth"
    ),
    "confident_ratio": EmotionMeasure(
        meaning="share of correct labels in the surer half of the speech, over that in the other half"
    ),
    "named_true": EmotionMeasure(
        meaning="recall of a classifier of motion on true motion: an upper bound",
        against="training_set",
    ),
    "named_generated": EmotionMeasure(
        meaning="recall of that classifier on motion made from speech", against="training_set"
    ),
    "named_directed": EmotionMeasure(
        meaning="recall of that classifier on motion made for a given emotion", against="training_set"
    ),
    "mood_agreement": EmotionMeasure(
        meaning="takes drawn at sigma 0.1 (or the given one) that this classifier names as one of the two "
        "likeliest emotions of the speech",
        against="training_set",
    ),
    "neutral_kept": EmotionMeasure(
        meaning="takes of neutral speech, drawn alike, that neither scowl nor smile (means below 0.25)"
    ),
    "swap_ratio": EmotionMeasure(
        meaning="change of the upper face by another clip's emotion, over that of the gap in p, b, m"
    ),
    "swap_closed_ratio": EmotionMeasure(meaning="the same over the change of the gap in closed frames"),
    "swap_opening_ratio": EmotionMeasure(meaning="the same over the change of the gap in all frames"),
    "swap_upper_mm": EmotionMeasure(meaning="change of the upper face by another clip's emotion", unit="mm"),
    "swap_bilabial_mm": EmotionMeasure(meaning="change of the smallest lip gap in p, b, m", unit="mm"),
    "swap_closed_mm": EmotionMeasure(meaning="change of the lip gap in closed frames", unit="mm"),
    "swap_opening_mm": EmotionMeasure(meaning="change of the lip gap in all frames", unit="mm"),
}
