"""The emotion embedding and how it is drawn from."""

import pytest
import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.device import seeded
from talkcli.engine.models.dee import Dee, DeeConfig, Gaussian

SMALL = DeeConfig(
    front_end=LogMelConfig(num_mels=20),
    audio_width=16,
    audio_layers=1,
    motion_width=16,
    motion_layers=1,
    heads=2,
    feedforward=16,
    embedding=8,
)


@pytest.fixture(scope="module")
def dee() -> Dee:
    torch.manual_seed(0)
    return Dee(SMALL).eval().requires_grad_(False)


def test_both_sides_share_a_sphere(dee: Dee) -> None:
    speech = dee.embed_speech(dee.front_end(torch.randn(2, 640 * 30)))
    motion = dee.embed_motion(torch.randn(2, 30, 53))
    for side in (speech, motion):
        assert side.mean.norm(dim=-1) == pytest.approx(torch.ones(2))
        assert side.log_variance.shape == (2, 8)


def test_long_input_is_averaged_over_windows(dee: Dee) -> None:
    window = torch.randn(2, SMALL.window, 53)
    once, thrice = dee.embed_motion(window), dee.embed_motion(window.repeat(1, 3, 1))
    assert torch.allclose(once.mean, thrice.mean, atol=1e-5)
    assert torch.allclose(once.log_variance, thrice.log_variance, atol=1e-5)
    two = dee.embed_motion(torch.cat([window[:1], window[1:]], dim=1))
    assert torch.allclose(two.log_variance[0], once.log_variance.mean(0), atol=1e-5)


def test_short_input_holds_its_end(dee: Dee) -> None:
    short = torch.randn(1, 10, 53)
    held = torch.cat([short, short[:, -1:].expand(-1, SMALL.window - 10, -1)], dim=1)
    assert torch.equal(dee.embed_motion(short).mean, dee.embed_motion(held).mean)


def test_sigma() -> None:
    mean = torch.nn.functional.normalize(torch.randn(1, 8, generator=seeded(0)), dim=-1)
    gaussian = Gaussian(mean.expand(4000, 8), torch.full((4000, 8), -4.0))
    assert torch.equal(gaussian.sample(None, seeded(1)), gaussian.mean)
    one = gaussian.sample(1.0, seeded(1))
    assert torch.equal(one, gaussian.sample(0.0, seeded(1)))
    assert one.norm(dim=-1) == pytest.approx(torch.ones(4000))
    # exp(-2) of noise per dimension at 1; smaller and negative factors of a negative logarithm spread wider.
    cosines = [(gaussian.sample(sigma, seeded(2)) @ mean.T).mean().item() for sigma in (1.0, 0.1, -1.0)]
    assert cosines[0] > 0.9
    assert 0.5 > cosines[1] > cosines[2]


def test_any_sigma_gives_a_direction() -> None:
    mean = torch.nn.functional.normalize(torch.randn(1, 8, generator=seeded(0)), dim=-1)
    gaussian = Gaussian(mean, torch.full((1, 8), -5.0))
    for sigma in (-1000.0, -40.0, 1000.0):
        assert gaussian.sample(sigma, seeded(1)).norm().item() == pytest.approx(1)
