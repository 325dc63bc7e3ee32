"""A training step at published size fits into 16 GB: counted on tensors without content.

The count of a small step is the same with content and without.
"""

from __future__ import annotations

from functools import partial

import pytest
import torch

from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.models.emoface.emoface import EmoFace
from talkcli.engine.models.emoface.emoface_config import EmoFaceConfig
from talkcli.engine.nn import spiral_conv
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.emoface import EmoFaceObjective, EmoFaceObjectiveConfig
from talkcli.engine.train.peak_memory import PeakMemory
from tests.engine.models.emoface.tiny_emoface import tiny

# A pair at batch size 1 of the paper, 100 frames, FLAME.
ROWS, FRAMES, VERTS = 2, 100, 5023


def _batch(model: EmoFace, rows: int, frames: int) -> Batch:
    at = partial(torch.zeros, device=model.neutral.device)
    sound = {
        name: at(rows, frames * ear.steps_per_frame, ear.num_channels) for name, ear in model.ears.items()
    }
    return Batch(
        sound=sound,
        motion=at(rows, frames, model.neutral.numel()),
        emotion=at(rows, dtype=torch.long),
        level=at(rows),
        speaker=at(rows, dtype=torch.long),
        phones=at(rows, 2 * frames, dtype=torch.long),
        neutral=model.neutral.expand(rows, -1, -1),
    )


def _peak(model: EmoFace, rows: int, frames: int) -> int:
    """Bytes of the tensors of a step in the second half of training, gradients included."""
    objective = EmoFaceObjective(model.train(), EmoFaceObjectiveConfig(), paired=True)
    batch = _batch(model, rows, frames)
    objective.to(model.neutral.device)
    with PeakMemory() as counted:
        objective(batch, 0.9)["loss"].backward()
    return counted.peak


def _hollow(config: EmoFaceConfig, num_values: int) -> EmoFace:
    with torch.device("meta"), Undrawn():
        return EmoFace(config, num_values).to("meta")


def test_the_published_size_fits_into_16_gb() -> None:
    model = _hollow(EmoFaceConfig(), 3 * VERTS)
    weights = sum(value.numel() for value in model.parameters())
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    # Two networks of 315 million weights.
    assert 630e6 < weights < 660e6
    # Weights and Adam's two moments are there throughout; the peak of a step includes the gradients.
    total_gb = 4 * (weights + 2 * trained) / 1e9 + _peak(model, ROWS, FRAMES) / 1e9
    assert 10 < total_gb < 16


def test_without_content_the_count_is_the_same() -> None:
    model = tiny(2)
    hollow = _hollow(model.config, model.neutral.numel())
    assert _peak(hollow, 4, 20) == pytest.approx(_peak(model, 4, 20), rel=0.05)


def test_blocks_bound_the_memory_of_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny(width=512, spiral={"length": 15, "dilation": 1, "span": 5}).config
    bounded = _peak(_hollow(config, 3 * VERTS), ROWS, FRAMES)
    monkeypatch.setattr(spiral_conv.SpiralConv3d, "_frames_of_a_block", lambda self, features: 10**6)
    whole = _peak(_hollow(config, 3 * VERTS), ROWS, FRAMES)
    gathered = ROWS * FRAMES * VERTS * 15 * 32 * 4
    assert whole - bounded > 0.8 * gathered
