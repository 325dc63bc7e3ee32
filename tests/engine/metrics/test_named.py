"""A classifier of motion that learns what it is shown, whatever blinks in between."""

from __future__ import annotations

import numpy as np

from talkcli.engine.metrics.named import Discriminant, functionals


def moving(label: int, seed: int) -> np.ndarray:
    """Fifty frames of six coefficients: labels raise one of the first three, the last never moves."""
    rng = np.random.default_rng(seed)
    coeffs = 0.3 * rng.random((50, 6)).astype(np.float32)
    coeffs[:, label] += 0.2
    coeffs[:, 5] = 0
    return coeffs


def test_functionals_are_quartiles_and_do_not_mind_a_blink() -> None:
    coeffs = np.linspace(0, 1, 41, dtype=np.float32)[:, None]
    np.testing.assert_allclose(functionals(coeffs), [0.25, 0.5, 0.75])
    still = np.full((41, 1), 0.2, dtype=np.float32)
    still[10:14] = 1
    np.testing.assert_allclose(functionals(still), 0.2, rtol=1e-6)


def test_labels_are_learned_and_kept_as_they_are() -> None:
    labels = np.repeat([0, 1, 2], 20)
    names = np.array([7, 3, 5])[labels]
    features = np.stack([functionals(moving(label, seed)) for seed, label in enumerate(labels)])
    learned = Discriminant(features, names)
    others = np.stack([functionals(moving(label, 100 + seed)) for seed, label in enumerate(labels)])
    assert (learned(others) == names).mean() > 0.95


def test_what_no_example_moved_says_nothing() -> None:
    labels = np.repeat([0, 1, 2], 20)
    features = np.stack([functionals(moving(label, seed)) for seed, label in enumerate(labels)])
    looking = np.stack([moving(label, 100 + seed) for seed, label in enumerate(labels)])
    looking[:, :, 5] = 1
    named = Discriminant(features, labels)(np.stack([functionals(coeffs) for coeffs in looking]))
    assert (named == labels).mean() > 0.95
