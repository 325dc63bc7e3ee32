"""FFD's autoencoder: its tokens, its mirror form, and that it learns to say motion again."""

from __future__ import annotations

import numpy as np
import torch

from talkcli.engine.judges.ffd import FfdConfig, FfdVae, features
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.ffd import FfdObjective, FfdObjectiveConfig

TINY = FfdConfig(width=32, heads=4, feedforward=32, dropout=0.0)


def model() -> FfdVae:
    torch.manual_seed(0)
    return FfdVae(TINY, 6).eval()


def waves(frames: int, count: int) -> torch.Tensor:
    times = torch.arange(frames) / 25
    phase = torch.arange(count)[:, None, None] + 0.7 * torch.arange(6)
    return torch.sin(6 * times[:, None] + phase)


def test_a_token_for_eight_frames() -> None:
    coded = model()(torch.zeros(2, 32, 6))
    assert coded.coeffs.shape == (2, 32, 6)
    assert model().encode(torch.zeros(2, 32, 6)).shape == (2, 4, 32)


def test_convolutions_halve_three_times_and_double_three_times() -> None:
    network = model()
    assert len(network.encoder.more) == 2
    assert len(network.doublings) == 3
    assert len(network.attention.layers) == len(network.encoder.attention.layers) == 1


def test_features_come_in_windows() -> None:
    network, motion = model(), waves(83, 1)[0].numpy()
    found = features(network, motion)
    assert found.shape == (10, 32)
    np.testing.assert_allclose(found[4:8], features(network, motion[32:64]), rtol=1e-5, atol=1e-6)
    assert features(network, motion[:7]).shape == (0, 32)


def test_divergence() -> None:
    """The closed form, for a latent of known mean and variance."""
    network = model()
    for layer, bias in ((network.mean, 0.5), (network.log_variance, 0.25)):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.constant_(layer.bias, bias)
    expected = 32 * (0.5**2 + np.exp(0.25) - 1 - 0.25) / 2
    with torch.no_grad():
        divergence = float(network(torch.zeros(1, 8, 6)).divergence)
    torch.testing.assert_close(divergence, float(expected), rtol=1e-5, atol=0)


def test_learns() -> None:
    network = model().train()
    motion = waves(32, 16)
    network.motion_scale.fit(motion.flatten(0, 1))
    objective = FfdObjective(network, FfdObjectiveConfig())
    batch = Batch(
        sound={},
        motion=motion,
        emotion=torch.zeros(16, dtype=torch.long),
        level=torch.ones(16),
        speaker=torch.zeros(16, dtype=torch.long),
        phones=torch.full((16, 64), -1),
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(150):
        optimiser.zero_grad()
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()
    network.eval()
    with torch.no_grad():
        assert objective.validate([batch])["score"] < 0.3
