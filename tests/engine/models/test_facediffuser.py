"""FaceDiffuser: the front against the published loop, lengths, gradients, frozen parts, refused settings."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.models.facediffuser.front import Front
from talkcli.engine.nn.diffusion import Sampler, plan
from talkcli.engine.pipelines.bench.facediffuser import at_once, step_by_step
from tests.engine.models.tiny_facediffuser import TINY_HUBERT, tiny_config, tiny_facediffuser

PLAIN = {"plain": True, "motion": "coefficients"}
SMALL_EAR = LogMelEncoderConfig(ear=LogMelConfig(num_mels=32), width=16, layers=1, heads=2, feedforward=16)


def speech(seconds: float = 1.0) -> torch.Tensor:
    return 0.1 * torch.randn(1, round(16_000 * seconds), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("how", "num_values"),
    [
        ({"fps": 30}, 30),
        ({"paired": True}, 30),
        # Fewer values than channels: noise in the small space has a covariance of lower rank.
        ({}, 9),
        ({"motion": "coefficients"}, 53),
        ({**PLAIN, "fps": 30}, 53),
    ],
)
def test_a_front_makes_what_the_published_loop_makes(how: dict[str, object], num_values: int) -> None:
    """With the same noise; with more times than frames, and with fewer."""
    model = tiny_facediffuser(tiny_config(**how), num_values).double()
    for seconds in (0.3, 2.0):
        samples = speech(seconds).double()
        torch.testing.assert_close(
            at_once(model, samples), step_by_step(model, samples), rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("num_values", [9, 30, 120])
@torch.inference_mode()
def test_noise_of_the_small_space_has_the_covariance_of_projected_noise(num_values: int) -> None:
    model = tiny_facediffuser(num_values=num_values).double()
    draw = Front(model, plan(model.kept, "ddim", 3)).drawn(torch.Generator().manual_seed(0))
    count = 40_000
    made = draw(0, count, 0)
    weight = model.inward.weight
    wanted, found = weight @ weight.T, made.T @ made / count
    scale = wanted.diagonal().sqrt()
    # Standard errors of covariances are at most sqrt(2 / count) of the product of deviations.
    assert float(((found - wanted) / (scale[:, None] * scale)).abs().max()) < 6 * (2 / count) ** 0.5
    assert float((made.mean(0) / scale).abs().max()) < 5 / count**0.5


@pytest.mark.parametrize("sampler", ["ancestral", "ddim"])
def test_takes(sampler: Sampler) -> None:
    model = tiny_facediffuser()

    def made(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return model.generate(speech(), sampler=sampler, steps=5, generator=generator)

    assert torch.equal(made(1), made(1))
    assert not torch.allclose(made(1), made(2))


@pytest.mark.parametrize(
    ("how", "samples", "frames"),
    [
        ({}, 1, 1),
        ({"paired": True}, 1, 1),
        (PLAIN, 1, 1),
        ({}, 1280, 1),
        ({"fps": 30}, 16_000, 29),
        ({"paired": True}, 16_000, 24),
        ({"paired": True}, 21_760, 33),
        ({"fps": 30}, 21_760, 39),
        ({"content": SMALL_EAR}, 1, 1),
        ({"content": SMALL_EAR}, 16_001, 26),
    ],
)
def test_lengths(how: dict[str, object], samples: int, frames: int) -> None:
    model = tiny_facediffuser(tiny_config(**how), 30)
    made = model.generate(0.1 * torch.ones(1, samples), steps=2, generator=torch.Generator().manual_seed(0))
    assert made.shape == (1, frames, 30)
    assert made.isfinite().all()


def test_long_speech_is_heard_in_windows() -> None:
    """Features are near those of the whole speech at once, and are not the same."""
    sound = speech(20.0)
    parts = tiny_facediffuser(tiny_config(window=100, overlap=20)).hearing.whole(sound)
    whole = tiny_facediffuser(tiny_config(window=600, overlap=20)).hearing.whole(sound)
    assert parts.shape == whole.shape == (1, 499, 40)
    assert 0 < (parts - whole).abs().max() < 0.2 * whole.std()


@pytest.mark.parametrize(("bias", "differ"), [(0.2, True), (-3.0, False)])
def test_takes_differ_if_the_network_sees_the_motion(bias: float, differ: bool) -> None:
    """Motion of a face in metres, which is small at the last steps."""
    model = tiny_facediffuser()
    model.neutral.mul_(0.07)
    torch.nn.init.constant_(model.smooth.bias, bias)
    one, other = (
        model.generate(speech(1.0), generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)
    )
    assert torch.equal(one, other) != differ


def test_noise_does_not_hang_on_the_last_bit_of_the_weights() -> None:
    model = tiny_facediffuser()
    path = plan(model.kept, "ddim", 5)

    def noise() -> torch.Tensor:
        return Front(model, path).drawn(torch.Generator().manual_seed(0))(0, 4, 0)

    before = noise()
    model.inward.weight.data.mul_(1 + 1e-7 * torch.randn_like(model.inward.weight))
    assert (noise() - before).abs().max() < 1e-5 * before.std()


def test_the_present_does_not_hear_the_future_motion() -> None:
    """What allows a front: noise of later frames changes nothing."""
    model = tiny_facediffuser()
    noisy, heard = torch.randn(1, 12, 30), torch.randn(1, 12, 40)
    changed = noisy.clone()
    changed[:, 7:] += 1
    time, speaker = torch.tensor([5]), torch.tensor([1])
    one, other = (model(x, time, heard, speaker) for x in (noisy, changed))
    torch.testing.assert_close(one[:, :7], other[:, :7], rtol=0, atol=0)
    assert not torch.allclose(one[:, 7], other[:, 7])


def test_what_is_frozen() -> None:
    model = tiny_facediffuser(
        tiny_config(content=TINY_HUBERT.model_copy(update={"frozen_layers": 1}))
    ).train()
    network = model.hearing.encoder.model
    heard = model.hearing({"waveform": speech()[..., None]}, 25)
    model(torch.randn(1, 25, 30), torch.tensor([3]), heard, torch.tensor([0])).square().sum().backward()
    frozen = {name for name, value in model.named_parameters() if not value.requires_grad}
    assert {name for name, value in model.named_parameters() if value.grad is None} == frozen
    layers = network.encoder.transformer.layers
    assert not any(value.requires_grad for value in layers[0].parameters())
    assert all(value.requires_grad for value in layers[1].parameters())
    assert not network.encoder.feature_projection.projection.weight.requires_grad
    assert (layers[0].training, layers[1].training) == (False, True)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"plain": True}, "plain is the variant for coefficients"),
        ({"paired": True, "fps": 30}, "no frame at 30 fps"),
        ({"content": SMALL_EAR, "fps": 30}, "only HuBERT"),
        ({"speakers": ("a", "b", "c", "d")}, "no room for 4 speakers"),
        ({"overlap": 301}, "more than half"),
    ],
)
def test_settings_that_do_not_fit(how: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tiny_config(**how)


def test_vertices_have_three_coordinates() -> None:
    with pytest.raises(ValueError, match="31 values are no vertices"):
        tiny_facediffuser(num_values=31)
