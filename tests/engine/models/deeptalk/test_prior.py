"""What every motion prior must do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.models.deeptalk.prior import AnyPrior, Prior, PriorConfig, build_prior
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from talkcli.engine.models.deeptalk.vae import VaeConfig
from talkcli.engine.models.deeptalk.vqvae import VqvaeConfig
from talkcli.engine.types import Config

SIZES: dict[str, Any] = {"width": 16, "heads": 2, "feedforward": 16}
SMALL = (
    ThVqvaeConfig(**SIZES, decoder_feedforward=16, codes=12),
    VqvaeConfig(**SIZES, codes=12),
    VqvaeConfig(**SIZES, codes=12, halvings=3),
    VaeConfig(**SIZES),
    VaeConfig(**SIZES, halvings=3),
)


class _Holder(Config):
    prior: PriorConfig = ThVqvaeConfig()


@pytest.fixture(params=SMALL, ids=lambda config: f"{config.kind}-{getattr(config, 'halvings', 1)}")
def prior(request: pytest.FixtureRequest) -> AnyPrior:
    torch.manual_seed(0)
    model = build_prior(request.param)
    assert model.config is request.param
    assert model.method == request.param.kind
    model.motion_scale.fit(torch.randn(100, 53) * 0.3 + 0.1)
    # Statistics of batch normalisation, and a codebook among the vectors.
    with torch.no_grad():
        for _ in range(5):
            model(_motion())
    return model.eval()


def _motion(frames: int = 32) -> Tensor:
    return torch.randn(2, frames, 53, generator=torch.Generator().manual_seed(frames))


def test_follows_the_protocol(prior: AnyPrior) -> None:
    assert isinstance(prior, Prior)
    assert prior.frames_multiple == max(level.frames_per_token for level in prior.levels)
    assert prior.levels[0].context == 0


@pytest.mark.parametrize("windows", [1, 4, 7])
def test_lengths(prior: AnyPrior, windows: int) -> None:
    frames = windows * prior.frames_multiple
    with torch.no_grad():
        coded, targets = prior(_motion(frames)), prior.encode_targets(_motion(frames))
    assert coded.coeffs.shape == (2, frames, 53)
    tokens = [frames // level.frames_per_token for level in prior.levels]
    assert [target.shape[1] for target in targets] == tokens
    assert [codes.shape for codes in coded.codes] == [
        (2, many) for many in tokens if prior.levels[0].discrete
    ]


def test_other_lengths_must_be_padded_first(prior: AnyPrior) -> None:
    for motion in (_motion(prior.frames_multiple * 3 + 2), _motion(prior.frames_multiple - 1)):
        for encode in (prior, prior.encode_targets):
            with pytest.raises(ValueError, match=f"multiple of {prior.frames_multiple}; pad first"):
                encode(motion)


def test_what_was_predicted_right_decodes_to_the_reconstruction(prior: AnyPrior) -> None:
    with torch.no_grad():
        coded, targets = prior(_motion()), prior.encode_targets(_motion())
        vectors: list[Tensor] = []
        for index, (level, target) in enumerate(zip(prior.levels, targets, strict=True)):
            if index:
                assert prior.context(vectors).shape == (2, target.shape[1], level.context)
            choice = F.one_hot(target, level.outputs).float() if level.discrete else target
            vectors.append(prior.lookup(index, choice))
        assert torch.allclose(prior.decode(vectors), coded.coeffs, atol=1e-5)
    assert all(torch.equal(*pair) for pair in zip(coded.codes, targets, strict=False))
    with pytest.raises(ValueError, match="none after"):
        prior.context(vectors)


def test_choices_have_gradients_and_the_prior_moves_by_none_of_it(prior: AnyPrior) -> None:
    prior.requires_grad_(False)
    before = {name: value.clone() for name, value in prior.state_dict().items()}
    choices = [
        torch.randn(2, 32 // level.frames_per_token, level.outputs, requires_grad=True)
        for level in prior.levels
    ]
    vectors: list[Tensor] = []
    for index, choice in enumerate(choices):
        straight = choice
        if prior.levels[index].discrete:
            soft = choice.softmax(-1)
            straight = F.one_hot(choice.argmax(-1), choice.shape[-1]) + soft - soft.detach()
        vectors.append(prior.lookup(index, straight))
    prior.decode(vectors).square().mean().backward()
    assert all(choice.grad.abs().amax(-1).min() > 0 for choice in choices)
    assert all(torch.equal(value, before[name]) for name, value in prior.state_dict().items())


def test_targets_move_nothing_even_in_training(prior: AnyPrior) -> None:
    prior.train()
    for module in prior.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()
    before = {name: value.clone() for name, value in prior.state_dict().items()}
    prior.encode_targets(_motion())
    assert all(torch.equal(value, before[name]) for name, value in prior.state_dict().items())


def test_training_reaches_every_weight(prior: AnyPrior) -> None:
    prior.train()
    coded = prior(_motion())
    (coded.coeffs.square().mean() + coded.regulariser).backward()
    assert not [name for name, value in prior.named_parameters() if value.grad is None]


def test_configs_are_told_apart_by_kind() -> None:
    for config in SMALL:
        assert _Holder.model_validate(_Holder(prior=config).model_dump(mode="json")).prior == config
    # Recipes and files from before there were others.
    assert _Holder.model_validate({"prior": {"width": 32}}).prior == ThVqvaeConfig(width=32)
    with pytest.raises(ValidationError, match="th_vqvae"):
        _Holder.model_validate({"prior": {"kind": "gan"}})
    with pytest.raises(ValidationError, match="halvings"):
        _Holder.model_validate({"prior": {"kind": "vae", "halvings": 4}})
