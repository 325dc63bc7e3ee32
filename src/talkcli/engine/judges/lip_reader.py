"""Frozen front-end of a lip reader (a visual speech recogniser): it turns pictures of a mouth into features.

Axis names: `batch`, `frames` (25 fps), `rows` = `columns` = 88, `channels` = 512.
Source: Ma et al. 2023 (Auto-AVSR), the visual front-end of LRS3_V_WER32.3: a 3-D convolution over five frames
and a ResNet-18 for each. DEEPTalk's lip-reading loss (supplement) compares its features. Tensors have the
published names below `encoder.frontend.`; this module omits the recogniser's conformer and decoder.
"""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from talkcli.engine.types import Config

# Side in pixels of the mouth crop that the network takes.
CROP = 88
# Mean and standard deviation of the grey values of its training crops, in [0, 1].
GREY_MEAN = 0.421
GREY_STD = 0.165
# Number of features per frame.
CHANNELS = 512
# Channels of the ResNet-18's four stages, and number of blocks in each.
_WIDTHS = (64, 128, 256, 512)
_BLOCKS = 2


class LipReaderConfig(Config):
    """Settings that differ between published lip readers."""

    activation: Literal["swish", "prelu"] = "swish"
    """Activation after the convolutions of the ResNet; the 3-D convolution always has swish."""


class LipReader(nn.Module):
    """Network from grey pictures of a mouth to features.

    The network has 11 182 784 parameters, with `prelu` 11 186 624. It is frozen: its parameters need no
    gradient, and `train()` does not change its running statistics. Gradients flow to the pictures.
    """

    def __init__(self, config: LipReaderConfig) -> None:
        super().__init__()
        self.config = config
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, _WIDTHS[0], (5, 7, 7), stride=(1, 2, 2), padding=(2, 3, 3), bias=False),
            nn.BatchNorm3d(_WIDTHS[0]),
            nn.SiLU(),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
        )
        self.trunk = _Trunk(config.activation)
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> LipReader:
        """Stay in evaluation mode and ignore `mode`."""
        del mode
        super().train(False)
        return self

    def forward(self, grey: Float[Tensor, "batch frames 88 88"]) -> Float[Tensor, "batch frames 512"]:
        """Return the features of each frame; `grey` is in [0, 1].

        The receptive field of a frame's features reaches two frames before and after it.
        """
        normal = (grey - GREY_MEAN) / GREY_STD
        seen = self.frontend3D(normal[:, None])
        each = self.trunk(seen.transpose(1, 2).flatten(0, 1))
        return each.unflatten(0, grey.shape[:2])


class _Trunk(nn.Module):
    """ResNet-18 without its first convolution, averaged over the picture."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        before = _WIDTHS[0]
        for number, width in enumerate(_WIDTHS, start=1):
            first = _Block(before, width, stride=1 if number == 1 else 2, activation=activation)
            rest = [_Block(width, width, stride=1, activation=activation) for _ in range(_BLOCKS - 1)]
            self.add_module(f"layer{number}", nn.Sequential(first, *rest))
            before = width

    def forward(self, seen: Float[Tensor, "pictures 64 rows columns"]) -> Float[Tensor, "pictures 512"]:
        for layer in self.children():
            seen = layer(seen)
        return seen.mean((-2, -1))


class _Block(nn.Module):
    """Basic block of a ResNet: two 3 x 3 convolutions and a shortcut."""

    def __init__(self, before: int, width: int, *, stride: int, activation: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = _activation(activation, width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = _activation(activation, width)
        self.downsample = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(nn.Conv2d(before, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width))
        )

    def forward(self, x: Tensor) -> Tensor:
        inner = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(inner)) + self.downsample(x))


def _activation(name: str, width: int) -> nn.Module:
    return nn.PReLU(width) if name == "prelu" else nn.SiLU()
