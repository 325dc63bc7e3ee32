"""Opening against a real mouth, beside what loudness alone reaches."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.real_mouth import log_energy
from talkcli.engine.metrics.sync import best_correlation
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import SPEECH_RATE_HZ, Speech


def test_the_best_lag_is_found() -> None:
    track = np.random.default_rng(0).normal(size=200)
    r, lag_ms = best_correlation(np.roll(track, 2), track, 25.0)
    assert (r, lag_ms) == (pytest.approx(1.0, abs=0.02), 80.0)
    r, lag_ms = best_correlation(track, np.roll(track, 1), 25.0)
    assert lag_ms == -40.0
    with pytest.raises(UndefinedMetricError, match="never move"):
        best_correlation(np.zeros(100), track[:100], 25.0)


def test_log_energy_is_in_decibels_above_a_floor() -> None:
    amplitude = np.repeat([1.0, 0.1, 0.0], SPEECH_RATE_HZ)
    noise = np.random.default_rng(0).normal(size=len(amplitude))
    level = log_energy(Speech(samples=(amplitude * noise).astype(np.float32)), 75, 25.0)
    assert np.median(level[5:20]) - np.median(level[30:45]) == pytest.approx(20.0, abs=0.5)
    assert level[60:].max() == pytest.approx(level.max() - 60.0)
