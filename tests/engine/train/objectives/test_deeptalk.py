"""The objective of the generator: which term reaches which part, whose emotion is worn, what is masked."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import hear
from talkcli.engine.errors import UsageError
from talkcli.engine.losses.lip_reading import LipReading
from talkcli.engine.models.deeptalk import choose
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.models.deeptalk.level import Level
from talkcli.engine.models.deeptalk.vae import VaeConfig
from talkcli.engine.models.deeptalk.vqvae import VqvaeConfig
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.deeptalk import (
    DeepTalkObjective,
    DeepTalkObjectiveConfig,
    _token_error,
)
from tests.engine.fakes import LinearHead
from tests.engine.models.deeptalk.tiny_deeptalk import NARROW, SMALL

ROWS, FRAMES = 4, 16


class _Lips(LipReading):
    """Remembers what it was given to compare with; sees coefficients."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.wanted: list[Tensor] = []

    def features(self, coeffs: Tensor) -> Tensor:
        return coeffs

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        self.wanted.append(wanted)
        return (made - wanted).square().mean()


def _model(config: DeepTalkConfig = SMALL) -> DeepTalk:
    torch.manual_seed(0)
    return DeepTalk(config.model_copy(update={"dropout": 0.0})).train()


def _batch(model: DeepTalk) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        sound=hear(model.ears, torch.randn(ROWS, FRAMES * 640, generator=generator)),
        motion=torch.randn(ROWS, FRAMES, 53, generator=generator),
        emotion=torch.tensor([0, 1, 2, 3]),
        level=torch.ones(ROWS),
        speaker=torch.tensor([0, 1, 2, -1]),
        phones=torch.full((4, 1), -1),
    )


def _objective(model: DeepTalk, lip_reading: LipReading | None = None, **how: object) -> DeepTalkObjective:
    config = DeepTalkObjectiveConfig.model_validate({"vertices": 20, **how})
    return DeepTalkObjective(model, config, LinearHead(), lip_reading)


def _gradients(
    config: DeepTalkConfig = SMALL, lip_reading: LipReading | None = None, **how: object
) -> dict[str, float]:
    """Size of the gradient in every part of the generator under a loss with these weights only."""
    model = _model(config)
    objective = _objective(model, lip_reading, **{"vertex_weight": 0.0, **how})
    objective(_batch(model), 0.5)["loss"].backward()
    return {
        name: sum(float(value.grad.abs().sum()) for value in part.parameters() if value.grad is not None)
        for name, part in model.named_children()
    }


# Gradients


@pytest.mark.parametrize("config", [SMALL, NARROW], ids=["small", "narrow"])
@pytest.mark.parametrize(
    "how",
    [
        {"vertex_weight": 1.0},
        {"velocity_weight": 1.0},
        {"consistency_weight": 1.0},
        {"consistency_weight": 1.0, "consistency": "cosine"},
        {"swap_weight": 1.0},
        {"lip_reading_weight": 1.0},
        {"swap_lip_reading_weight": 1.0},
    ],
    ids="-".join,
)
def test_terms_on_motion_train_everything_but_the_frozen_parts(
    config: DeepTalkConfig, how: dict[str, object]
) -> None:
    found = _gradients(config, _Lips(), **how)
    assert found.pop("guess", 0) == found.pop("dee") == found.pop("prior") == 0
    assert all(size > 0 for size in found.values()), found


@pytest.mark.parametrize("frozen", ["all", "convolutions"])
def test_the_paper_trains_wav2vec2_above_its_convolutions(frozen: str) -> None:
    content = NARROW.content.model_copy(update={"frozen": frozen, "layer_drop": 0.0})
    model = _model(NARROW.model_copy(update={"content": content}))
    _objective(model)(_batch(model), 0.0)["loss"].backward()
    encoder = model.content.encoder.model
    assert not any(value.grad is not None for value in encoder.feature_extractor.parameters())
    moved = [value.grad is not None for value in encoder.encoder.parameters()]
    assert all(moved) if frozen == "convolutions" else not any(moved)
    assert model.content.linear.weight.grad is not None


@pytest.mark.parametrize("consistency", ["csd", "cosine"])
def test_emotions_are_compared_in_full_precision_under_autocast(consistency: str) -> None:
    model = _model()
    objective = _objective(model, consistency_weight=1.0, swap_weight=1.0, consistency=consistency)
    with torch.autocast("cpu", torch.bfloat16):
        terms = objective(_batch(model), 0.5)
    assert all(terms[name].dtype == torch.float32 for name in ("loss", "consistency", "swap"))


def test_the_plain_guess_trains_no_predictor() -> None:
    found = _gradients(guess_weight=1.0)
    assert found["guess"] > 0
    assert found["content"] > 0
    assert found["predictors"] == 0


@pytest.mark.parametrize(("share", "taught"), [(0.0, False), (1.0, True)])
def test_fast_codes_are_scored_under_true_slow_codes_only(share: float, taught: bool) -> None:
    model = _model()
    _objective(model, vertex_weight=0.0, code_weight=1.0, teacher_share=share)(_batch(model), 0.0)[
        "loss"
    ].backward()
    moved = [float(predictor.outward.weight.grad.abs().sum()) > 0 for predictor in model.predictors]
    assert moved == [True, taught]


# Terms


def test_stage_1_is_the_vertex_term() -> None:
    model = _model(NARROW)
    terms = _objective(model)(_batch(model), 0.0)
    assert set(terms) == {"loss", "vertex"}
    assert torch.equal(terms["loss"], terms["vertex"])


def test_every_term_is_weighed_and_logged() -> None:
    model, lips = _model(), _Lips()
    weights = {
        "vertex_weight": 2.0, "velocity_weight": 3.0, "code_weight": 5.0, "guess_weight": 7.0,
        "consistency_weight": 11.0, "swap_weight": 13.0, "lip_reading_weight": 17.0,
        "swap_lip_reading_weight": 19.0,
    }  # fmt: skip
    terms = _objective(model, lips, **weights)(_batch(model), 0.0)
    loss = terms.pop("loss")
    codes = {"top": 5.0, "bottom": 5.0}
    named = {**{name.removesuffix("_weight"): value for name, value in weights.items()}, **codes}
    named.pop("code")
    assert terms.keys() == named.keys()
    assert loss.item() == pytest.approx(
        sum(named[name] * value.item() for name, value in terms.items()), rel=1e-5
    )


@pytest.mark.parametrize(
    "prior",
    [
        SMALL.prior,
        VqvaeConfig(width=8, heads=2, feedforward=8, codes=6),
        VaeConfig(width=8, heads=2, feedforward=8),
    ],
    ids=lambda prior: prior.kind,
)
def test_every_prior_trains_and_validates(prior: object) -> None:
    model = _model(SMALL.model_copy(update={"prior": prior}))
    objective = _objective(model, code_weight=1.0, teacher_share=1.0, consistency_weight=1.0, swap_weight=1.0)
    batch = _batch(model)
    terms = objective(batch, 0.0)
    assert terms.keys() >= {level.name for level in model.prior.levels}
    terms["loss"].backward()
    assert all(value.grad is not None for value in model.predictors.parameters())
    model.eval()
    with torch.no_grad():
        measures = objective.validate([batch])
    assert measures["score"] == measures["lip_error_mm"] > 0
    discrete = {f"{level.name}_accuracy" for level in model.prior.levels if level.discrete}
    assert {name for name in measures if name.endswith("_accuracy")} == discrete


def test_windows_left_out_do_not_count() -> None:
    logits, codes = torch.randn(3, 5, 6), torch.randint(6, (3, 5))
    chosen = torch.tensor([False, True, False])
    level = Level(4, 6, 0, True, "top")
    alone = F.cross_entropy(logits[1], codes[1])
    assert _token_error(level, logits, codes, chosen).item() == pytest.approx(alone.item())
    assert _token_error(level, logits, codes, torch.zeros(3, dtype=torch.bool)).item() == 0
    latents = torch.randn(3, 5, 6)
    wanted = (logits[1] - latents[1]).square().mean()
    error = _token_error(level._replace(discrete=False), logits, latents, chosen)
    assert error.item() == pytest.approx(wanted.item())


def test_temperature_goes_down_with_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    original = choose.straight_through
    monkeypatch.setattr(choose, "straight_through", lambda tau: asked.append(tau) or original(tau))
    model = _model()
    objective = _objective(model, tau=(2.0, 0.1), swap_weight=1.0, swap_tau=0.3)
    for progress in (0.0, 0.5, 1.0):
        objective(_batch(model), progress)
    assert asked == pytest.approx([2.0, 0.3, 1.05, 0.3, 0.1, 0.3])


# Emotion


def test_consistency_as_in_the_paper_and_as_in_the_code() -> None:
    model = _model()
    batch = _batch(model)
    heard, seen = model.dee.embed_speech(batch.sound), model.dee.embed_motion(batch.motion)
    cosine = _objective(model, consistency="cosine")._apart(heard, batch.motion)
    assert cosine.item() == pytest.approx(1 - float((heard.mean * seen.mean).sum(-1).mean()), abs=1e-6)
    sampled = _objective(model, consistency="csd")._apart(heard, batch.motion)
    distance = (heard.mean - seen.mean).square().sum(-1)
    distance = distance + heard.log_variance.exp().sum(-1) + seen.log_variance.exp().sum(-1)
    # Both are 5 where training of the embedding begins.
    assert sampled.item() == pytest.approx(float(F.softplus(5 * distance - 5).mean()), rel=1e-4)


@pytest.mark.parametrize(
    ("swap", "rows", "wanted"),
    [("pairs", 4, [1, 0, 3, 2]), ("pairs", 3, [1, 0, 2]), ("roll", 4, [3, 0, 1, 2]), ("pairs", 1, [0])],
)
def test_who_wears_whose_emotion(swap: str, rows: int, wanted: list[int]) -> None:
    numbered = Gaussian(torch.arange(rows).float()[:, None], torch.zeros(rows, 1))
    others = _objective(_model(), swap=swap)._others(numbered, rows)
    assert others.mean[:, 0].tolist() == wanted


def test_swapped_lips_are_held_against_their_own_words() -> None:
    model, lips = _model(), _Lips()
    batch = _batch(model)
    _objective(model, lips, swap_lip_reading_weight=1.0, swap_share=0.5)(batch, 0.0)
    (wanted,) = lips.wanted
    assert torch.equal(wanted, batch.motion[: ROWS // 2])


def test_nobody_hides_the_speaker() -> None:
    def guess(share: float, speaker: int) -> float:
        model = _model()
        batch = _batch(model)
        batch.speaker.fill_(speaker)
        return _objective(model, nobody_share=share)(batch, 0.0)["guess"].item()

    assert guess(1.0, 0) == guess(1.0, 2)
    assert guess(0.0, 0) != guess(0.0, 2)


# What is missing


def test_a_lip_reader_must_be_given() -> None:
    for name in ("lip_reading_weight", "swap_lip_reading_weight"):
        with pytest.raises(UsageError, match="lip reader") as caught:
            _objective(_model(), **{name: 1.0})
        assert "`lip_reader=FILE`" in str(caught.value.hint)


def test_a_guess_must_be_there_to_be_trained() -> None:
    with pytest.raises(UsageError, match="direct regression"):
        _objective(_model(NARROW), guess_weight=1.0)


def test_some_windows_are_made_as_their_label_asks() -> None:
    config = SMALL.model_copy(update={"dee": SMALL.dee.model_copy(update={"anchors": True})})
    model = _model(config)
    neutral, calm = F.normalize(torch.randn(2, 6, generator=torch.Generator().manual_seed(1)), dim=-1)
    model.dee.move_anchors(torch.stack([neutral, calm]), torch.tensor([0, 1]))
    made_from = []
    model.emotion.register_forward_hook(lambda _, inputs, __: made_from.append(inputs[0]))
    batch = _batch(model)
    _objective(model, directed_share=1.0)(batch, 0.5)
    heard = model.dee.embed_speech(batch.sound).mean
    assert torch.allclose(made_from[0][:2], torch.stack([neutral, calm]), atol=1e-6)
    # The embedding was never shown the other labels.
    assert torch.allclose(made_from[0][2:], heard[2:], atol=1e-6)
    with pytest.raises(UsageError, match="with anchors"):
        _objective(_model(), directed_share=0.5)
