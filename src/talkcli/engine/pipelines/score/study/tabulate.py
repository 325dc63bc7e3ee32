"""The tables of a study: for each pair and question the shares of the five answers, as DEEPTalk's Table B has
them, the preference, as its Figure 5, the mean with an interval, and a sign test.

The sign test takes answers as independent; answers of one rater are not, so that its p is too small where few
raters gave many answers. The interval of the mean has no such assumption, but holds for one row alone, and
one row in twenty differs by chance. So a difference needs both: the interval, and the p adjusted for all
rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from talkcli.engine.errors import InputError
from talkcli.engine.metrics.bootstrap import LEAST_GROUPS, holm
from talkcli.engine.pipelines.score.study.correlate import correlations
from talkcli.engine.pipelines.score.study.questions import MIDDLE
from talkcli.engine.pipelines.score.study.ratings import (
    NUM_DRAWS,
    Ratings,
    kept_raters,
    mean_interval,
    ratings_of,
)
from talkcli.engine.pipelines.score.study.results import read_results
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__

# Level of the adjusted sign test.
_LEVEL = 0.05
_TOO_FEW = f"an interval needs {LEAST_GROUPS} raters and {LEAST_GROUPS} clips"


def study_results(
    paths: Sequence[Path], *, scores: Mapping[str, Path], allowed: int, seed: int, reporter: Reporter
) -> dict[str, Any]:
    """Tabulate the results of a study.

    Args:
        paths: Results of raters: files, or folders of them.
        scores: Reports of `talk score --json` by method, whose metrics are correlated with the ratings.
        allowed: Number of checks of attention that a rater may fail.
        seed: Seed of the bootstrap.
        reporter: Receiver of progress.

    Returns:
        A document ready for JSON: `study`; `raters` (number of files, kept and dropped, with reasons);
        `pairs`: for each pair and question the shares of the answers 5 to 1, `prefer_first`, `tie` and
        `prefer_second`, the `mean` score with its `interval`, the `p` of the sign test and `p_holm` (adjusted
        over all rows), `differs_alone` (whether the interval excludes no difference), and `differs` (whether
        `p_holm` is below 0.05, too); `correlations`.

    Raises:
        InputError: For files that are no results, and when no rater is left.
    """
    results = read_results(paths)
    study = results[0].study
    kept, dropped = kept_raters(results, allowed)
    if not kept:
        raise InputError(
            f"No rater is left of {len(results)}: {dropped[0]['reason']}, for example.",
            hint="`allow_failed` is the number of checks that a rater may fail.",
        )
    rows = []
    pairs = list(combinations(range(len(study.methods)), 2))
    for first, second in pairs:
        for question in study.questions:
            ratings = ratings_of(kept, first, second, question)
            row = {"first": study.methods[first], "second": study.methods[second], "question": question}
            rows.append(row | _row(ratings, seed))
            reporter.progress("tabulating", len(rows), len(pairs) * len(study.questions))
    _adjust(rows)
    return {
        "format": "talk-study-table",
        "version": 1,
        "talk": __version__,
        "study": study.model_dump(mode="json"),
        "raters": {"given": len(results), "kept": len(kept), "dropped": dropped, "allowed_failures": allowed},
        "draws": NUM_DRAWS,
        "seed": seed,
        "pairs": rows,
        "correlations": correlations(kept, study, scores, seed, reporter) if scores else [],
    }


def _row(ratings: Ratings, seed: int) -> dict[str, Any]:
    scores, count = ratings.scores, len(ratings.scores)
    if count == 0:
        return {
            "answers": 0, "raters": 0, "clips": 0, "shares": None, "prefer_first": None, "tie": None,
            "prefer_second": None, "mean": None, "interval": None, "p": None,
            "differs_alone": None, "reason": "no rater who is kept saw this pair",
        }  # fmt: skip
    won, lost = int((scores > MIDDLE).sum()), int((scores < MIDDLE).sum())
    interval = mean_interval(ratings, seed)
    return {
        "answers": count,
        "raters": len(np.unique(ratings.raters)),
        "clips": len(np.unique(ratings.clips)),
        "shares": {str(value): float((scores == value).mean()) for value in (5, 4, 3, 2, 1)},
        "prefer_first": won / count,
        "tie": 1 - (won + lost) / count,
        "prefer_second": lost / count,
        "mean": float(scores.mean()),
        "interval": None if interval is None else list(interval),
        "p": float(binomtest(won, won + lost).pvalue) if won + lost else 1.0,
        "differs_alone": None if interval is None else not interval[0] <= MIDDLE <= interval[1],
        "reason": _TOO_FEW if interval is None else None,
    }


def _adjust(rows: list[dict[str, Any]]) -> None:
    """Add `p_holm`, which is p adjusted for the number of rows (Holm 1979), and `differs`."""
    for row in rows:
        row["p_holm"] = row["differs"] = None
    known = [row for row in rows if row["p"] is not None]
    for row, adjusted in zip(known, holm([row["p"] for row in known]), strict=True):
        row["p_holm"] = adjusted
        if row["differs_alone"] is not None:
            row["differs"] = row["differs_alone"] and adjusted < _LEVEL
