"""The sync judge of pictures: its windows, what it does not mind, and that it learns to find a shift."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from talkcli.engine.audio.ear import hear
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.judges.sync_image import SIDE, SyncImageConfig, SyncImageJudge, as_floats, features
from talkcli.engine.metrics.lse import lse
from talkcli.engine.render.mouths import drawn_mouths
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.sync_image import SyncImageObjective, SyncImageObjectiveConfig
from talkcli.engine.types import Clip, Speech
from tests.engine.fakes import fake_clip

TINY = SyncImageConfig(width=32, features=16, widths=(8, 8, 16))


def judge() -> SyncImageJudge:
    torch.manual_seed(0)
    return SyncImageJudge(TINY).eval()


def crops(frames: int) -> np.ndarray:
    return np.random.default_rng(0).integers(60, 180, (frames, SIDE, SIDE), dtype=np.uint8)


def speech(frames: int) -> Speech:
    return Speech(samples=np.random.default_rng(1).uniform(-0.3, 0.3, 640 * frames).astype(np.float32))


def test_a_window_sees_its_five_frames_alone() -> None:
    model, pictures = judge(), as_floats(torch.from_numpy(crops(12)))
    seen = model.see(pictures[None])[0]
    assert seen.shape == (8, 16)
    torch.testing.assert_close(seen.norm(dim=-1), torch.ones(8))
    other = pictures.clone()
    other[:3], other[8:] = 0.1, 0.9
    found = model.see(other[None])[0]
    torch.testing.assert_close(found[3], seen[3])
    assert not torch.allclose(found[2], seen[2], atol=1e-3)
    assert not torch.allclose(found[4], seen[4], atol=1e-3)


def test_rows_of_a_batch_do_not_mix() -> None:
    model, pictures = judge(), as_floats(torch.from_numpy(crops(14))).reshape(2, 7, SIDE, SIDE)
    both = model.see(pictures)
    assert both.shape == (2, 3, 16)
    torch.testing.assert_close(both[1], model.see(pictures[1:])[0])


def test_brightness_and_contrast_do_not_matter() -> None:
    model, pictures = judge(), as_floats(torch.from_numpy(crops(9)))[None]
    seen = model.see(pictures)
    torch.testing.assert_close(model.see(0.4 * pictures + 0.3), seen, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(model.see(1 - pictures), seen, atol=1e-2)


def test_a_picture_of_nothing_is_no_division_by_zero() -> None:
    assert judge().see(torch.full((1, 6, SIDE, SIDE), 0.5)).isfinite().all()


@pytest.mark.parametrize("cuts", [(20,), (1, 2, 3, 20), (4, 8, 20), (0, 13, 20)])
def test_features_do_not_depend_on_blocks(cuts: tuple[int, ...]) -> None:
    pictures, sound = crops(20), speech(18)
    whole, heard = features(judge(), [pictures], sound)
    # The sound ends first.
    assert whole.shape == heard.shape == (14, 16)
    blocks = [pictures[first:last] for first, last in zip((0, *cuts), cuts, strict=False)]
    np.testing.assert_allclose(features(judge(), blocks, sound)[0], whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("frames", "sounding"), [(4, 20), (20, 4), (0, 20)])
def test_too_short(frames: int, sounding: int) -> None:
    blocks = [crops(frames)] if frames else []
    with pytest.raises(ValueError, match=f"{min(frames, sounding)} frames are too few for a window of 5"):
        features(judge(), blocks, speech(sounding))


@cache
def drawn(index: int, frames: int) -> tuple[Clip, np.ndarray]:
    """A clip of a buzz whose loudness opens the jaw, and drawings of its mouth."""
    clip = fake_clip(index, frames=frames)
    # No emotion: its channels would hide the mouth of a few clips.
    coeffs = np.zeros_like(clip.motion.values)
    coeffs[:, -3:] = clip.motion.values[:, -3:]
    motion = replace(clip.motion, coeffs=coeffs)  # type: ignore[arg-type]
    return clip, np.concatenate(list(drawn_mouths(Surface(motion, load_head("ada")), SIDE)))


def test_learns_a_shift() -> None:
    """Trained on drawn bursts that open the jaw, it tells by how many frames another clip's sound is late."""
    torch.manual_seed(0)
    model = SyncImageJudge(TINY)
    changes = SyncImageObjectiveConfig(mirror=0, turn=0, move=0.05, noise=0.01)
    objective = SyncImageObjective(model, changes)
    clips = [drawn(index, 48) for index in range(6)]
    batch = Batch(
        sound=hear(model.ears, torch.stack([torch.from_numpy(clip.speech.samples) for clip, _ in clips])),  # type: ignore[union-attr]
        motion=torch.zeros(6, 48, 53),
        emotion=torch.zeros(6, dtype=torch.long),
        level=torch.ones(6),
        speaker=torch.zeros(6, dtype=torch.long),
        phones=torch.full((6, 96), -1),
        seen=torch.from_numpy(np.stack([pictures for _, pictures in clips])),
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    with torch.no_grad():
        before = objective.validate([batch])
    for _ in range(60):
        optimiser.zero_grad()
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()
    with torch.no_grad():
        after = objective.validate([batch])
    assert after["score"] < 0.8 * before["score"]
    model.eval()
    right = 0
    for index in range(100, 104):
        clip, pictures = drawn(index, 60)
        late = np.roll(clip.speech.samples, 3 * 640)  # type: ignore[union-attr]
        right += abs(lse(*features(model, [pictures], Speech(samples=late))).offset + 3) <= 1
    assert right >= 3


def test_training_needs_pictures() -> None:
    objective = SyncImageObjective(judge(), SyncImageObjectiveConfig())
    batch = Batch(
        sound={}, motion=torch.zeros(1, 8, 53), emotion=torch.zeros(1, dtype=torch.long),
        level=torch.ones(1), speaker=torch.zeros(1, dtype=torch.long), phones=torch.full((1, 16), -1),
    )  # fmt: skip
    with pytest.raises(ValueError, match="no pictures"):
        objective.seen(batch, changed=True)
