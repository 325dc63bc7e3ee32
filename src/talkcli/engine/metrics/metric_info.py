"""One row of the catalogue of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Needs = Literal[
    "truth",
    "audio",
    "truth and audio",
    "speaker and audio",
    "phones",
    "takes",
    "takes and truth",
    "motion",
    "reference",
]
OverClips = Literal["frame mean", "phone mean", "clip mean", "median", "largest", "pooled"]
Better = Literal["lower", "higher", "near zero"] | None
Group = Literal["core", "lips", "lively", "papers"]


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """One row of the catalogue. Functions are written as `module:function`."""

    measure: str
    """Function that measures a take; `metrics/take.py` describes its arguments and results."""
    unit: str
    """Unit of the value; empty for shares, ratios, correlations and distances of coefficients."""
    vertices: str
    """Name of the vertex set that the metric measures, for reports."""
    needs: Needs
    """Input that the metric needs beside a take. `truth and audio` means a pair of both, `speaker and audio`
    a pair of the speaker's name and the speech, `takes` all takes of a clip at once, `takes and truth` both,
    `motion` nothing else. `reference` means that talk divides the measure by its mean over real motion."""
    over_clips: OverClips
    """Rule that sums up the values of single clips: a mean weighted by frames or by phones, a plain mean, the
    median, or the largest value. A pooled metric has no value for a single clip; its `pool` function computes
    one value from the observations of all clips."""
    meaning: str
    """Meaning of the value in words, for tables."""
    better: Better = None
    """Which values are better, so that reports can show the worst clips; None where neither is, and the clips
    farthest from the median are shown. Rows that compare with a truth and those of synchrony say which."""
    over_takes: Literal["mean", "largest"] = "mean"
    """Rule that sums up the values of the takes of a clip."""
    judge: str = ""
    """Who judged, in words that stand beside the value; empty for a metric without a network."""
    judge_of_videos: str = ""
    """Who judged where videos are scored; empty where these are the same words."""
    sees: Literal["motion", "pictures"] = "motion"
    """What the metric sees of a video: the motion that talk captures, or crops of the pictures."""
    weights: str = ""
    """Weights of the judge, by their name in `checkpoints/judge_weights.py`; empty without a judge."""
    pool: str | None = None
    """Function that computes the value of a pooled metric from the observations of all clips, or from the
    moments of their features (`Compared`); None for others."""
    group: Group = "core"
    """Kind of the metric, for headings: errors and synchrony (`core`), `lips` against the words, liveliness
    (`lively`), and what single papers' scripts compute (`papers`)."""
    shown: bool = True
    """Whether `talk score` measures it by default; others are measured when they are asked for by name."""
