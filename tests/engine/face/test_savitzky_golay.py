from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from talkcli.engine.face.savitzky_golay import savitzky_golay


@pytest.mark.parametrize("frames", [5, 6, 7, 50])
def test_the_filter_is_scipys(frames: int) -> None:
    values = np.random.default_rng(frames).normal(size=(frames, 3))
    np.testing.assert_allclose(
        savitzky_golay(values), scipy.signal.savgol_filter(values, 5, 2, axis=0), atol=1e-12
    )


@pytest.mark.parametrize("frames", [0, 1, 4])
def test_what_is_too_short_stays(frames: int) -> None:
    values = np.random.default_rng(0).normal(size=(frames, 3))
    np.testing.assert_array_equal(savitzky_golay(values), values)


def test_parabolas_stay() -> None:
    values = np.square(np.arange(20.0))[:, None] - 3
    np.testing.assert_allclose(savitzky_golay(values), values, atol=1e-9)
