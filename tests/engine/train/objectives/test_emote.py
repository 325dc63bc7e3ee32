"""The objective of EMOTE: a clip by heart, and whose lips and whose emotion each term compares."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.errors import UsageError
from talkcli.engine.face.heads import load_head
from talkcli.engine.losses.lip_reading import LipReading
from talkcli.engine.losses.video_emotion import VideoEmotion
from talkcli.engine.models.emote.emote import Emote
from talkcli.engine.models.emote.emote_config import EmoteConfig
from talkcli.engine.models.emote.flint import Flint, FlintConfig
from talkcli.engine.train.batches import Batch, BatchConfig, Batches, prepare
from talkcli.engine.train.objectives.emote import EmoteObjective, EmoteObjectiveConfig
from talkcli.engine.train.objectives.prior import PriorObjective, PriorObjectiveConfig
from talkcli.engine.train.objectives.second_stage import neighbours
from talkcli.engine.types import Silent
from tests.engine.fakes import LinearHead, fake_clip

FRAMES = 40
CONFIG = EmoteConfig(
    content=LogMelEncoderConfig(ear=LogMelConfig(num_mels=32), width=32, layers=1, heads=4, feedforward=32),
    prior=FlintConfig(width=48, heads=4, feedforward=64),
    width=24,
    heads=4,
    feedforward=48,
    dropout=0.0,
    identity=4,
)


class _Seen:
    """Remembers what it is given to compare; sees the mean of the coefficients."""

    def __init__(self, by_clip: bool) -> None:
        nn.Module.__init__(self)  # type: ignore[arg-type]
        self.by_clip = by_clip
        self.wanted: list[Tensor] = []

    def features(self, coeffs: Tensor) -> Tensor:
        return coeffs.mean(1) if self.by_clip else coeffs

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        self.wanted.append(wanted)
        return (self.features(made) - wanted).square().mean()


class _Lips(_Seen, LipReading):
    pass


class _Emotion(_Seen, VideoEmotion):
    def train(self, mode: bool = True) -> _Emotion:
        return self


def batch_of(model: Emote, clips: int) -> Batch:
    data = BatchConfig(size=clips, frames=FRAMES)
    given = [fake_clip(index) for index in range(clips)]
    names = tuple(clip.speaker for clip in given)
    examples = prepare(given, model.ears, data, speakers=names, copies=0, seed=0, reporter=Silent())
    (batch,) = Batches(
        training=examples, validation=examples, ears=model.ears, config=data, seed=0
    ).held_out()
    return batch


def measures(objective: nn.Module, batch: Batch) -> dict[str, float]:
    objective.eval()
    with torch.no_grad():
        found: dict[str, float] = objective.validate([batch])
    objective.train()
    return found


def descend(objective: nn.Module, batch: Batch, steps: int, rate: float) -> None:
    optimiser = torch.optim.Adam([p for p in objective.model.parameters() if p.requires_grad], rate)
    for _ in range(steps):
        optimiser.zero_grad()
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()


def test_flint_and_emote_learn_a_clip_by_heart() -> None:
    """In mm of the lips of ada, the largest of a frame."""
    torch.manual_seed(0)
    head = load_head("ada")
    flint, model = Flint(CONFIG.prior, 53), Emote(CONFIG, 53)
    batch = batch_of(model, 1)
    prior = PriorObjective(flint, PriorObjectiveConfig(regulariser_weight=1e-3, vertices=120), head)
    assert measures(prior, batch)["lip_error_mm"] > 5
    descend(prior, batch, 250, 4e-3)
    assert measures(prior, batch)["lip_error_mm"] < 1.5
    model.prior.load_state_dict(flint.decoder.state_dict())
    objective = EmoteObjective(model, EmoteObjectiveConfig(vertices=120), head)
    before = measures(objective, batch)
    assert before["lip_error_mm"] > 3
    descend(objective, batch, 150, 3e-3)
    after = measures(objective, batch)
    assert after["score"] == after["lip_error_mm"] < 1.5
    assert after["vertex_error_mm"] < 0.5 * before["vertex_error_mm"]


def built(**how: object) -> tuple[EmoteObjective, Batch]:
    torch.manual_seed(0)
    model = Emote(CONFIG, 53)
    for zero in (model.narrow, model.prior.projection):
        nn.init.normal_(zero.weight, std=0.3)
    settings = EmoteObjectiveConfig.model_validate({"vertices": 20, **how})
    lips, emotion = _Lips(by_clip=False), _Emotion(by_clip=True)
    objective = EmoteObjective(model, settings, LinearHead(), emotion=emotion, lip_reading=lips)
    return objective, batch_of(model, 4)


WEIGHTS = {
    "velocity_weight": 3.0,
    "emotion_weight": 0.5,
    "swap_emotion_weight": 0.25,
    "lip_reading_weight": 7.0,
    "swap_lip_reading_weight": 5.0,
}


def test_terms_add_up_by_their_weights() -> None:
    objective, batch = built(vertex_weight=2.0, **WEIGHTS)
    terms = {name: float(value.detach()) for name, value in objective(batch, 0.0).items()}
    names = {name.removesuffix("_weight") for name in WEIGHTS}
    assert set(terms) == {"loss", "vertex", *names}
    total = 2 * terms["vertex"] + sum(WEIGHTS[f"{name}_weight"] * terms[name] for name in names)
    assert terms["loss"] == pytest.approx(total, rel=1e-5)
    assert all(value > 0 for value in terms.values())


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_every_term_trains_all_but_the_prior(name: str) -> None:
    objective, batch = built(vertex_weight=0.0, **{name: 1.0})
    terms = objective(batch, 0.0)
    assert set(terms) == {"loss", "vertex", name.removesuffix("_weight")}
    terms["loss"].backward()
    for part, module in objective.model.named_children():
        moved = [value.grad is not None and bool(value.grad.any()) for value in module.parameters()]
        assert any(moved) == (part != "prior"), part


def test_after_the_exchange_lips_are_the_contents_and_emotion_the_conditions() -> None:
    objective, batch = built(swap_emotion_weight=1.0, swap_lip_reading_weight=1.0)
    terms = objective(batch, 0.0)
    lips, emotion = objective.lip_reading, objective.emotion
    assert isinstance(lips, _Lips) and isinstance(emotion, _Emotion)
    (read,), (felt,) = lips.wanted, emotion.wanted
    other = torch.tensor([1, 0, 3, 2])
    assert torch.equal(read, batch.motion)
    assert torch.equal(felt, batch.motion[other].mean(1))
    # What was compared says the own words, as the own person, under the other's emotion.
    model = objective.model
    with torch.no_grad():
        style = model.styles(batch.emotion[other], batch.level[other], batch.speaker)
        swapped = model(batch.sound, style)
    torch.testing.assert_close(terms["swap_lip_reading"], (swapped - batch.motion).square().mean())
    torch.testing.assert_close(terms["swap_emotion"], (swapped.mean(1) - felt).square().mean())


def test_neighbours() -> None:
    for count, wanted in ((1, [0]), (2, [1, 0]), (5, [1, 0, 3, 2, 4])):
        assert neighbours(count, torch.device("cpu")).tolist() == wanted


def test_terms_need_their_judges() -> None:
    model = Emote(CONFIG, 53)
    for name, said in (("lip_reading_weight", "lip reader"), ("swap_emotion_weight", "judge of emotion")):
        config = EmoteObjectiveConfig.model_validate({name: 1.0, "vertices": 20})
        with pytest.raises(UsageError, match=said):
            EmoteObjective(model, config, LinearHead())
