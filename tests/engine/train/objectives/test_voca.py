"""VOCA learns a clip by heart; its terms add up."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.face.heads import load_head
from talkcli.engine.models.voca import Voca, VocaConfig
from talkcli.engine.train.batches import Batch, BatchConfig, Batches, prepare
from talkcli.engine.train.objectives.voca import VocaObjective, VocaObjectiveConfig
from talkcli.engine.types import Silent
from tests.engine.fakes import fake_clip

CONFIG = VocaConfig(
    motion="coefficients",
    content=LogMelEncoderConfig(ear=LogMelConfig(num_mels=32), width=32, layers=1, heads=4, feedforward=32),
)


def built(**objective: object) -> tuple[VocaObjective, Batch]:
    """An objective, and a batch that is one clip of 1.6 s."""
    torch.manual_seed(0)
    model, clip = Voca(CONFIG, 53), fake_clip(0)
    data = BatchConfig(size=1, frames=40)
    examples = prepare(
        [clip], model.ears, data, speakers=(clip.speaker,), copies=0, seed=0, reporter=Silent()
    )
    batches = Batches(training=examples, validation=examples, ears=model.ears, config=data, seed=0)
    settings = VocaObjectiveConfig(vertices=120, **objective)  # type: ignore[arg-type]
    return VocaObjective(model, settings, load_head("ada")), batches.held_out()[0]


def measures(objective: VocaObjective, batch: Batch) -> dict[str, float]:
    objective.eval()
    with torch.no_grad():
        found = objective.validate([batch])
    objective.train()
    return found


def test_learns_a_clip_by_heart() -> None:
    objective, batch = built()
    assert measures(objective, batch)["lip_error_mm"] > 5
    optimiser = torch.optim.Adam(objective.model.parameters(), 5e-3)
    for _ in range(120):
        optimiser.zero_grad()
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()
    after = measures(objective, batch)
    assert after["score"] == after["lip_error_mm"] < 1.5


def test_terms_add_up_by_their_weights() -> None:
    objective, batch = built(vertex_weight=2.0, velocity_weight=3.0)
    terms = {name: float(value.detach()) for name, value in objective(batch, 0.0).items()}
    assert set(terms) == {"loss", "vertex", "velocity"} and terms["velocity"] > 0
    assert terms["loss"] == pytest.approx(2 * terms["vertex"] + 3 * terms["velocity"], rel=1e-5)
