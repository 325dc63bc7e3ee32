from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.envelope import envelope, frame_levels
from talkcli.engine.audio.io import read_speech
from talkcli.engine.metrics.silence_closed import pauses, silence_closed
from talkcli.engine.metrics.sync import sync_correlation
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Silent, Speech

FPS = 25.0


def bursts(pattern: str, floor: float = 0.0) -> Speech:
    """One character a frame of 40 ms: a digit is the level in tenths, a blank is `floor`."""
    levels = [floor if mark == " " else int(mark) / 10 for mark in pattern]
    noise = np.random.default_rng(0).choice([-1.0, 1.0], len(levels) * 640)
    return Speech(samples=(np.repeat(levels, 640) * noise).astype(np.float32))


def test_frame_levels_are_rms() -> None:
    levels = frame_levels(bursts("05 1"), 6, FPS)
    # Two frames lie past the end of the sound.
    np.testing.assert_allclose(levels, [0, 0.5, 0, 0.1, 0, 0], atol=1e-6)


def test_frame_levels_at_another_rate_use_the_same_window() -> None:
    np.testing.assert_allclose(frame_levels(bursts("5" * 25), 60, 60.0)[2:-2], 0.5, atol=1e-6)


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_the_lag_is_found(shift: int) -> None:
    pattern = "".join(np.random.default_rng(1).choice(list("0123456789"), 60))
    speech = bursts(pattern)
    opening = np.roll(envelope(speech, 60, FPS), shift) * 20 + 1
    correlation, lag_ms = sync_correlation(opening, speech, FPS)
    assert lag_ms == shift * 40
    assert correlation > 0.95


def test_a_lag_beyond_80_ms_does_not_count() -> None:
    pattern = "".join(np.random.default_rng(1).choice(list("0123456789"), 60))
    speech = bursts(pattern)
    correlation, _ = sync_correlation(np.roll(envelope(speech, 60, FPS), 7), speech, FPS)
    assert correlation < 0.5


def test_a_mouth_that_closes_with_sound_is_negative() -> None:
    speech = bursts("00001111222233334444555566667777" * 2)
    correlation, _ = sync_correlation(-envelope(speech, 64, FPS), speech, FPS)
    assert correlation < 0


def test_correlation_is_undefined_where_nothing_moves() -> None:
    with pytest.raises(UndefinedMetricError, match="never move"):
        sync_correlation(np.ones(50), bursts("05" * 25), FPS)
    with pytest.raises(UndefinedMetricError, match="never changes"):
        sync_correlation(np.arange(50.0), bursts(" " * 50), FPS)
    with pytest.raises(UndefinedMetricError, match="second"):
        sync_correlation(np.arange(20.0), bursts("05" * 10), FPS)


def test_only_runs_above_200_ms_are_pauses() -> None:
    # Five frames are 200 ms exactly and do not count, six do.
    inside = pauses(bursts("555     555      555"), 20, FPS)
    assert np.flatnonzero(inside).tolist() == [11, 12, 13, 14, 15, 16]


def test_silence_is_relative_to_the_speech() -> None:
    # -26 dB below the speech is not silent, -40 dB is.
    assert not pauses(bursts("555" + " " * 10 + "555", floor=0.025), 16, FPS).any()
    assert pauses(bursts("555" + " " * 10 + "555", floor=0.005), 16, FPS).sum() == 10


def test_closure_is_measured_from_the_rest_of_the_head() -> None:
    speech = bursts("555" + " " * 8 + "555")
    opening = np.full(14, 9.0)
    opening[3:9] = 2.9
    opening[9:11] = 3.1
    share, num_frames = silence_closed(opening - 2.0, speech, FPS)
    assert num_frames == 8
    assert share == pytest.approx(6 / 8)
    with pytest.raises(UndefinedMetricError, match="no pause"):
        silence_closed(opening - 2.0, bursts("5" * 14), FPS)


@pytest.mark.data
def test_the_yardstick_of_hand_made_animation(shared_data: Path) -> None:
    folder = shared_data / "paired" / "facegood"
    names = (folder / "bs_names.txt").read_text().split()
    # FACEGOOD's name for opening the jaw.
    jaw = names.index("mouth_stretch_c")
    found = []
    for path in sorted(folder.glob("*.wav")):
        with pytest.warns(UserWarning, match="Python 2"):
            curves = np.load(folder / f"bs_value_{path.stem}.npy")
        found.append(sync_correlation(curves[:, jaw], read_speech(path, Silent()), 30.0))
    assert len(found) == 5
    assert all(0.6 < correlation < 0.85 for correlation, _ in found)
    assert {round(lag_ms) for _, lag_ms in found} == {33}
