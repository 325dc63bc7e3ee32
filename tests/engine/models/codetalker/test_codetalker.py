"""CodeTalker's loop against the published one, speech of any length, and what is decoded for the feedback."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.models.codetalker.autoencoder import CodeTalkerVqConfig
from talkcli.engine.models.windows import cross_fade, spans
from talkcli.engine.pipelines.bench.codetalker import decode_all_again
from tests.engine.models.codetalker.tiny_codetalker import TINY_VQ, tiny_codetalker, tiny_config


def noise(samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("per_frame", "how"), [(1, {}), (2, {}), (1, {"linear_at_codes": True, "positions": "frame"})]
)
def test_equals_the_loop_that_decodes_everything_again(per_frame: int, how: dict[str, object]) -> None:
    prior = CodeTalkerVqConfig.model_validate({**TINY_VQ.model_dump(), **how})
    # Rounding can choose another code, from which the loops go different ways.
    model = tiny_codetalker(tiny_config(per_frame=per_frame, prior=prior)).double()
    samples = noise(32_000).double()
    with torch.inference_mode():
        memory = model.memory.whole(samples, window=600, overlap=50)
        style = model.style_of(torch.tensor([1]))
        codes, wanted = decode_all_again(model, memory, style)
        assert torch.equal(model.predict(memory, style, feedback="exact"), codes)
    assert model.neutral is not None
    made = model.generate(samples, speaker=1) - model.neutral.flatten()
    torch.testing.assert_close(made, wanted, rtol=1e-9, atol=1e-9)
    assert len(codes.unique()) > 8
    assert (codes[:, 1:] != codes[:, :-1]).any()


def test_a_window_is_a_decoder_of_the_newest_frames() -> None:
    model = tiny_codetalker(tiny_config(feedback_window=5))
    with torch.inference_mode():
        memory = model.memory.whole(noise(16_000), window=600, overlap=50)
        style = model.style_of(torch.tensor([0]))
        codes = model.predict(memory, style, feedback="window")
        vectors = model.prior.frames(model.prior.quantizer.lookup(codes.flatten(1)))
        # The convolution of a frame sees frames before the window; norm and attention do not.
        mixer = model.prior.decoder.mixer
        fed = [style]
        for count in range(1, codes.shape[1]):
            padded = F.pad(vectors[:, :count].mT, (2, 2), mode="replicate")
            seen = F.leaky_relu(mixer.conv(padded), 0.2).mT[:, -5:]
            face = model.prior.decoder.outward(mixer.after_conv(seen)[:, -1])
            fed.append(model.inward(face) + style)
        inputs = torch.stack(fed, dim=1) + model._positions(codes.shape[1], memory)
        wanted = model.prior.tokens(model.outward(model.decoder(inputs, memory)))
        assert torch.equal(model.prior.quantizer.nearest(wanted), codes.flatten(1))
        assert not torch.equal(model.predict(memory, style, feedback="exact"), codes)


def test_a_window_of_everything_is_exact() -> None:
    model = tiny_codetalker(tiny_config(feedback_window=60))
    samples = noise(16_000)
    exact, window = (model.generate(samples, feedback=kind) for kind in ("exact", "window"))
    torch.testing.assert_close(exact, window)


def test_long_motion_is_made_in_windows() -> None:
    model = tiny_codetalker(tiny_config(exact_frames=30, window=40, overlap=10, feedback_window=4))
    short, long = noise(12_800), noise(64_000)
    assert torch.equal(model.generate(short), model.generate(short, feedback="exact"))
    made = model.generate(long)
    assert torch.equal(made, model.generate(long, feedback="window"))
    assert made.shape == (1, 99, 30)
    assert made.isfinite().all()


def test_longer_than_the_published_limit() -> None:
    made = tiny_codetalker(tiny_config(fps=30, feedback_window=4)).generate(noise(16_000 * 22))
    assert made.shape == (1, 659, 30)
    assert made.isfinite().all()


def test_windows_side_by_side_equal_windows_made_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Six windows in two groups; the last window is shorter than the others.
    monkeypatch.setattr("talkcli.engine.models.codetalker.codetalker._ROWS", 4)
    config = tiny_config(parallel_window=24, parallel_feedback=4, feedback_window=4, overlap=6, window=400)
    model = tiny_codetalker(config).double()
    samples = noise(16_000 * 4).double()
    with torch.inference_mode():
        memory = model.memory.whole(samples, window=400, overlap=6)
        style = model.style_of(torch.tensor([1]))
        frames = memory.shape[1]
        pieces = []
        for first, last in spans(frames, 24, 6):
            codes = model.predict(memory[:, first:last], style, feedback="window")
            pieces.append(model.decode(codes, whole=True))
        assert len(pieces) == 6
    assert model.neutral is not None
    made = model.generate(samples, speaker=1, feedback="parallel") - model.neutral.flatten()
    torch.testing.assert_close(made, cross_fade(pieces, frames, 6), rtol=1e-9, atol=1e-9)


def test_one_window_alone_is_the_window_of_the_newest_frames() -> None:
    model = tiny_codetalker(tiny_config(parallel_feedback=8, feedback_window=8))
    samples = noise(32_000)
    window, parallel = (model.generate(samples, feedback=kind) for kind in ("window", "parallel"))
    torch.testing.assert_close(parallel, window)


def test_windows_side_by_side_fit_any_overlap_unless_the_config_says_their_length() -> None:
    assert tiny_config(window=600, overlap=50).parallel_frames == 200
    assert tiny_config(window=600, overlap=150).parallel_frames == 300
    assert tiny_config(window=120, overlap=50).parallel_frames == 120
    with pytest.raises(ValidationError, match="parallel_window 700 is longer than window 600"):
        tiny_config(parallel_window=700)


@pytest.mark.parametrize("name", ["window", "parallel_window"])
def test_windows_hold_two_overlaps(name: str) -> None:
    with pytest.raises(ValidationError, match=f"more than half of {name} 90"):
        tiny_config(**{name: 90})


@pytest.mark.parametrize("samples", [1, 640])
def test_the_shortest_speech_makes_a_frame(samples: int) -> None:
    for kind in ("exact", "window", "parallel"):
        assert tiny_codetalker().generate(noise(samples), feedback=kind).shape == (1, 1, 30)


def test_bfloat16_copies_the_networks_of_the_loop_and_leaves_the_model() -> None:
    model = tiny_codetalker()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.autocast("cpu", torch.bfloat16):
        made = model.generate(noise(16_000), feedback="window")
    assert made.isfinite().all()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.outward.weight.dtype == torch.float32


def test_the_feedback_follows_new_weights() -> None:
    model, samples = tiny_codetalker(), noise(16_000)
    first = model.generate(samples)
    with torch.no_grad():
        model.inward.weight.mul_(-1)
    changed = model.generate(samples)
    assert not torch.equal(first, changed)
    fresh = tiny_codetalker()
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.generate(samples), changed)


def test_speakers_differ_and_nobody_is_the_first() -> None:
    model, samples = tiny_codetalker(), noise(8_000)
    first, second, nobody = (model.generate(samples, speaker=speaker) for speaker in (0, 1, -1))
    assert torch.equal(first, nobody)
    assert not torch.equal(first, second)


def test_training_leaves_the_auto_encoder_alone() -> None:
    model = tiny_codetalker().train()
    assert not model.prior.training
    made = model({"waveform": noise(12_800)[..., None]}, torch.tensor([1]), torch.randn(1, 20, 30))
    (made.offsets.square().mean() + made.features.square().mean()).backward()
    assert all(value.grad is None for value in model.prior.parameters())
    # The codes pass the gradient of the motion on to the predictor.
    assert model.outward.weight.grad is not None
    model.outward.weight.grad = None
    made = model({"waveform": noise(12_800)[..., None]}, torch.tensor([1]), torch.randn(1, 20, 30))
    made.offsets.square().mean().backward()
    assert model.outward.weight.grad.abs().max() > 0


def test_coefficients_have_no_face_at_rest() -> None:
    prior = CodeTalkerVqConfig.model_validate({**TINY_VQ.model_dump(), "motion": "coefficients"})
    model = tiny_codetalker(tiny_config(prior=prior), num_values=53)
    assert model.neutral is None
    assert model.config.motion == "coefficients"
    assert model.generate(noise(8_000)).shape == (1, 12, 53)


@pytest.mark.parametrize(
    "how", [{"speakers": ("a", "b", "c", "d")}, {"window": 60, "overlap": 40}, {"heads": 5}]
)
def test_settings_that_make_no_model(how: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        tiny_config(**how)


def test_no_single_frame_is_lost_in_the_norm() -> None:
    model = tiny_codetalker()
    with torch.inference_mode():
        one = model.prior(torch.randn(1, 1, 30))
    assert one.motion.shape == (1, 1, 30)
    assert math.isfinite(float(one.loss))
