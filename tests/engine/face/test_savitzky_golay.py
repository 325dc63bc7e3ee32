from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.savitzky_golay import savitzky_golay


def test_the_published_weights() -> None:
    impulse = np.zeros((11, 1))
    impulse[5] = 35
    np.testing.assert_allclose(savitzky_golay(impulse)[3:8, 0], [-3, 12, 17, 12, -3], atol=1e-9)


def test_parabolas_stay_to_the_ends() -> None:
    values = np.square(np.arange(20.0))[:, None] - 3
    np.testing.assert_allclose(savitzky_golay(values), values, atol=1e-9)


@pytest.mark.parametrize("frames", [0, 1, 4])
def test_what_is_too_short_stays(frames: int) -> None:
    values = np.random.default_rng(0).normal(size=(frames, 3))
    np.testing.assert_array_equal(savitzky_golay(values), values)
