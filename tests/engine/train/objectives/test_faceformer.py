"""FaceFormer learns a clip by heart, by its own frames; and what its settings change."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.face.heads import load_head
from talkcli.engine.models.faceformer import FaceFormer, FaceFormerConfig
from talkcli.engine.train.batches import Batch, BatchConfig, Batches, prepare
from talkcli.engine.train.objectives.faceformer import FaceFormerObjective, FaceFormerObjectiveConfig
from talkcli.engine.types import Silent
from tests.engine.fakes import fake_clip

FRAMES = 40
CONFIG = FaceFormerConfig(
    motion="coefficients",
    content=LogMelEncoderConfig(ear=LogMelConfig(num_mels=32), width=32, layers=1, heads=4, feedforward=32),
    width=32,
    feedforward=64,
    dropout=0.0,
)


def built(config: FaceFormerConfig = CONFIG, **objective: object) -> tuple[FaceFormerObjective, Batch]:
    """An objective, and a batch that is one clip of 1.6 s."""
    torch.manual_seed(0)
    model = FaceFormer(config, 53)
    clip = fake_clip(0)
    data = BatchConfig(size=1, frames=FRAMES)
    examples = prepare(
        [clip], model.ears, data, speakers=(clip.speaker,), copies=0, seed=0, reporter=Silent()
    )
    batches = Batches(training=examples, validation=examples, ears=model.ears, config=data, seed=0)
    settings = FaceFormerObjectiveConfig(vertices=120, **objective)  # type: ignore[arg-type]
    return FaceFormerObjective(model, settings, load_head("ada")), batches.held_out()[0]


def measures(objective: FaceFormerObjective, batch: Batch) -> dict[str, float]:
    objective.eval()
    with torch.no_grad():
        found = objective.validate([batch])
    objective.train()
    return found


@pytest.mark.parametrize("teacher_forcing", [False, True])
def test_learns_a_clip_by_heart(teacher_forcing: bool) -> None:
    objective, batch = built(surface_weight=1.0, teacher_forcing=teacher_forcing)
    assert measures(objective, batch)["lip_error_mm"] > 10
    optimiser = torch.optim.Adam(objective.model.parameters(), 5e-3)
    for _ in range(80):
        optimiser.zero_grad()
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()
    after = measures(objective, batch)
    # By its own frames, as it performs.
    assert after["score"] == after["lip_error_mm"] < 1


def test_terms_add_up_by_their_weights() -> None:
    objective, batch = built(value_weight=2.0, surface_weight=0.5, velocity_weight=3.0)
    terms = {name: float(value.detach()) for name, value in objective(batch, 0.0).items()}
    assert set(terms) == {"loss", "value", "surface", "velocity"}
    total = 2 * terms["value"] + 0.5 * terms["surface"] + 3 * terms["velocity"]
    assert terms["loss"] == pytest.approx(total, rel=1e-5)
    assert terms["velocity"] > 0


def test_the_surface_is_left_out_where_it_weighs_nothing() -> None:
    objective, batch = built()
    assert set(objective(batch, 0.0)) == {"loss", "value"}


def test_gradients_pass_through_the_frames_fed_back() -> None:
    objective, batch = built()
    model = objective.model
    torch.nn.init.normal_(model.outward.weight, std=0.1)

    def gradient(told: Tensor | None) -> Tensor:
        made = model(batch.sound, batch.speaker, FRAMES, told)
        (found,) = torch.autograd.grad(made[:, -1].square().sum(), model.outward.bias)
        return found

    # With true frames the bias acts on the last frame alone; without, also through all frames before it.
    own = model(batch.sound, batch.speaker, FRAMES).detach()
    assert (gradient(None) - gradient(own)).abs().max() > 1e-4
