"""FaceDiffuser learns a clip by heart, and draws it from noise; and what its loss is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.face.heads import load_head
from talkcli.engine.models.facediffuser.config import FaceDiffuserConfig
from talkcli.engine.models.facediffuser.facediffuser import FaceDiffuser
from talkcli.engine.nn.diffusion import SAMPLERS
from talkcli.engine.train.batches import Batch, BatchConfig, Batches, prepare
from talkcli.engine.train.objectives.facediffuser import FaceDiffuserObjective, FaceDiffuserObjectiveConfig
from talkcli.engine.types import Silent
from tests.engine.fakes import fake_clip

FRAMES = 40


def built(*, plain: bool = False, **objective: object) -> tuple[FaceDiffuserObjective, Batch, Tensor]:
    """An objective, a batch that is one clip of 1.6 s, and the samples of the clip."""
    torch.manual_seed(0)
    ear = LogMelConfig(num_mels=32)
    config = FaceDiffuserConfig(
        motion="coefficients",
        plain=plain,
        content=LogMelEncoderConfig(ear=ear, width=32, layers=1, heads=4, feedforward=32),
        width=64,
        times=50,
        dropout=0.0,
    )
    model = FaceDiffuser(config, 53)
    clip = fake_clip(0)
    data = BatchConfig(size=1, frames=FRAMES, smooth=False)
    examples = prepare(
        [clip], model.ears, data, speakers=(clip.speaker,), copies=0, seed=0, reporter=Silent()
    )
    batches = Batches(training=examples, validation=examples, ears=model.ears, config=data, seed=0)
    settings = FaceDiffuserObjectiveConfig(vertices=120, **objective)  # type: ignore[arg-type]
    made = FaceDiffuserObjective(model, settings, load_head("ada"))
    return made, batches.held_out()[0], torch.from_numpy(clip.speech.samples)[None]


@pytest.mark.parametrize("plain", [False, True])
def test_learns_a_clip_by_heart(plain: bool) -> None:
    objective, batch, samples = built(plain=plain, surface_weight=1.0)
    model, surface = objective.model, objective.surface
    assert surface is not None
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    number = 450 if plain else 240
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, total_iters=number)
    for _ in range(number):
        optimiser.zero_grad()
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()
        falling.step()
    model.eval()
    with torch.no_grad():
        assert objective.validate([batch])["score"] < 1.5
    for sampler in SAMPLERS:
        drawn = model.generate(samples, sampler=sampler, generator=torch.Generator().manual_seed(0))
        # The lip vertex error in root form, of what is drawn from noise.
        error = surface.lip_error_mm(surface(drawn[:, :FRAMES].clone()), surface(batch.motion))
        assert float(error.mean()) < 1.5, sampler


def test_the_loss_bends_at_one() -> None:
    """Coefficients: e^2 / 2 below 1, e - 1 / 2 above; vertices: the same in metres, a million times."""
    objective, _, _ = built()
    true = torch.zeros(1, 2, 1)
    made = torch.tensor([0.5, 3.0]).reshape(1, 2, 1)
    assert float(objective.error(made, true)) == pytest.approx((0.125 + 2.5) / 2)
    objective.scale = 1000.0
    assert float(objective.error(made, true)) == pytest.approx(1e6 * (0.125 + 2.5) / 2)


def test_terms_add_up_by_their_weights() -> None:
    objective, batch, _ = built(value_weight=2.0, surface_weight=0.5, velocity_weight=3.0)
    terms = {name: float(value.detach()) for name, value in objective(batch, 0.0).items()}
    assert set(terms) == {"loss", "value", "surface", "velocity"}
    total = 2 * terms["value"] + 0.5 * terms["surface"] + 3 * terms["velocity"]
    assert terms["loss"] == pytest.approx(total, rel=1e-5)


def test_validation_draws_the_same_noise_every_time() -> None:
    objective, batch, _ = built()
    objective.eval()
    with torch.no_grad():
        assert objective.validate([batch]) == objective.validate([batch])
