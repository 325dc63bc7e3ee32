"""What our sync judge can tell, on speech and motion of its own kind: the packaged example and model.

docs/judges.md has the same on LJSpeech.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import read_speech
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics.lse import Lse
from talkcli.engine.metrics.lse_measures import by_our_judge
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import Silent, Speech

HELLO = Path(__file__).resolve().parents[3] / "examples" / "hello.wav"


@pytest.fixture(scope="module")
def heard() -> Speech:
    return read_speech(HELLO, Silent())


@pytest.fixture(scope="module")
def take(heard: Speech) -> Measured:
    motion = next(iter(open_model("embedded", "cpu").perform(heard, Sampling())))
    return Measured(Surface(motion, load_head("ada")))  # type: ignore[arg-type]


def late(take: Measured, heard: Speech, frames: int) -> Lse:
    """The scores with sound that is `frames` late; the last frames of it are lost."""
    silence = np.zeros(abs(frames) * 640, np.float32)
    samples = heard.samples
    moved = np.concatenate([silence, samples]) if frames > 0 else np.concatenate([samples, silence])
    first = 0 if frames > 0 else len(silence)
    return by_our_judge(take, Speech(samples=moved[first : first + len(samples)]))


@pytest.mark.parametrize("frames", [-8, -3, -1, 0, 1, 3, 8])
def test_finds_a_known_shift(take: Measured, heard: Speech, frames: int) -> None:
    assert abs(late(take, heard, frames).offset + frames) <= 1


def test_a_large_shift_is_worse(take: Measured, heard: Speech) -> None:
    """The score forgives the shift that it finds, except for windows beyond the clip. In a single clip small
    shifts need not be in order; their means over clips are.
    """
    *small, large = [late(take, heard, frames).distance for frames in (0, 1, 3, 8)]
    assert large > max(small) + 0.001


def test_tells_reversed_sound(take: Measured, heard: Speech) -> None:
    true = by_our_judge(take, heard)
    backwards = by_our_judge(take, Speech(samples=heard.samples[::-1].copy()))
    assert true.distance < backwards.distance
    assert true.confidence > backwards.confidence
