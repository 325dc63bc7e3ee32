"""Heads that move with speech: a few degrees, smoothly, more when it matters."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.finish.head_motion import head_motion
from talkcli.engine.finish.phrasing import Phrasing, phrasing
from talkcli.engine.types import Emotion
from tests.engine.finish.sounds import talking

FPS, FRAMES = 25.0, 1500


@pytest.fixture(scope="module")
def minute() -> Phrasing:
    return phrasing(talking(60), 6000)


def degrees(heard: Phrasing, seed: int = 0, emotion: Emotion | None = None) -> np.ndarray:
    return np.rad2deg(head_motion(heard, FRAMES, FPS, np.random.default_rng(seed), emotion))


@pytest.mark.parametrize("seed", range(6))
def test_small_and_smooth(minute: Phrasing, seed: int) -> None:
    pose = degrees(minute, seed)
    rms = np.sqrt((pose**2).mean(axis=0))
    assert (rms > 0.4).all() and (rms < 3).all() and (rms > 1).any()
    assert np.abs(pose).max() < 9
    speed = np.diff(pose, axis=0) * FPS
    assert np.abs(speed).max() < 30
    # People nod with up to some hundreds of degrees per second squared.
    assert np.abs(np.diff(speed, axis=0) * FPS).max() < 300
    # Hardly anything is faster than 5 Hz.
    power = np.abs(np.fft.rfft(pose - pose.mean(axis=0), axis=0)) ** 2
    fast = np.fft.rfftfreq(FRAMES, 1 / FPS) > 5
    assert power[fast].sum() < 0.005 * power.sum()


def test_accents_are_nodded(minute: Phrasing) -> None:
    frames = np.array([round(accent.time_s * FPS) for accent in minute.accents])
    pitch = np.mean([degrees(minute, seed)[:, 0] for seed in range(12)], axis=0)
    assert pitch[frames].mean() > pitch.mean() + 0.4


def test_pauses_are_calmer_than_speech() -> None:
    heard = phrasing(talking(60, phrase_s=5, pause_s=5), 6000)
    speaking = heard.speaking[2::4]
    speed = np.abs(np.diff(np.concatenate([degrees(heard, seed) for seed in range(4)], axis=1), axis=0))
    assert speed[~speaking[1:]].mean() < 0.75 * speed[speaking[1:]].mean()


def test_anger_moves_more_than_calm(minute: Phrasing) -> None:
    calm, plain, angry = (
        degrees(minute, emotion=emotion).std()
        for emotion in (Emotion(label="calm"), None, Emotion(label="angry"))
    )
    assert calm < 0.85 * plain and angry > 1.2 * plain
    np.testing.assert_array_equal(degrees(minute, emotion=Emotion(label="angry", level=0.0)), degrees(minute))


def test_one_frame_and_no_sound() -> None:
    heard = phrasing(talking(0.04), 4)
    assert head_motion(heard, 1, FPS, np.random.default_rng(0)).shape == (1, 3)
