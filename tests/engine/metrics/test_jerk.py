from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.jerk import jerkiness
from talkcli.engine.metrics.undefined import UndefinedMetricError

SECONDS = np.arange(200) / 25


def waving(hz: float, mm: float = 5.0, verts: int = 3) -> np.ndarray:
    wave = mm / 1000 * np.sin(2 * np.pi * hz * SECONDS)
    return np.repeat(wave[:, None, None], verts, axis=1) * np.array((0.0, 1.0, 0.5))


def shaken(vertices: np.ndarray, mm: float) -> np.ndarray:
    return vertices + np.random.default_rng(0).normal(0, mm / 1000, vertices.shape)


def test_a_fast_wave_is_as_jerky_as_its_frequency_says() -> None:
    # Differences stand for derivatives: each turns a wave of f Hz into 2 sin(pi f / 25) * 25 of it.
    rate = 2 * np.sin(np.pi * 8 / 25) * 25
    assert jerkiness(waving(8)) == pytest.approx(rate**2, rel=0.02)


def test_what_syllables_do_is_not_jerk() -> None:
    assert jerkiness(waving(3)) < 0.05 * jerkiness(waving(8))


def test_size_and_drift_do_not_count_but_shivers_do() -> None:
    talking = shaken(waving(3) + waving(1.3), 0.05)
    usual = jerkiness(talking)
    assert jerkiness(2 * talking) == pytest.approx(usual)
    assert jerkiness(talking + 0.02 * SECONDS[:, None, None] / 8) == pytest.approx(usual, rel=0.05)
    growing = [jerkiness(shaken(talking, mm)) / usual for mm in (0.05, 0.1, 0.2, 0.4)]
    assert growing == sorted(growing)
    assert growing[1] > 1.5


def test_what_stands_still_or_is_short_has_no_jerk() -> None:
    with pytest.raises(UndefinedMetricError, match="moves"):
        jerkiness(np.zeros((50, 3, 3)))
    with pytest.raises(UndefinedMetricError, match="second"):
        jerkiness(waving(3)[:24])
