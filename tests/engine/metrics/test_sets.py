"""Cosines of embeddings and usage of codebooks."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.code_usage import code_shares, perplexity, usage
from talkcli.engine.metrics.cosines import cosine_histograms, cosines, overlap
from talkcli.engine.metrics.undefined import UndefinedMetricError


def test_cosines_ignore_lengths() -> None:
    one, other = np.array([[1.0, 0], [0, 2]]), np.array([[3.0, 0], [-1, 0], [1, 1]])
    assert cosines(one, other) == pytest.approx(np.array([[1, -1, 0.5**0.5], [0, 0, 0.5**0.5]]))
    with pytest.raises(UndefinedMetricError, match="zero"):
        cosines(0 * one, other)


def test_histograms_tell_pairs_of_one_label_from_others() -> None:
    draw = np.random.default_rng(0)
    labels = np.arange(200) % 4
    centres = np.eye(4)[labels]
    apart = cosines(centres + draw.normal(0, 0.05, centres.shape), centres)
    alike, different, edges = cosine_histograms(apart, labels, labels)
    assert alike.sum() == pytest.approx(1)
    assert different.sum() == pytest.approx(1)
    assert (edges[0], edges[-1], len(edges)) == (-1, 1, len(alike) + 1)
    assert overlap(alike, different) == 0
    assert overlap(alike, alike) == pytest.approx(1)
    shuffled = draw.permutation(labels)
    mixed = cosine_histograms(apart, shuffled, labels)
    assert overlap(*mixed[:2]) > 0.9
    with pytest.raises(UndefinedMetricError):
        cosine_histograms(apart, 0 * labels, 0 * labels)


def test_usage_of_codes() -> None:
    even = code_shares(np.arange(8), 8)
    assert (usage(even), perplexity(even)) == pytest.approx((1, 8))
    dead = code_shares(np.zeros((3, 5), np.int64), 8)
    assert (usage(dead), perplexity(dead)) == pytest.approx((1 / 8, 1))
    uneven = code_shares(np.array([0, 0, 0, 1]), 4)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert perplexity(uneven) == pytest.approx(np.exp(entropy))
    with pytest.raises(UndefinedMetricError):
        code_shares(np.zeros(0, np.int64), 8)
    with pytest.raises(ValueError, match="there are 8"):
        code_shares(np.array([8]), 8)
