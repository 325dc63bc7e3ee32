"""What our sync judge of pictures can tell, on a drawn mouth: the packaged example and model.

docs/judges.md has the same on LJSpeech and on films.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.assets import WEIGHTS_DIR
from talkcli.engine.audio.io import read_speech
from talkcli.engine.checkpoints.judge_weights import own_judge
from talkcli.engine.checkpoints.own_judges import OWN_JUDGES
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.judges import sync_image
from talkcli.engine.metrics.lse import Lse, lse
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.render.mouths import drawn_mouths
from talkcli.engine.types import Motion, Silent, Speech

HELLO = Path(__file__).resolve().parents[3] / "examples" / "hello.wav"


@pytest.fixture(scope="module")
def heard() -> Speech:
    return read_speech(HELLO, Silent())


@pytest.fixture(scope="module")
def mouths(heard: Speech) -> np.ndarray:
    motion = next(iter(open_model("embedded", "cpu").perform(heard, Sampling())))
    assert isinstance(motion, Motion)
    return np.concatenate(list(drawn_mouths(Surface(motion, load_head("ada")), sync_image.SIDE)))


def scored(mouths: np.ndarray, samples: np.ndarray) -> Lse:
    judge, _ = own_judge("sync_image")
    return lse(*sync_image.features(judge, [mouths], Speech(samples=samples)))


@pytest.mark.parametrize("frames", [-8, -3, 0, 3, 8])
def test_finds_a_known_shift(mouths: np.ndarray, heard: Speech, frames: int) -> None:
    """The sound is `frames` late; silence stands where it is missing."""
    late = np.zeros_like(heard.samples)
    shift = abs(frames) * 640
    if frames >= 0:
        late[shift:] = heard.samples[: len(late) - shift]
    else:
        late[:-shift] = heard.samples[shift:]
    assert abs(scored(mouths, late).offset + frames) <= 1


def test_a_brighter_and_mirrored_mouth_has_the_same_shift(mouths: np.ndarray, heard: Speech) -> None:
    brighter = (mouths * 0.7 + 60).astype(np.uint8)[..., ::-1].copy()
    assert abs(scored(brighter, heard.samples).offset) <= 1


def test_tells_reversed_sound(mouths: np.ndarray, heard: Speech) -> None:
    true, backwards = scored(mouths, heard.samples), scored(mouths, heard.samples[::-1].copy())
    assert true.distance < backwards.distance
    assert true.confidence > backwards.confidence


def test_all_judges_together_are_small() -> None:
    assert sum((WEIGHTS_DIR / file).stat().st_size for file in OWN_JUDGES.values()) < 8_000_000
