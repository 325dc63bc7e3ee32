"""What MeshTalk hears: one second of sound around every frame, as a code.

Axis names: `batch`, `samples` (16 kHz), `hops` (100 Hz), `mel` = 80, `frames`, `width`, `second` = 16,000
samples. Source: Richard et al. 2021 and the released code (facts H.3). Published frames are 533 samples
apart, so that each has a window of its own, with reflected edges. Differs: at 25 fps frames are four hops
apart; windows share their hops and the convolutions of these, and see past their edges.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import surrounded
from talkcli.engine.audio.mel_bank import htk_bank
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ

MELS = 80
# Samples of the window of a frame, of its spectrum's transform and window, and between two hops.
SECOND = SPEECH_RATE_HZ
_FFT, _WINDOW, HOP = 2048, 800, 160
HOPS_PER_FRAME = SAMPLES_PER_FRAME // HOP
# Hops of a window, and of what stands on either side of its middle.
_HOPS = SECOND // HOP + 1
REACH = _HOPS // 2
# Published distance of frames in samples, and samples of silence on both sides.
PUBLISHED_HOP = 533
_PUBLISHED_PAD = 7733
# Mean of the absolute samples, to which sound is scaled, and the least power.
_LOUDNESS = 0.01
_FLOOR = 1e-10
_KERNEL = 5
DILATIONS = (2, 4, 6, 2, 4, 6)
_SLOPE = 0.2
# Windows, and hops, whose spectra are in memory at the same time.
_AT_ONCE, _HOPS_AT_ONCE = 64, 4096


class LogPower(nn.Module):
    """Front-end: logarithms of mel power at 100 Hz, of sound scaled to one loudness."""

    name = "meshtalk_mel"
    num_channels = MELS
    steps_per_frame = HOPS_PER_FRAME
    prefix = 0
    context = REACH
    silence = math.log(_FLOOR)
    bank: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        with torch.device("cpu"):
            bank = htk_bank(_FFT // 2 + 1, MELS, SPEECH_RATE_HZ)
            window = torch.hann_window(_WINDOW)
        self.register_buffer("bank", bank)
        self.register_buffer("window", window)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch hops mel"]:
        """Return the hops of whole frames of 25 fps; hop k is centred on sample 160 k, silence is outside."""
        frames = -(-samples.shape[1] // SAMPLES_PER_FRAME)
        samples = F.pad(scaled(samples), (0, frames * SAMPLES_PER_FRAME - samples.shape[1]))
        around = F.pad(samples, (_WINDOW // 2, _WINDOW // 2))
        return self.of_pieces(around.unfold(1, _WINDOW, HOP)[:, : frames * HOPS_PER_FRAME])

    def of_windows(self, windows: Float[Tensor, "frames samples"]) -> Float[Tensor, "frames hops mel"]:
        """Return the 101 hops of windows of one second, whose edges are reflected, as published."""
        around = F.pad(windows[:, None], (_WINDOW // 2, _WINDOW // 2), mode="reflect")[:, 0]
        return self.of_pieces(around.unfold(1, _WINDOW, HOP))

    def of_pieces(self, pieces: Float[Tensor, "batch hops samples"]) -> Float[Tensor, "batch hops mel"]:
        """Return the logarithm of the mel power of pieces of 800 samples."""
        made = []
        for some in pieces.split(_HOPS_AT_ONCE, dim=1):
            power = torch.fft.rfft(some * self.window, _FFT).abs().square()
            made.append((power @ self.bank).clamp_min(_FLOOR).log())
        return torch.cat(made, dim=1)


class SpeechEncoder(nn.Module):
    """Hops to codes: dilated convolutions without padding, of which each keeps half of its input."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.front = LogPower()
        self.inward = nn.Conv1d(MELS, width, _KERNEL)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, _KERNEL, dilation=dilation) for dilation in DILATIONS
        )
        self.code = nn.Linear(width, width)
        self.dropout = dropout

    def forward(self, hops: Float[Tensor, "batch hops mel"]) -> Float[Tensor, "batch frames width"]:
        """Return the code of every place that has 50 hops on both sides."""
        x = F.leaky_relu(self.inward(hops.mT), _SLOPE)
        for convolution in self.convolutions:
            seen = F.leaky_relu(convolution(x), _SLOPE)
            edge = (x.shape[2] - seen.shape[2]) // 2
            x = (x[..., edge : x.shape[2] - edge] + seen) / 2
            x = F.dropout(x, self.dropout, self.training)
        return self.code(x.mT)

    def of_frames(self, hops: Float[Tensor, "batch hops mel"]) -> Float[Tensor, "batch frames width"]:
        """Return the codes of the frames of 25 fps in a stretch of hops that is `surrounded`."""
        # The middle of a frame lies between its second and its third hop.
        middle = HOPS_PER_FRAME // 2
        return self.forward(hops[:, middle:])[:, ::HOPS_PER_FRAME]

    def of_clip(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames width"]:
        """Return the codes of all frames of 25 fps of an utterance."""
        hops = self.front(samples)
        return self.of_frames(surrounded(self.front, hops, 0, hops.shape[1]))

    def published(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames width"]:
        """Return the codes of the published frames, each of its own window of one second."""
        codes = []
        for row in published_windows(samples).split(_AT_ONCE, dim=1):
            hops = self.front.of_windows(row.flatten(0, 1))
            codes.append(self.forward(hops).unflatten(0, row.shape[:2])[:, :, 0])
        return torch.cat(codes, dim=1)


def scaled(samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples"]:
    """Return samples of which the mean absolute value is 0.01; silence stays silence."""
    loudness = samples.abs().mean(1, keepdim=True)
    return samples * (_LOUDNESS / loudness.clamp_min(1e-12)) * (loudness > 0)


def published_windows(samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames second"]:
    """Return the windows of one second of the published frames, of sound scaled to one loudness."""
    around = F.pad(scaled(samples), (_PUBLISHED_PAD, _PUBLISHED_PAD))
    frames = published_frames(samples.shape[1])
    short = SECOND + (frames - 1) * PUBLISHED_HOP - around.shape[1]
    return F.pad(around, (0, max(short, 0))).unfold(1, SECOND, PUBLISHED_HOP)[:, :frames]


def published_frames(samples: int) -> int:
    """Return the published number of frames of `samples`, but at least one."""
    return max(-(-(samples + 2 * _PUBLISHED_PAD - SECOND) // PUBLISHED_HOP), 1)
