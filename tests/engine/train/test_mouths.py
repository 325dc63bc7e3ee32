"""Pictures of mouths for training: drawn once, differently for each clip, and cut into batches with it."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.face.heads import load_head
from talkcli.engine.train import mouths
from talkcli.engine.train.batches import BatchConfig, Batches, prepare
from talkcli.engine.train.mouths import DrawnMouths
from talkcli.engine.types import Clip, Silent
from tests.engine.fakes import fake_clip

FRAMES = 6


@pytest.fixture
def draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DrawnMouths:
    monkeypatch.setattr(mouths, "cache_dir", lambda: tmp_path)
    return DrawnMouths(load_head("ada"))


def test_a_clip_is_drawn_once(draw: DrawnMouths, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = fake_clip(0, FRAMES)
    first = draw(clip)
    assert first.shape == (FRAMES, 48, 48)
    assert first.std() > 10
    larger = copy.copy(load_head("ada"))
    larger.template = larger.template * 1.1
    draw_larger = DrawnMouths(larger)
    drawn: list[str] = []

    def noting(*given: object) -> list[np.ndarray]:
        drawn.append("drawn")
        return [np.zeros((FRAMES, 48, 48), np.uint8)]

    monkeypatch.setattr(mouths, "drawn_mouths", noting)
    assert np.array_equal(draw(clip), first)
    assert not drawn
    moved = replace(clip, motion=replace(clip.motion, coeffs=clip.motion.values * 0.5))  # type: ignore[arg-type]
    draw(moved)
    draw(replace(clip, id="another"))
    draw_larger(clip)
    assert len(drawn) == 3


def test_clips_differ_in_light_and_turn(draw: DrawnMouths) -> None:
    clip = fake_clip(0, FRAMES)
    first, other = draw(clip), draw(replace(clip, id="another"))
    assert np.abs(first.astype(int) - other).mean() > 5


def test_windows_have_their_own_pictures() -> None:
    """Frame k of a clip has the grey value k; a short clip ends in copies of its last picture."""
    frames = {"clip000": 20, "clip001": 10}

    def look(clip: Clip) -> np.ndarray:
        values = np.arange(frames[clip.id], dtype=np.uint8)
        return np.broadcast_to(values[:, None, None], (len(values), 48, 48)).copy()

    config = BatchConfig(size=4, frames=16, smooth=False)
    ears = {"log_mel": LogMel(LogMelConfig(num_mels=20))}
    clips = [fake_clip(index, frames[f"clip00{index}"]) for index in range(2)]
    made = prepare(clips, ears, config, speakers=(), copies=0, seed=0, reporter=Silent(), look=look)
    assert made[1].seen is not None
    assert made[1].seen[:, 0, 0].tolist() == [*range(10), *[9] * 6]
    batches = Batches(training=made[:1], validation=made[:1], ears=ears, config=config, seed=0)
    batch = batches.at(0)
    assert batch.seen is not None
    assert batch.seen.shape == (4, 16, 48, 48)
    jaw = made[0].motion[:, -3]
    for row, motion in zip(batch.seen[:, :, 0, 0], batch.motion, strict=True):
        start = int(row[0])
        assert row.tolist() == list(range(start, start + 16))
        torch.testing.assert_close(motion[:, -3], jaw[start : start + 16])
    assert batch.rows(1, 2).seen is not None
    assert batch.to(torch.device("cpu")).seen is not None
