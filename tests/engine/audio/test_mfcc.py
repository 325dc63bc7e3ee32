"""MFCC: golden rows of python_speech_features, and the package itself where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.audio.mfcc import as_int16, mfcc

ROW_0 = [
    13.7108563687, 22.1012340883, 13.9510192581, 9.92871092017, 6.04950226883, 1.34072838326, -2.69101342109,
    -7.21830644692, -10.8304117223, -13.6943296608, -14.3304549478, -14.7610815526, -13.6171095213,
]  # fmt: skip
ROW_50 = [
    17.3203122594, 22.9156014797, 15.1295998919, 11.0013967663, 6.88892570076, 1.51452602493, -3.54374455587,
    -9.50575834013, -14.256450037, -18.2401563157, -19.7071953193, -20.2411251545, -18.9790077318,
]  # fmt: skip


def pulses(frames: int = 40) -> np.ndarray:
    """A tone of 180 Hz in pulses, in 16 bits."""
    times = np.arange(640 * frames) / 16_000
    loudness = np.maximum(0, np.sin(2 * np.pi * 2.7 * times)) ** 2
    return as_int16(0.5 * loudness * np.sin(2 * np.pi * 180 * times))


def test_golden_rows() -> None:
    found = mfcc(pulses())
    assert found.shape == (159, 13)
    np.testing.assert_allclose(found[0], ROW_0, rtol=1e-10)
    np.testing.assert_allclose(found[50], ROW_50, rtol=1e-10)
    assert found.mean() == pytest.approx(-1.46667519017, rel=1e-10)


@pytest.mark.parametrize("samples", [1, 399, 400, 401, 560, 561, 16_000])
def test_equals_the_package(samples: int) -> None:
    package = pytest.importorskip("python_speech_features")
    noise = np.random.default_rng(samples).integers(-20_000, 20_000, samples).astype(np.int16)
    np.testing.assert_allclose(mfcc(noise), package.mfcc(noise, 16_000), atol=1e-4)


def test_numbers_of_windows() -> None:
    assert [len(mfcc(np.ones(n, np.int16))) for n in (1, 400, 401, 560, 561)] == [1, 1, 2, 2, 3]


def test_silence_is_finite() -> None:
    assert np.isfinite(mfcc(np.zeros(1600, np.int16))).all()


def test_no_samples() -> None:
    with pytest.raises(ValueError, match="without samples"):
        mfcc(np.zeros(0, np.int16))


def test_sixteen_bits() -> None:
    sound = np.array([0.0, 1.0, -1.0, 1.5, -1.5, 0.5 / 32767, 1.5 / 32767])
    assert as_int16(sound).tolist() == [0, 32767, -32767, 32767, -32768, 0, 2]
