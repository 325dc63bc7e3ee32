"""The plain VQ-VAE; see test_prior.py for what it shares with the others."""

from __future__ import annotations

import torch

from talkcli.engine.models.deeptalk.vqvae import Vqvae, VqvaeConfig


def test_one_codebook_at_the_rate_of_slow_codes() -> None:
    model = Vqvae(VqvaeConfig()).eval()
    (level,) = model.levels
    assert (level.frames_per_token, level.outputs, level.discrete) == (4, 256, True)
    with torch.no_grad():
        coded = model(torch.randn(1, 32, 53))
    assert coded.codes[0].shape == (1, 8)
    assert model.quantizer.codebook.shape == (256, 128)


def test_it_learns_to_copy() -> None:
    torch.manual_seed(0)
    model = Vqvae(VqvaeConfig(width=32, heads=4, feedforward=32, codes=32, dropout=0.0, start="data"))
    phase = torch.rand(16, 1, 1) * 6
    motion = torch.sin(torch.arange(16.0)[:, None] * 0.4 + phase).expand(-1, -1, 53)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(120):
        coded = model(motion)
        loss = (coded.coeffs - motion).square().mean() + coded.regulariser
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (coded.coeffs - motion).square().mean() < 0.2 * motion.var()
    assert len(coded.codes[0].unique()) > 4
