"""Random music of the training's background."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.audio.music import music


@pytest.mark.parametrize("length", [1, 500, 40_000])
def test_has_the_length_and_no_broken_samples(length: int) -> None:
    for seed in range(20):
        piece = music(length, np.random.default_rng(seed))
        assert piece.shape == (length,)
        assert np.isfinite(piece).all()


def test_a_generator_gives_the_same_piece_again_and_another_one_another() -> None:
    first, again, other = (music(8000, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_energy_lies_in_narrow_lines_unlike_that_of_noise() -> None:
    def peakiness(samples: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
        return float(np.sort(power)[-len(power) // 50 :].sum() / power.sum())

    pieces = [peakiness(music(32_000, np.random.default_rng(seed))) for seed in range(20)]
    noise = peakiness(np.random.default_rng(0).standard_normal(32_000))
    assert np.median(pieces) > 0.7 > 2 * noise
