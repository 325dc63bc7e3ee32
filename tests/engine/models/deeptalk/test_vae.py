"""The VAE; see test_prior.py for what it shares with the others."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from talkcli.engine.models.deeptalk.vae import Vae, VaeConfig
from talkcli.engine.nn.latent import Latent

SMALL = VaeConfig(width=16, heads=2, feedforward=16)


def _motion() -> torch.Tensor:
    return torch.randn(2, 16, 53, generator=torch.Generator().manual_seed(0))


def test_flint_is_three_halvings() -> None:
    model = Vae(VaeConfig(halvings=3))
    (level,) = model.levels
    assert (level.frames_per_token, level.outputs, level.discrete) == (8, 128, False)


@torch.no_grad()
def test_evaluation_takes_the_mean_or_draws_from_the_generator_given() -> None:
    torch.manual_seed(0)
    model = Vae(SMALL).eval()
    state = torch.get_rng_state()
    mean = model(_motion())
    assert torch.equal(mean.coeffs, model.decode(model.encode_targets(_motion())))
    first, again = (model(_motion(), torch.Generator().manual_seed(3)).coeffs for _ in range(2))
    other = model(_motion(), torch.Generator().manual_seed(4)).coeffs
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, mean.coeffs)
    assert torch.equal(torch.get_rng_state(), state)


def test_training_draws_from_the_global_generator() -> None:
    torch.manual_seed(0)
    model = Vae(SMALL).train()
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(model(_motion()).coeffs)
    assert torch.equal(made[0], made[1])
    assert not torch.allclose(made[0], made[2])


def test_draws_have_the_latents_moments() -> None:
    latent = Latent(torch.full((1, 20_000, 2), 3.0), torch.full((1, 20_000, 2), -1.0))
    drawn = latent.sample(torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(3, abs=0.02)
    assert drawn.var().item() == pytest.approx(torch.tensor(-1.0).exp().item(), rel=0.03)


def test_divergence_is_kullback_leiblers() -> None:
    torch.manual_seed(0)
    latent = Latent(torch.randn(2, 3, 4), torch.randn(2, 3, 4))
    known = kl_divergence(Normal(latent.mean, (latent.log_variance / 2).exp()), Normal(0.0, 1.0))
    assert latent.divergence().item() == pytest.approx(known.sum(-1).mean().item(), rel=1e-5)
