"""Rank correlation of metrics with the ratings of a study.

Raters compare, so what is correlated is a difference: for each pair of methods and clip the metric of the
first less that of the second, with the mean score of the first. Axis names: `points`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from talkcli.engine.errors import InputError
from talkcli.engine.metrics.bootstrap import LEAST_GROUPS
from talkcli.engine.pipelines.score.study.ratings import clip_interval, ratings_of
from talkcli.engine.pipelines.score.study.results import Result, Study
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.text import read_text
from talkcli.engine.types import Reporter
from talkcli.engine.wording import some

_LARGEST_BYTES = 1 << 28
# Smallest number of points with a correlation.
_FEWEST_POINTS = 5

# Value of each metric, by clip.
Scores = dict[str, dict[str, float]]


def correlations(
    results: Sequence[Result], study: Study, files: Mapping[str, Path], seed: int, reporter: Reporter
) -> list[dict[str, Any]]:
    """Return Spearman's correlation of every metric with the ratings of every question.

    Args:
        results: Results of the raters who are kept.
        study: The study.
        files: Reports of `talk score --json` by method; two methods or more.
        seed: Seed of the bootstrap over clips.
        reporter: Receiver of progress.

    Raises:
        InputError: For a file that is no such report, and for methods that the study does not have.
    """
    if foreign := [name for name in files if name not in study.methods]:
        raise InputError(
            f"The study has no method {some(foreign)}; it has {', '.join(study.methods)}.",
            hint="Give METHOD=FILE, or a file whose name is the method's.",
        )
    if len(files) < 2:
        raise InputError("A correlation needs the scores of two methods or more.")
    scores = {name: read_scores(path, study.clips) for name, path in files.items()}
    metrics = list(dict.fromkeys(metric for found in scores.values() for metric in found))
    known = [index for index, name in enumerate(study.methods) if name in scores]
    rows = []
    for metric in metrics:
        for question in study.questions:
            points, clips = _points(results, study, scores, known, metric, question)
            rows.append({"metric": metric, "question": question} | _correlated(points, clips, seed))
            reporter.progress("correlating", len(rows), len(metrics) * len(study.questions))
    return rows


def read_scores(path: Path, clips: Sequence[str]) -> Scores:
    """Return the values of single clips in a report of `talk score --json`.

    Raises InputError for another file, and for a report that has none of the clips.
    """
    try:
        document = parse_json(read_text(path, largest=_LARGEST_BYTES), longest=_LARGEST_BYTES)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}.") from error
    found: Scores = {}
    wanted, seen = set(clips), set()
    try:
        for clip in document["clips"]:
            if clip["id"] not in wanted:
                continue
            seen.add(clip["id"])
            for metric, cell in clip["metrics"].items():
                value = cell["value"]
                if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                    found.setdefault(metric, {})[clip["id"]] = float(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} has no values of single clips.", hint="Make it with: talk score ... --json > METHOD.json"
        ) from error
    if not seen:
        raise InputError(f"{path} has none of the study's clips ({some(list(clips))}).")
    return found


def _points(
    results: Sequence[Result],
    study: Study,
    scores: Mapping[str, Scores],
    known: Sequence[int],
    metric: str,
    question: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (difference of the metric, mean score) of every pair and clip with both, and the clips."""
    points, clips = [], []
    for first, second in combinations(known, 2):
        ratings = ratings_of(results, first, second, question)
        values = [scores[study.methods[method]].get(metric, {}) for method in (first, second)]
        for clip in np.unique(ratings.clips).tolist():
            name = study.clips[clip]
            if name in values[0] and name in values[1]:
                mean = float(ratings.scores[ratings.clips == clip].mean())
                points.append((values[0][name] - values[1][name], mean))
                clips.append(clip)
    return np.array(points, float).reshape(-1, 2), np.array(clips, int)


def _correlated(points: np.ndarray, clips: np.ndarray, seed: int) -> dict[str, Any]:
    count = len(points)
    found: dict[str, Any] = {
        "spearman": None,
        "interval": None,
        "points": count,
        "clips": len(np.unique(clips)),
    }
    if count < _FEWEST_POINTS:
        return found | {"reason": f"{count} pairs of clips have both, {_FEWEST_POINTS} are needed"}
    value = spearman(points)
    if not math.isfinite(value):
        return found | {"reason": "the metric or the rating is the same everywhere"}
    found |= {"spearman": value, "reason": None}
    if found["clips"] < LEAST_GROUPS:
        return found | {"reason": f"an interval needs {LEAST_GROUPS} clips"}
    interval = clip_interval(clips, lambda chosen: spearman(points[chosen]), seed)
    return found | {"interval": None if interval is None else list(interval)}


def spearman(points: np.ndarray) -> float:
    """Return Spearman's rank correlation of two columns; NaN where one is constant."""
    ranks = [rankdata(points[:, column]) for column in (0, 1)]
    centred = [rank - rank.mean() for rank in ranks]
    scale = math.sqrt(float((centred[0] @ centred[0]) * (centred[1] @ centred[1])))
    return float(centred[0] @ centred[1]) / scale if scale > 0 else math.nan
