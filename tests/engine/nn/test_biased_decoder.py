"""The decoder against torch's own, with the masks spelled out, and frame by frame against all at once."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from talkcli.engine.nn.biased_decoder import BiasedDecoder, causal_bias

WIDTH, HEADS, PERIOD = 16, 4, 3


def decoder(per_frame: int = 1, layers: int = 2, dropout: float = 0.0) -> BiasedDecoder:
    torch.manual_seed(0)
    built = BiasedDecoder(
        WIDTH, layers=layers, heads=HEADS, feedforward=24, dropout=dropout, period=PERIOD, per_frame=per_frame
    )
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.4)
    return built.double().eval()


def inputs(per_frame: int, frames: int = 11) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(2, frames, WIDTH, generator=generator, dtype=torch.float64),
        torch.randn(2, frames * per_frame, WIDTH, generator=generator, dtype=torch.float64),
    )


def torchs(ours: BiasedDecoder, frames: torch.Tensor, sound: torch.Tensor) -> torch.Tensor:
    """Decode with torch's decoder, under masks written as loops."""
    layer = nn.TransformerDecoderLayer(WIDTH, HEADS, 24, dropout=0.0, batch_first=True)
    theirs = nn.TransformerDecoder(layer, len(ours.layers)).double().eval()
    theirs.load_state_dict(ours.state_dict())
    count, per_frame = frames.shape[1], ours.per_frame
    bias = torch.full((HEADS, count, count), -math.inf, dtype=torch.float64)
    for head in range(HEADS):
        for i in range(count):
            for j in range(i + 1):
                bias[head, i, j] = -(0.25 ** (head + 1)) * ((i - j) // PERIOD)
    hidden = torch.ones(count, count * per_frame, dtype=torch.bool)
    for i in range(count):
        hidden[i, i * per_frame : (i + 1) * per_frame] = False
    return theirs(frames, sound, tgt_mask=bias.repeat(len(frames), 1, 1), memory_mask=hidden)


@pytest.mark.parametrize("per_frame", [1, 2])
def test_equals_torchs_decoder_under_the_published_masks(per_frame: int) -> None:
    ours, (frames, sound) = decoder(per_frame), inputs(per_frame)
    torch.testing.assert_close(ours(frames, sound), torchs(ours, frames, sound), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("per_frame", [1, 2])
def test_frame_by_frame_equals_all_at_once(per_frame: int) -> None:
    ours, (frames, sound) = decoder(per_frame), inputs(per_frame)
    past = ours.start(sound)
    steps = torch.stack([ours.step(frame, past) for frame in frames.unbind(1)], 1)
    torch.testing.assert_close(steps, ours(frames, sound), rtol=1e-12, atol=1e-12)


def test_a_frame_does_not_see_the_sound_or_the_frames_of_other_moments() -> None:
    ours, (frames, sound) = decoder(), inputs(1)
    frames_later, sound_elsewhere = frames.clone(), sound.clone()
    frames_later[:, 6:] += 1
    sound_elsewhere[:, 6:] += 1
    before = ours(frames, sound)[:, :6]
    torch.testing.assert_close(ours(frames_later, sound_elsewhere)[:, :6], before, rtol=0, atol=0)


def test_forgotten_frames_are_the_oldest() -> None:
    # One layer: what lies behind the capacity can then not come in through other frames.
    ours, (frames, sound) = decoder(layers=1), inputs(1)
    past = ours.start(sound, capacity=4)
    steps = [ours.step(frame, past) for frame in frames.unbind(1)]
    last_four = ours(frames[:, -4:], sound[:, -4:])[:, -1]
    torch.testing.assert_close(steps[-1], last_four, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(steps[3], ours(frames, sound)[:, 3], rtol=1e-12, atol=1e-12)


def test_sound_longer_than_the_frames_is_cut() -> None:
    ours, (frames, sound) = decoder(2), inputs(2)
    torch.testing.assert_close(ours(frames[:, :5], sound), ours(frames, sound)[:, :5], rtol=1e-12, atol=1e-12)


def test_dropout_acts_in_training_alone() -> None:
    ours, (frames, sound) = decoder(dropout=0.5), inputs(1)
    assert torch.equal(ours(frames, sound), ours(frames, sound))
    ours.train()
    assert not torch.equal(ours(frames, sound), ours(frames, sound))


def test_bias_is_flat_within_a_period_and_closed_to_later_frames() -> None:
    bias = causal_bias(4, 8, 3)
    assert bias[0, 7].tolist() == [-0.5, -0.5, -0.25, -0.25, -0.25, -0.0, -0.0, -0.0]
    assert torch.isneginf(bias[:, 0, 1:]).all()


@pytest.mark.parametrize("per_frame", [1, 2])
@pytest.mark.parametrize("capacity", [None, 4])
def test_steps_that_grow_equal_steps_in_the_ring(per_frame: int, capacity: int | None) -> None:
    ours, (frames, sound) = decoder(per_frame), inputs(per_frame)
    pasts = ours.start(sound, capacity), ours.start(sound, capacity, grow=True)
    for frame in frames.unbind(1):
        one, other = (ours.step(frame, past) for past in pasts)
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("per_frame", [1, 2])
def test_gradients_through_growing_steps_are_those_of_all_frames_at_once(per_frame: int) -> None:
    ours, (frames, sound) = decoder(per_frame), inputs(per_frame)
    frames.requires_grad_()
    sound.requires_grad_()
    weights = torch.randn(frames.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    wanted = torch.autograd.grad((ours(frames, sound) * weights).sum(), (frames, sound))
    past = ours.start(sound, grow=True)
    steps = torch.stack([ours.step(frame, past) for frame in frames.unbind(1)], 1)
    made = torch.autograd.grad((steps * weights).sum(), (frames, sound))
    for one, other in zip(made, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_steps_have_dropout_in_training() -> None:
    ours, (frames, sound) = decoder(dropout=0.5), inputs(1)
    ours.train()
    first, second = (ours.step(frames[:, 0], ours.start(sound, grow=True)) for _ in range(2))
    assert not torch.equal(first, second)
