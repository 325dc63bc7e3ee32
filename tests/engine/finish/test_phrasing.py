"""Pauses where it is silent, accents where it is loud, and nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.finish.phrasing import phrasing
from talkcli.engine.types import SPEECH_RATE_HZ, Speech
from tests.engine.finish.sounds import talking


def test_pauses_are_where_the_sound_is_silent() -> None:
    heard = phrasing(talking(12), 1200)
    assert [round(pause.start_s) for pause in heard.pauses] == [0, 4, 8]
    assert all(pause.duration_s == pytest.approx(1.0, abs=0.1) for pause in heard.pauses)
    assert heard.speaking.mean() == pytest.approx(0.75, abs=0.03)


def test_the_loudest_moments_are_accents() -> None:
    samples = talking(8, phrase_s=100, pause_s=0.5).samples.copy()
    shout = slice(round(3.5 * SPEECH_RATE_HZ), round(3.75 * SPEECH_RATE_HZ))
    samples[shout] *= 6
    heard = phrasing(Speech(samples=samples), 800)
    times = [accent.time_s for accent in heard.accents]
    shouted = min(heard.accents, key=lambda accent: abs(accent.time_s - 3.6))
    assert shouted.time_s == pytest.approx(3.6, abs=0.12)
    assert shouted.strength == max(accent.strength for accent in heard.accents)
    assert min(np.diff(times)) > 0.4
    assert all(heard.speaking[round(time * 100)] for time in times)


@pytest.mark.parametrize("samples", [np.zeros(16_000), np.full(100, 1e-5), np.zeros(0)])
def test_silence_is_one_pause_without_accents(samples: np.ndarray) -> None:
    heard = phrasing(Speech(samples=samples.astype(np.float32)), 100)
    assert not heard.speaking.any() and heard.accents == ()
    assert len(heard.pauses) == 1 and not heard.melody.any()


def test_motion_may_outlast_its_sound() -> None:
    heard = phrasing(talking(2, phrase_s=100, pause_s=0.5), 300)
    assert len(heard.speaking) == len(heard.melody) == 300
    assert not heard.speaking[205:].any()
