"""Convolutions with the channels last, in blocks, are PyTorch's of the whole clip."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.audio.strided import CONVOLUTIONS, at_least_one_step, flat, grouped, in_blocks, windows


@pytest.mark.parametrize("samples", [400, 719, 720, 320 * 99 + 400, 320 * 100 + 400, 70_001])
def test_blocks_give_what_the_whole_gives(samples: int) -> None:
    torch.manual_seed(0)
    weights = [torch.randn(6, 6 if index else 1, shape[0]) / 3 for index, shape in enumerate(CONVOLUTIONS)]
    sound = torch.randn(2, samples)

    def layers(piece: Tensor) -> Tensor:
        steps = piece[..., None]
        for weight, shape in zip(weights, CONVOLUTIONS, strict=True):
            steps = F.gelu(windows(steps, *shape) @ flat(weight).T)
        return steps

    wanted = sound[:, None]
    for weight, (_, stride) in zip(weights, CONVOLUTIONS, strict=True):
        wanted = F.gelu(F.conv1d(wanted, weight, stride=stride))
    torch.testing.assert_close(in_blocks(sound, layers), wanted.mT, atol=1e-6, rtol=1e-4)


def test_no_piece_is_longer_than_a_block() -> None:
    seen = []

    def layers(piece: Tensor) -> Tensor:
        seen.append(piece.shape[1])
        return piece.new_zeros(1, (piece.shape[1] - 400) // 320 + 1, 1)

    assert in_blocks(torch.zeros(1, 320 * 1000 + 80), layers).shape == (1, 1000, 1)
    assert max(seen) == 99 * 320 + 400


@pytest.mark.parametrize("samples", [0, 399, 400, 500])
def test_too_few_samples_become_one_step(samples: int) -> None:
    sound = torch.ones(2, samples)
    padded = at_least_one_step(sound)
    assert padded.shape == (2, max(400, samples))
    assert padded.sum() == 2 * samples


@pytest.mark.parametrize("kernel", [4, 5])
def test_a_grouped_convolution_keeps_the_number_of_steps(kernel: int) -> None:
    steps, weight, bias = torch.randn(2, 9, 12), torch.randn(12, 3, kernel), torch.randn(12)
    wanted = F.conv1d(steps.mT, weight, bias, padding=kernel // 2, groups=4)[..., :9].mT
    torch.testing.assert_close(grouped(steps, weight, bias), wanted)
