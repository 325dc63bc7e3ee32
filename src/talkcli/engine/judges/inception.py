"""Inception v3 as FID has it: pictures to 2048 features.

Axis names: `pictures`, `rows`, `columns`, `channels`. Source: Szegedy et al. 2016 in the form of the public
package pytorch-fid, whose file is `pt_inception-2015-12-05`: pools leave padding out of their means, the last
block takes a maximum in place of a mean, and 1008 classes. Tensors have that package's names, which are
torchvision's. Names and layers were compared with the public sources of both packages. We had no file of
weights: a test checks the number of weights, which equals that of Keras' InceptionV3 with the scales of its
batch normalisation added, and the sizes between the blocks, but no feature of a trained network.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

# Side of the pictures that the network sees, and number of features.
SIDE = 299
FEATURES = 2048
_CLASSES = 1008
# What batch normalisation adds to variances in this network.
_EPSILON = 1e-3
# Number of pictures that go through the network at once.
_BATCH = 16


class Inception(nn.Module):
    """The network; it is frozen and stays in evaluation mode. Its classes are unused, but are in the file."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = _Conv(80, 192, 3)
        self.Mixed_5b = _BlockA(192, pooled=32)
        self.Mixed_5c = _BlockA(256, pooled=64)
        self.Mixed_5d = _BlockA(288, pooled=64)
        self.Mixed_6a = _BlockB(288)
        self.Mixed_6b = _BlockC(768, inner=128)
        self.Mixed_6c = _BlockC(768, inner=160)
        self.Mixed_6d = _BlockC(768, inner=160)
        self.Mixed_6e = _BlockC(768, inner=192)
        self.Mixed_7a = _BlockD(768)
        self.Mixed_7b = _BlockE(1280, largest=False)
        self.Mixed_7c = _BlockE(2048, largest=True)
        self.fc = nn.Linear(FEATURES, _CLASSES)
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> Inception:
        """Stay in evaluation mode and ignore `mode`."""
        del mode
        super().train(False)
        return self

    def forward(self, pictures: Float[Tensor, "pictures 3 rows columns"]) -> Float[Tensor, "pictures 2048"]:
        """Return the features of red, green and blue from 0 to 1: the mean over the last block's places.

        Pictures of any size are resized bilinearly to 299 x 299, without antialiasing as in pytorch-fid.
        """
        x = F.interpolate(pictures, (SIDE, SIDE), mode="bilinear", align_corners=False)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(2 * x - 1)))
        x = F.max_pool2d(x, 3, stride=2)
        x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, stride=2)
        for name, block in self.named_children():
            if name.startswith("Mixed_"):
                x = block(x)
        return x.mean((2, 3))


@torch.inference_mode()
def features(
    network: Inception, pictures: UInt8[np.ndarray, "pictures rows columns 3"]
) -> Float[np.ndarray, "pictures 2048"]:
    """Return the features of pictures in red, green, blue."""
    found = [
        network(torch.from_numpy(pictures[first : first + _BATCH]).permute(0, 3, 1, 2).float() / 255)
        for first in range(0, len(pictures), _BATCH)
    ]
    return torch.cat(found).numpy() if found else np.zeros((0, FEATURES), np.float32)


class _Conv(nn.Module):
    """Convolution, batch normalisation and ReLU."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


def _across(before: int, after: int) -> _Conv:
    return _Conv(before, after, (1, 7), padding=(0, 3))


def _down(before: int, after: int) -> _Conv:
    return _Conv(before, after, (7, 1), padding=(3, 0))


def _mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class _Block(nn.Module):
    """Branches whose channels are put one after the other."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(list(self.branches(x)), 1)

    def branches(self, x: Tensor) -> Iterator[Tensor]:
        raise NotImplementedError


class _BlockA(_Block):
    """Block at 35 x 35."""

    def __init__(self, before: int, *, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(before, 64, 1)
        self.branch5x5_1 = _Conv(before, 48, 1)
        self.branch5x5_2 = _Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Conv(before, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, padding=1)
        self.branch_pool = _Conv(before, pooled, 1)

    def branches(self, x: Tensor) -> Iterator[Tensor]:
        yield self.branch1x1(x)
        yield self.branch5x5_2(self.branch5x5_1(x))
        yield self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        yield self.branch_pool(_mean(x))


class _BlockB(_Block):
    """Block from 35 x 35 to 17 x 17."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.branch3x3 = _Conv(before, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Conv(before, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, stride=2)

    def branches(self, x: Tensor) -> Iterator[Tensor]:
        yield self.branch3x3(x)
        yield self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        yield F.max_pool2d(x, 3, stride=2)


class _BlockC(_Block):
    """Block at 17 x 17, with convolutions over seven places in one direction."""

    def __init__(self, before: int, *, inner: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(before, 192, 1)
        self.branch7x7_1 = _Conv(before, inner, 1)
        self.branch7x7_2 = _across(inner, inner)
        self.branch7x7_3 = _down(inner, 192)
        self.branch7x7dbl_1 = _Conv(before, inner, 1)
        self.branch7x7dbl_2 = _down(inner, inner)
        self.branch7x7dbl_3 = _across(inner, inner)
        self.branch7x7dbl_4 = _down(inner, inner)
        self.branch7x7dbl_5 = _across(inner, 192)
        self.branch_pool = _Conv(before, 192, 1)

    def branches(self, x: Tensor) -> Iterator[Tensor]:
        yield self.branch1x1(x)
        yield self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        yield self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        yield self.branch_pool(_mean(x))


class _BlockD(_Block):
    """Block from 17 x 17 to 8 x 8."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Conv(before, 192, 1)
        self.branch3x3_2 = _Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Conv(before, 192, 1)
        self.branch7x7x3_2 = _across(192, 192)
        self.branch7x7x3_3 = _down(192, 192)
        self.branch7x7x3_4 = _Conv(192, 192, 3, stride=2)

    def branches(self, x: Tensor) -> Iterator[Tensor]:
        yield self.branch3x3_2(self.branch3x3_1(x))
        yield self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        yield F.max_pool2d(x, 3, stride=2)


class _BlockE(_Block):
    """Block at 8 x 8; the last one of the network pools by the largest value."""

    def __init__(self, before: int, *, largest: bool) -> None:
        super().__init__()
        self.largest = largest
        self.branch1x1 = _Conv(before, 320, 1)
        self.branch3x3_1 = _Conv(before, 384, 1)
        self.branch3x3_2a = _Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = _Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = _Conv(before, 448, 1)
        self.branch3x3dbl_2 = _Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = _Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = _Conv(before, 192, 1)

    def branches(self, x: Tensor) -> Iterator[Tensor]:
        yield self.branch1x1(x)
        once = self.branch3x3_1(x)
        yield self.branch3x3_2a(once)
        yield self.branch3x3_2b(once)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        yield self.branch3x3dbl_3a(twice)
        yield self.branch3x3dbl_3b(twice)
        yield self.branch_pool(F.max_pool2d(x, 3, stride=1, padding=1) if self.largest else _mean(x))
