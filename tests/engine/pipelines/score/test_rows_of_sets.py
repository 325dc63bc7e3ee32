"""Rows that draw pairs of clips or takes, and the sums that talk keeps of many clips."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics.fdd import SpreadOverClips, pool_moments
from talkcli.engine.metrics.lve import WorstMoments, pool_worst_moments
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.clip import score_clip
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.types import Motion

FRAMES = 9


def _coeffs(clips: int, takes: int) -> np.ndarray:
    draw = np.random.default_rng(0)
    return draw.uniform(0, 1, (clips, takes, FRAMES, len(ADA))).astype(np.float32)


def _row(name: str, coeffs: np.ndarray) -> float:
    head = load_head("ada")
    values = []
    for clip in coeffs:
        takes = [Surface(Motion(coeffs=take, fps=25.0, head="ada", channels=ADA), head) for take in clip]
        values.append(score_clip(takes, None, None, "no phones", metrics=[name])[name])
    entry = over_clips(name, values)
    # One number of a whole set has no spread over clips: its quartiles are features of the clips.
    assert "classes" not in entry and entry["spread"] is None
    assert entry["value"] is not None, entry["reason"]
    return float(entry["value"])


def _quartiles(coeffs: np.ndarray) -> np.ndarray:
    ordered = np.sort(coeffs.astype(np.float64), axis=2)[:, :, [2, 4, 6]]
    return ordered.reshape(*coeffs.shape[:2], -1)


def test_pairs_of_clips() -> None:
    coeffs = _coeffs(301, 1)
    features, draw, means = _quartiles(coeffs)[:, 0], np.random.RandomState(0), []
    for _ in range(20):
        first, second = (draw.choice(301, 300, replace=False) for _ in range(2))
        means.append(np.sqrt(((features[first] - features[second]) ** 2).sum(1)).mean())
    assert _row("diversity@humanml3d-quartiles", coeffs) == pytest.approx(np.mean(means), rel=1e-9)


def test_pairs_of_takes() -> None:
    coeffs = _coeffs(2, 11)
    features, draw = _quartiles(coeffs), np.random.RandomState(0)
    first, second = (draw.choice(11, 10, replace=False) for _ in range(2))
    apart = np.sqrt(((features[:, first] - features[:, second]) ** 2).sum(2))
    assert _row("multimodality@humanml3d-quartiles", coeffs) == pytest.approx(apart.mean(), rel=1e-9)


def _spread(squares: np.ndarray) -> SpreadOverClips:
    """Of squares (2 frames verts)."""
    return SpreadOverClips(squares.shape[1], squares.mean(1), squares.var(1))


def test_the_spread_of_joined_clips_is_that_of_all_frames() -> None:
    squares = np.random.default_rng(0).uniform(0, 1, (2, 30, 5))
    total = _spread(squares[:, :4])
    for start, stop in ((4, 5), (5, 20), (20, 30)):
        total.join(_spread(squares[:, start:stop]))
    assert (total.frames, total.clips) == (30, 4)
    wanted = (squares[0].std(axis=0) - squares[1].std(axis=0)).mean()
    assert pool_moments(total) == pytest.approx(wanted, rel=1e-9)


def test_the_worst_of_joined_clips() -> None:
    largest = np.random.default_rng(0).uniform(0, 1, (4, 5))
    total = WorstMoments(largest[0])
    for one in largest[1:]:
        total.join(WorstMoments(one))
    assert total.clips == 4
    assert pool_worst_moments(total) == pytest.approx(largest.max(axis=0).mean())


def test_clips_of_two_meshes_have_no_value() -> None:
    worst = WorstMoments(np.ones(5))
    spread = _spread(np.ones((2, 3, 5)))
    for count in (4, 5, 4):
        worst.join(WorstMoments(np.ones(count)))
        spread.join(_spread(np.ones((2, 3, count))))
    with pytest.raises(UndefinedMetricError, match="differ"):
        pool_worst_moments(worst)
    with pytest.raises(UndefinedMetricError, match="differ"):
        pool_moments(spread)
