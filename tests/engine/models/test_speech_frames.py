"""Published numbers of frames (facts sheet of the baselines, corrections)."""

from __future__ import annotations

import pytest

from talkcli.engine.models.speech_frames import paired_frames, resampled_frames


@pytest.mark.parametrize(("seconds", "at_30", "pairs"), [(1.0, 29, 24), (1.36, 40, 33)])
def test_probed_lengths(seconds: float, at_30: int, pairs: int) -> None:
    samples = round(16_000 * seconds)
    assert resampled_frames(samples, 30) == at_30
    assert paired_frames(samples) == pairs


def test_floating_point_loses_a_frame_at_the_published_lengths() -> None:
    less = [
        steps for steps in range(1, 3000) if resampled_frames(400 + 320 * (steps - 1), 30) != 3 * steps // 5
    ]
    assert less == [205, 410, 820, 845, 1615, 1640, 1665, 1690]


def test_a_moment_of_sound_has_one_step() -> None:
    assert resampled_frames(1, 30) == 0
    assert resampled_frames(800, 30) == 1
