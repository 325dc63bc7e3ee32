from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.pages.tsne import neighbourhood, tsne


def _groups(groups: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(groups), each)
    return rng.normal(0, 3, (groups, 16))[labels] + rng.normal(0, 0.5, (groups * each, 16)), labels


def test_neighbours_stay_neighbours() -> None:
    points, labels = _groups(4, 15)
    placed = tsne(points, perplexity=10.0)
    apart = np.linalg.norm(placed[:, None] - placed[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert placed.shape == (60, 2)
    assert (labels[apart.argmin(axis=1)] == labels).all()


@pytest.mark.parametrize("perplexity", [2.0, 8.0, 25.0])
def test_attention_has_the_perplexity_and_falls_with_distance(perplexity: float) -> None:
    distances = np.random.default_rng(1).uniform(0, 50, 40)
    shares = neighbourhood(distances, perplexity)
    assert shares.sum() == pytest.approx(1)
    assert np.exp(-(shares * np.log(np.maximum(shares, 1e-300))).sum()) == pytest.approx(perplexity, rel=1e-3)
    assert (np.diff(shares[np.argsort(distances)]) <= 0).all()


def test_the_same_points_give_the_same_picture() -> None:
    points, _ = _groups(3, 8)
    assert np.array_equal(tsne(points), tsne(points))


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="4 points"):
        tsne(np.zeros((4, 3)))


def test_equal_points_have_a_place() -> None:
    assert np.isfinite(tsne(np.ones((6, 3)))).all()
