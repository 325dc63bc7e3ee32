"""The answers of a study as numbers, and intervals for their means.

Axis names: `ratings`, `draws`. A score is 5 where the first method of a pair is much better, 1 where the
second is; 3 is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.metrics.bootstrap import LEAST_GROUPS, bounds
from talkcli.engine.pipelines.score.study.results import Result
from talkcli.engine.wording import counted

# Numbers of bootstrap draws, and of draws that are made at a time.
NUM_DRAWS, _BLOCK = 2000, 250


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """Ratings of one pair of methods by one question."""

    scores: Float[np.ndarray, "ratings"]
    """Scores of the first method, 1 to 5."""
    raters: Int[np.ndarray, "ratings"]
    """Number of the rater of each score."""
    clips: Int[np.ndarray, "ratings"]
    """Number of the clip of each score."""


def kept_raters(results: Sequence[Result], allowed: int) -> tuple[list[Result], list[dict[str, str]]]:
    """Return the results of raters who failed at most `allowed` checks of attention, and the others with the
    reason.
    """
    kept, dropped = [], []
    for result in results:
        checks = [answer for answer in result.answers if answer.kind != "pair"]
        failed = [answer.kind for answer in checks if answer.failed()]
        if len(failed) > allowed:
            reason = f"failed {len(failed)} of {counted(len(checks), 'check')} ({', '.join(failed)})"
            dropped.append({"rater": result.rater, "code": result.code, "reason": reason})
        elif not any(answer.kind == "pair" for answer in result.answers):
            dropped.append({"rater": result.rater, "code": result.code, "reason": "rated no pair"})
        else:
            kept.append(result)
    return kept, dropped


def ratings_of(results: Sequence[Result], first: int, second: int, question: str) -> Ratings:
    """Return the ratings of a pair of methods, given by their numbers in the study."""
    rows = [
        (
            6 - answer.answers[question] if answer.left == first else answer.answers[question],
            rater,
            answer.clip,
        )
        for rater, result in enumerate(results)
        for answer in result.answers
        if answer.kind == "pair" and {answer.left, answer.right} == {first, second}
    ]
    scores, raters, clips = (np.array([row[column] for row in rows], dtype=np.int64) for column in range(3))
    return Ratings(scores=scores.astype(np.float64), raters=raters, clips=clips)


def mean_interval(ratings: Ratings, seed: int) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean score: a bootstrap over raters and over clips at once.

    Each draw takes raters and clips with replacement, and a score counts as often as its rater times its clip
    (the bootstrap for crossed factors: Owen 2007, "The pigeonhole bootstrap"). None for fewer raters or clips
    than `LEAST_GROUPS`.
    """
    raters, clips = _renumbered(ratings.raters), _renumbered(ratings.clips)
    fewest = min(len(np.unique(raters)), len(np.unique(clips)))
    if fewest < LEAST_GROUPS:
        return None
    rng = np.random.default_rng(seed)
    means: list[float] = []
    for _ in range(NUM_DRAWS // _BLOCK):
        weights = _draws(rng, int(raters.max()) + 1)[:, raters] * _draws(rng, int(clips.max()) + 1)[:, clips]
        total = weights.sum(axis=1)
        drawn = total > 0
        means += (weights[drawn] @ ratings.scores / total[drawn]).tolist()
    return bounds(np.array(means), fewest)


def clip_interval(
    clips: Int[np.ndarray, "ratings"], statistic: Callable[[Int[np.ndarray, "chosen"]], float], seed: int
) -> tuple[float, float] | None:
    """Return the 95 % interval of a statistic of rows: a bootstrap over clips, whose rows stay together.

    Args:
        clips: Clip of each row.
        statistic: Function from numbers of rows to the value; NaN for a draw that has none.
        seed: Seed of the draws.

    Returns:
        Lower and upper bound; None where fewer than half of the draws have a value, and for fewer clips than
        `LEAST_GROUPS`.
    """
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(clips == clip) for clip in np.unique(clips)]
    if len(rows) < LEAST_GROUPS:
        return None
    found = []
    for _ in range(NUM_DRAWS // 2):
        chosen = np.concatenate([rows[index] for index in rng.integers(len(rows), size=len(rows))])
        found.append(statistic(chosen))
    known = np.array(found)[np.isfinite(found)]
    if len(known) < len(found) / 2:
        return None
    return bounds(known, len(rows))


def _draws(rng: np.random.Generator, count: int) -> Float[np.ndarray, "draws count"]:
    """Return how often each of `count` things is drawn, for a block of draws with replacement."""
    return rng.multinomial(count, np.full(count, 1 / count), size=_BLOCK).astype(np.float64)


def _renumbered(numbers: Int[np.ndarray, "ratings"]) -> Int[np.ndarray, "ratings"]:
    return np.unique(numbers, return_inverse=True)[1]
