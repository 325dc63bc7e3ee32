"""Filters over time are those of scipy, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from talkcli.engine import filters

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("mode", ["reflect", "nearest", "constant"])
@pytest.mark.parametrize("steps", [0, 1, 3, 40, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bells(steps: int, dtype: type, mode: filters.Mode) -> None:
    signal = RNG.normal(size=steps).astype(dtype)
    for sigma in (0.3, 1.0, 2.5, 12.0):
        made = filters.gaussian_filter1d(signal, sigma, mode=mode)
        wanted = ndimage.gaussian_filter1d(signal, sigma, mode=mode)
        assert made.dtype == wanted.dtype
        np.testing.assert_array_equal(made, wanted)


def test_the_first_axis_of_several_channels() -> None:
    signal = RNG.normal(size=(50, 7)).astype(np.float32)
    window = np.array([0.1, 0.2, 0.4, 0.2, 0.1])
    made = filters.convolve1d(signal, window, axis=0, mode="nearest")
    np.testing.assert_array_equal(made, ndimage.convolve1d(signal, window, axis=0, mode="nearest"))
    made = filters.gaussian_filter1d(signal, 3.0, axis=0, mode="nearest")
    np.testing.assert_array_equal(made, ndimage.gaussian_filter1d(signal, 3.0, axis=0, mode="nearest"))
    for axis in (0, -1):
        made = filters.maximum_filter1d(signal, 5, axis=axis, mode="constant")
        wanted = ndimage.maximum_filter1d(signal, 5, axis=axis, mode="constant")
        np.testing.assert_array_equal(made, wanted)


@pytest.mark.parametrize("steps", [0, 1, 2, 30])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_what_stands_out(steps: int, size: int) -> None:
    signal = RNG.normal(size=steps)
    for mode in ("reflect", "nearest", "constant"):
        made = filters.maximum_filter1d(signal, size, mode=mode)
        np.testing.assert_array_equal(made, ndimage.maximum_filter1d(signal, size, mode=mode))
    np.testing.assert_array_equal(filters.grey_opening(signal, size), ndimage.grey_opening(signal, (size,)))
    if size % 2:
        np.testing.assert_array_equal(
            filters.median_filter(signal, size), ndimage.median_filter(signal, size)
        )
