"""FaceFormer frame by frame against the loop that decodes everything again, and speech of any length."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.models.faceformer import FaceFormer
from talkcli.engine.nn.periodic import periodic_positions
from tests.engine.models.tiny_faceformer import tiny_config, tiny_faceformer


def noise(samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


def again_and_again(model: FaceFormer, memory: Tensor, style: Tensor) -> Tensor:
    """Return the offsets by the published loop: every frame decodes the whole sequence with torch's decoder,
    and passes through all values of the face.
    """
    config = model.config
    layer = nn.TransformerDecoderLayer(
        config.width, config.heads, config.feedforward, dropout=0.0, batch_first=True
    )
    decoder = nn.TransformerDecoder(layer, config.layers).to(memory)
    # The parameters themselves, so that gradients reach them.
    names = dict(model.decoder.named_parameters())
    frames = memory.shape[1] // config.per_frame
    bias = torch.full((config.heads, frames, frames), -math.inf).to(memory)
    hidden = torch.ones(frames, memory.shape[1], dtype=torch.bool)
    for i in range(frames):
        hidden[i, i * config.per_frame : (i + 1) * config.per_frame] = False
        for head in range(config.heads):
            for j in range(i + 1):
                bias[head, i, j] = -(0.25 ** (head + 1)) * ((i - j) // config.period)
    places = periodic_positions(frames, config.width, config.period).to(memory)
    inputs, offsets = style[:, None], torch.empty(0)
    for count in range(1, frames + 1):
        decoded = torch.func.functional_call(
            decoder,
            names,
            (inputs + places[:count], memory),
            {
                "tgt_mask": bias[:, :count, :count].repeat(len(memory), 1, 1),
                "memory_mask": hidden[:count],
            },
        )
        offsets = model.outward(decoded)
        inputs = torch.cat([inputs, (model.inward(offsets[:, -1]) + style)[:, None]], dim=1)
    return offsets


@pytest.mark.parametrize("per_frame", [1, 2])
@pytest.mark.parametrize("layers", [1, 2])
def test_equals_the_loop_that_decodes_everything_again(per_frame: int, layers: int) -> None:
    model = tiny_faceformer(tiny_config(per_frame=per_frame, layers=layers))
    samples = noise(16_000)
    with torch.inference_mode():
        memory = model.memory.whole(samples, window=600, overlap=50)
        wanted = again_and_again(model, memory, model.style_of(torch.tensor([1])))
    assert model.neutral is not None
    made = model.generate(samples, speaker=1) - model.neutral.flatten()
    assert made.shape == (1, 24, 30)
    torch.testing.assert_close(made, wanted, rtol=1e-5, atol=1e-5)
    assert made[:, 1:].std() > 0.1


@pytest.mark.parametrize("per_frame", [1, 2])
def test_gradients_equal_those_of_that_loop(per_frame: int) -> None:
    model = tiny_faceformer(tiny_config(per_frame=per_frame)).double()
    memory = torch.randn(
        2, 9 * per_frame, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    memory.requires_grad_()
    speakers = torch.tensor([0, 2])
    trained = [memory, *model.inward.parameters(), *model.outward.parameters(), *model.style.parameters()]
    trained += list(model.decoder.parameters())

    def gradients(offsets: Tensor) -> list[Tensor | None]:
        loss = (offsets.square() * torch.linspace(1, 2, offsets.numel()).view_as(offsets)).sum()
        return list(torch.autograd.grad(loss, trained, allow_unused=True))

    made = gradients(model.outward(model.unroll(memory, model.style_of(speakers))))
    wanted = gradients(again_and_again(model, memory, model.style_of(speakers)))
    for one, other in zip(made, wanted, strict=True):
        # Attention to one position has no gradient of queries and keys; torch's has rounded zeros there.
        zeros = torch.zeros_like(other if one is None else one)  # type: ignore[arg-type]
        torch.testing.assert_close(
            zeros if one is None else one, zeros if other is None else other, rtol=1e-8, atol=1e-9
        )


def test_true_frames_in_place_of_its_own_make_no_difference_where_they_are_equal() -> None:
    model = tiny_faceformer()
    # The paths differ in the first frame alone: only the one of true frames adds the bias of `inward`.
    nn.init.zeros_(model.inward.bias)
    sound, speaker = {"waveform": noise(12_800)[..., None]}, torch.tensor([1])
    with torch.inference_mode():
        own = model(sound, speaker, 20)
        taught = model(sound, speaker, 20, own)
    torch.testing.assert_close(own, taught, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (640, 1), (16_000, 24), (160_000, 249)])
def test_number_of_frames(samples: int, frames: int) -> None:
    for per_frame in (1, 2):
        model = tiny_faceformer(tiny_config(per_frame=per_frame))
        made = model.generate(noise(samples))
        assert made.shape == (1, frames, 30)
        assert made.isfinite().all()


def test_long_speech_is_heard_in_windows_whose_joints_do_not_show() -> None:
    # 20 s; positions go on behind the published 600 frames at 30 fps.
    samples = noise(16_000 * 24)
    whole = tiny_faceformer(tiny_config(fps=30, window=900))
    parts = tiny_faceformer(tiny_config(fps=30, window=300, overlap=50))
    with torch.inference_mode():
        one, other = (
            model.memory.whole(samples, window=model.config.window, overlap=model.config.overlap)
            for model in (whole, parts)
        )
    assert one.shape == other.shape == (1, 719, 16)
    # In the middle of a window the positional convolution sees the same; attention sees less.
    assert (one - other).abs().mean() < 0.2 * one.std()
    step = other.diff(dim=1).norm(dim=-1)[0]
    joints = step[[*range(250, 300), *range(500, 550)]]
    assert joints.max() < 1.5 * step.max()
    assert parts.generate(samples).shape == (1, 719, 30)


def test_memory_limits_what_a_frame_attends_to() -> None:
    memory = torch.randn(1, 12, 16, generator=torch.Generator().manual_seed(0))
    style = torch.zeros(1, 16)
    with torch.inference_mode():
        every, last_four, last_twenty = (
            tiny_faceformer(tiny_config(memory=limit)).unroll(memory, style) for limit in (None, 4, 20)
        )
    assert torch.equal(every, last_twenty)
    torch.testing.assert_close(every[:, :4], last_four[:, :4])
    assert not torch.allclose(every[:, 5:], last_four[:, 5:], atol=1e-4)


def test_speakers_differ_and_nobody_is_the_first() -> None:
    model, samples = tiny_faceformer(), noise(8_000)
    first, second, nobody = (model.generate(samples, speaker=speaker) for speaker in (0, 1, -1))
    assert torch.equal(first, nobody)
    assert (first - second).abs().mean() > 0.01


def test_coefficients_have_no_face_at_rest() -> None:
    model = tiny_faceformer(tiny_config(motion="coefficients"), num_values=52)
    assert model.neutral is None
    assert "neutral" not in model.state_dict()
    assert model.generate(noise(8_000)).shape == (1, 12, 52)


def test_a_new_model_holds_the_face_at_rest() -> None:
    model = FaceFormer(tiny_config(), 30).eval()
    assert not model.generate(noise(8_000)).any()


@pytest.mark.parametrize(
    "how",
    [
        {"content": LogMelEncoderConfig(width=8, heads=2), "fps": 30},
        {"content": LogMelEncoderConfig(width=8, heads=2), "per_frame": 2},
        {"speakers": ("a", "b", "c", "d")},
        {"window": 60, "overlap": 40},
        {"heads": 3},
    ],
)
def test_settings_that_make_no_model(how: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        tiny_config(**how)
