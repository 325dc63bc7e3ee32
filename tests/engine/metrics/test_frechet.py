from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.linalg import sqrtm

from talkcli.engine.metrics.frechet import Moments, frechet_distance
from talkcli.engine.metrics.undefined import UndefinedMetricError
from tests.engine.metrics import standard as data

A, B = data.features()


def by_roots(one: np.ndarray, other: np.ndarray) -> float:
    c, d = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = np.real(sqrtm(c @ d))
    return float(((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(c) + np.trace(d) - 2 * np.trace(root))


def of(one: np.ndarray, other: np.ndarray) -> float:
    return frechet_distance(Moments.of(one), Moments.of(other))


def test_the_numbers_of_public_scripts() -> None:
    assert of(A, B) == pytest.approx(0.0907123167565, rel=1e-9)
    assert of(A, B) == pytest.approx(by_roots(A, B), rel=1e-9)
    # Fewer items than features.
    assert of(A[:5], B[:5]) == pytest.approx(0.457347919996, abs=1e-7)


def test_two_normal_distributions_have_a_closed_form() -> None:
    """With diagonal covariances: |m1 - m2|^2 plus the sum of squared differences of the deviations."""
    draw = np.random.default_rng(0)
    # Items whose mean is exactly 0 and whose covariance (n - 1) is exactly the identity.
    raw = draw.normal(size=(400, 6))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    means, spreads = draw.normal(size=(2, 6)), draw.uniform(0.1, 3, (2, 6))
    one, other = (white * spread + mean for spread, mean in zip(spreads, means, strict=True))
    closed = ((means[0] - means[1]) ** 2).sum() + ((spreads[0] - spreads[1]) ** 2).sum()
    assert of(one, other) == pytest.approx(closed, rel=1e-9)


def test_a_set_against_itself_is_zero_and_the_order_does_not_matter() -> None:
    assert of(A, A) == pytest.approx(0, abs=1e-12)
    assert of(A, B) == pytest.approx(of(B, A), rel=1e-9)
    assert of(A[::-1], B) == pytest.approx(of(A, B), rel=1e-9)
    assert of(3 * A, 3 * B) == pytest.approx(9 * of(A, B), rel=1e-9)


def test_batches_give_the_moments_of_the_whole() -> None:
    whole, parts = Moments.of(A), Moments(8)
    for batch in (A[:1], A[1:1], A[1:30], A[30:]):
        parts.add(batch.astype(np.float32) if len(batch) == 0 else batch)
    assert parts.count == 50
    assert parts.mean == pytest.approx(whole.mean)
    assert parts.covariance() == pytest.approx(np.cov(A, rowvar=False))
    assert frechet_distance(whole, parts) == pytest.approx(0, abs=1e-12)


def test_far_from_zero_the_moments_stay_exact() -> None:
    moments = Moments(8)
    for batch in np.array_split(A + 1e6, 7):
        moments.add(batch)
    assert moments.covariance() == pytest.approx(np.cov(A, rowvar=False), rel=1e-6, abs=1e-8)


def test_what_has_no_distance_is_refused() -> None:
    with pytest.raises(UndefinedMetricError, match="2 items or more"):
        of(A[:1], B)
    with pytest.raises(UndefinedMetricError, match="finite"):
        of(np.full((4, 8), np.nan), B)
    with pytest.raises(ValueError, match="7 features"):
        Moments(8).add(A[:, :7])


def test_memory_does_not_grow_with_the_number_of_items() -> None:
    draw = np.random.default_rng(0)
    peaks = []
    for batches in (2, 40):
        tracemalloc.start()
        moments = Moments(200)
        for _ in range(batches):
            moments.add(draw.normal(size=(100, 200)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
