"""The sync judge: its windows, and that a little training finds the shift of sound."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talkcli.engine.audio.ear import hear
from talkcli.engine.judges.sync import SyncConfig, SyncJudge, features
from talkcli.engine.metrics.lse import lse
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.sync import LipCurves, SyncObjective, SyncObjectiveConfig
from talkcli.engine.types import Speech
from tests.engine.fakes import LinearHead, fake_clip

TINY = SyncConfig(width=32, features=16)


def judge() -> SyncJudge:
    torch.manual_seed(0)
    return SyncJudge(TINY).eval()


def test_windows() -> None:
    """Window i sees the frames i to i + 4 and hears the hops 4 i to 4 i + 19, and nothing else."""
    model, rng = judge(), np.random.default_rng(0)
    curves = rng.standard_normal((12, 10)).astype(np.float32)
    hops = torch.from_numpy(rng.standard_normal((1, 48, 40)).astype(np.float32))
    seen, heard = model.see(torch.from_numpy(curves)[None])[0], model.hear({"log_mel": hops})[0]
    assert seen.shape == heard.shape == (8, 16)
    torch.testing.assert_close(seen.norm(dim=-1), torch.ones(8))
    other, noise = curves.copy(), hops.clone()
    other[:3], other[8:] = 9, 9
    noise[:, :12], noise[:, 32:] = 9, 9
    torch.testing.assert_close(model.see(torch.from_numpy(other)[None])[0, 3], seen[3])
    torch.testing.assert_close(model.hear({"log_mel": noise})[0, 3], heard[3])
    assert not torch.allclose(model.see(torch.from_numpy(other)[None])[0, 2], seen[2])
    assert not torch.allclose(model.hear({"log_mel": noise})[0, 4], heard[4])


@pytest.mark.parametrize(("frames", "samples", "windows"), [(12, 20 * 640, 8), (20, 12 * 640 + 600, 8)])
def test_the_shorter_input_ends_the_clip(frames: int, samples: int, windows: int) -> None:
    curves = np.zeros((frames, 10), np.float32)
    seen, heard = features(judge(), curves, Speech(samples=np.zeros(samples, np.float32)))
    assert len(seen) == len(heard) == windows


def test_too_short() -> None:
    with pytest.raises(ValueError, match="4 frames are too few for a window of 5"):
        features(judge(), np.zeros((4, 10), np.float32), Speech(samples=np.zeros(16_000, np.float32)))


def test_learns_a_shift() -> None:
    """Trained on bursts that open the jaw, it tells by how many frames the sound of another clip is late."""
    model, head = SyncJudge(TINY), LinearHead()
    lips = LipCurves(head)
    clips = [fake_clip(index, frames=60) for index in range(16)]
    motion = torch.stack([torch.from_numpy(clip.motion.coeffs) for clip in clips])
    model.curve_scale.fit(lips(motion).flatten(0, 1))
    objective = SyncObjective(model, SyncObjectiveConfig(), lips)
    batch = Batch(
        sound=hear(model.ears, torch.stack([torch.from_numpy(clip.speech.samples) for clip in clips])),
        motion=motion,
        emotion=torch.zeros(16, dtype=torch.long),
        level=torch.ones(16),
        speaker=torch.zeros(16, dtype=torch.long),
        phones=torch.full((16, 120), -1),
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
    assert after["score"] < 0.7 * before["score"]
    assert after["near"] > before["near"]
    model.eval()
    right = 0
    for index in range(100, 110):
        clip = fake_clip(index, frames=80)
        curves = lips(torch.from_numpy(clip.motion.coeffs)[None])[0].numpy()
        late = np.roll(clip.speech.samples, 3 * 640)
        found = lse(*features(model, curves, Speech(samples=late)))
        right += abs(found.offset + 3) <= 1
    assert right >= 8
