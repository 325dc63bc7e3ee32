"""What FaceDiffuser listens to: for each frame, two hidden states of HuBERT.

Axis names: `batch`, `samples` (16 kHz), `steps` (50 Hz), `frames` (at the model's rate), `heard`. Source:
FaceDiffuser's released code (facts H.4). Unlike FaceFormer, it interpolates the last hidden states and not
the output of the convolutions. Differs: the transformer hears long speech in windows, which are cross-faded;
and compact encoders may replace HuBERT, with one vector a frame.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound, Waveform
from talkcli.engine.audio.strided import num_steps
from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config, resample
from talkcli.engine.models.content import build_content
from talkcli.engine.models.facediffuser.config import FaceDiffuserConfig
from talkcli.engine.models.windows import Stretches, cross_fade, spans
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ

# Samples that two steps of the convolutions see.
_TWO_STEPS = 720


class Hearing(nn.Module):
    """The speech encoder, and its alignment to frames of motion."""

    def __init__(self, config: FaceDiffuserConfig) -> None:
        """Build the encoder with random weights."""
        super().__init__()
        self.config = config
        content = config.content
        self.encoder: nn.Module
        if isinstance(content, Wav2vec2Config):
            self.encoder = Wav2vec2(content)
            self.width = 2 * content.width
        else:
            self.encoder = build_content(content, config.width, dropout=config.dropout)
            self.width = config.width

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of the encoder."""
        if isinstance(self.encoder, Wav2vec2):
            return {Waveform.name: Waveform()}
        ears: dict[str, Ear] = self.encoder.ears  # type: ignore[assignment]
        return ears

    def frames_of(self, samples: int) -> int:
        """Return the number of frames of motion for `samples` of speech.

        With HuBERT it is the published number, but at least one; else an incomplete last frame counts.
        """
        if not isinstance(self.encoder, Wav2vec2):
            return -(-samples // SAMPLES_PER_FRAME)
        frames = int(samples / SPEECH_RATE_HZ * self.config.fps) - 1
        return max(min(frames, num_steps(samples) // 2) if self.config.paired else frames, 1)

    def forward(self, sound: Sound, frames: int) -> Float[Tensor, "batch heard_frames heard"]:
        """Return what belongs to the frames of a window of training that has `frames` frames.

        With paired steps, it may be too little for the last frames, as published.
        """
        if not isinstance(self.encoder, Wav2vec2):
            features: Tensor = self.encoder(sound).features
            return features
        samples = sound[Waveform.name][..., 0]
        # Frozen convolutions need no gradients, which would keep all their layers in memory.
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.encoder.config.frozen == "none"):
            steps = self.encoder.convolve(samples)
        return self._aligned(self.encoder.transform(steps), frames)

    def whole(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames heard"]:
        """Return what belongs to the frames of an utterance of any length."""
        config, frames = self.config, self.frames_of(samples.shape[1])
        if not isinstance(self.encoder, Wav2vec2):
            stretches = Stretches(self.ears, samples, frames=frames, window=config.window)
            places = spans(frames, config.window, config.overlap)
            return cross_fade(
                (self.encoder(stretches(first, last)).features for first, last in places),
                frames,
                config.overlap,
            )
        samples = F.pad(samples, (0, max(_TWO_STEPS - samples.shape[1], 0)))
        steps, encoder = self.encoder.convolve(samples), self.encoder
        # Two steps of 20 ms last as long as a frame of talk's.
        window, overlap = 2 * config.window, 2 * config.overlap
        hidden = cross_fade(
            (
                encoder.transform(steps[:, first:last])
                for first, last in spans(steps.shape[1], window, overlap)
            ),
            steps.shape[1],
            overlap,
        )
        return self._aligned(hidden, frames)

    def _aligned(
        self, hidden: Float[Tensor, "batch steps width"], frames: int
    ) -> Float[Tensor, "batch heard_frames heard"]:
        """Return pairs of hidden states, of which a frame gets one."""
        if not self.config.paired:
            hidden = resample(hidden, 2 * frames)
        count = min(frames, hidden.shape[1] // 2)
        return hidden[:, : 2 * count].unflatten(1, (count, 2)).flatten(2)
