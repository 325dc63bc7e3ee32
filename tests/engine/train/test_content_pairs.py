"""Pairs of the same content: who is paired, and how the partner is stretched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from talkcli.engine.audio.ear import Waveform
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.errors import InputError
from talkcli.engine.train.batches import BatchConfig, Batches, prepare
from talkcli.engine.train.content_pairs import content_of, partners, stretched
from talkcli.engine.train.example import Example
from talkcli.engine.types import Alignment, Clip, Emotion, Phone, Silent
from tests.engine.fakes import fake_clip

EARS = {"log_mel": LogMel(LogMelConfig(num_mels=20)), "waveform": Waveform()}


def _clip(index: int, text: str | None, emotion: str, speaker: str = "a", frames: int = 40) -> Clip:
    clip = fake_clip(index, frames)
    return replace(clip, text=text, emotion=Emotion(label=emotion, level=0.5), speaker=speaker)


def _examples(clips: list[Clip], config: BatchConfig) -> list[Example]:
    return prepare(clips, EARS, config, speakers=("a", "b"), copies=0, seed=0, reporter=Silent())


def _batches(clips: list[Clip], **how: Any) -> Batches:
    config = BatchConfig(**{"size": 8, "frames": 16, "pairs": "content", **how})
    examples = _examples(clips, config)
    return Batches(training=examples, validation=examples, ears=EARS, config=config, seed=1)


CLIPS = [
    _clip(0, "Kids are talking by the door.", "happy", frames=40),
    _clip(1, "kids are  talking by the door.", "sad", frames=64),
    _clip(2, "Dogs are sitting by the door.", "sad"),
    _clip(3, "Kids are talking by the door.", "sad", speaker="b"),
    _clip(4, "Kids are talking by the door.", "happy"),
    _clip(5, None, "angry"),
]


def test_partners_share_speaker_and_words_and_differ_in_emotion() -> None:
    found = partners(_examples(CLIPS, BatchConfig(size=2, frames=16)))
    assert found == [[1], [0, 4], [], [], [1], []]


def test_phones_tell_the_content_where_no_words_are_known() -> None:
    said = Alignment((Phone("SIL", 0.0, 0.2), Phone("M", 0.2, 0.5), Phone("AA", 0.5, 1.0)), "aligned")
    other = Alignment((Phone("M", 0.0, 0.2), Phone("AA", 0.2, 0.4), Phone("SIL", 0.4, 1.0)), "aligned")
    clip = _clip(0, None, "sad")
    assert content_of(clip) is None
    assert content_of(replace(clip, alignment=said)) == content_of(replace(clip, alignment=other)) == "M AA"


def test_rows_of_a_batch_are_pairs_in_step() -> None:
    batches = _batches(CLIPS)
    examples = {int(item.emotion): item for item in (batches.training[0], batches.training[1])}
    for step in range(5):
        batch = batches.at(step)
        assert batch.motion.shape == (8, 16, 53)
        assert batch.sound["log_mel"].shape == (8, 64, 23)
        assert batch.sound["waveform"].shape == (8, 16 * 640, 1)
        first, second = batch.emotion[::2], batch.emotion[1::2]
        assert (first != second).all()
        assert set(batch.emotion.tolist()) == set(examples)
        for rank in range(2):
            part = batches.at(step, rank=rank, world=2)
            assert torch.equal(part.motion, batch.rows(4 * rank, 4 * rank + 4).motion)


def test_a_partner_is_stretched_end_to_end() -> None:
    short, long = _examples(CLIPS[:2], BatchConfig(size=2, frames=16, smooth=False))
    fitted = stretched(long, len(short.motion), EARS)
    assert fitted.motion.shape == short.motion.shape
    assert {name: steps.shape for name, steps in fitted.sound.items()} == {
        name: steps.shape for name, steps in short.sound.items()
    }
    assert fitted.phones.shape == short.phones.shape
    at = np.linspace(0, 63, 40)
    wanted = np.stack([np.interp(at, np.arange(64), channel) for channel in long.motion.numpy().T], axis=1)
    np.testing.assert_allclose(fitted.motion, wanted, atol=1e-5)
    assert stretched(long, 64, EARS) is long


def test_without_any_pair_training_is_refused() -> None:
    with pytest.raises(InputError, match="says the same with different emotions"):
        _batches([CLIPS[0], CLIPS[2]])
    with pytest.raises(ValidationError, match="size 3 is odd"):
        BatchConfig(size=3, pairs="content")
