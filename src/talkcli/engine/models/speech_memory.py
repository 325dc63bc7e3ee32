"""What decoders of motion listen to: features of speech at the frames of the motion.

Axis names: `batch`, `samples` (16 kHz), `frames` (at the model's rate), `steps` (50 Hz), `positions` =
frames, or twice as many, `width`. Source: FaceFormer, section 3.1, and its released code (facts H.1);
CodeTalker does the same. The convolutions of wav2vec 2.0 give 50 steps a second. They are interpolated to the
frames, both ends aligned; or, as for BIWI, two of them belong to a frame and none is interpolated. Differs:
sound of any length is possible, since the transformer hears long speech in windows, which are cross-faded;
and the compact encoders of DEEPTalk may replace wav2vec 2.0.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound, Waveform
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config, resample
from talkcli.engine.models.content import ContentConfig, Wav2vec2Content, build_content
from talkcli.engine.models.speech_frames import paired_frames, resampled_frames
from talkcli.engine.models.windows import Stretches, cross_fade, spans
from talkcli.engine.types import MODEL_FPS, SAMPLES_PER_FRAME

# Samples that two steps of the convolutions see.
_TWO_STEPS = 720


class SpeechMemory(nn.Module):
    """Speech encoder with a linear map to the width of the decoder."""

    def __init__(
        self,
        config: ContentConfig,
        width: int,
        *,
        fps: int = MODEL_FPS,
        per_frame: int = 1,
        dropout: float = 0.0,
    ) -> None:
        """Build the encoder with random weights.

        Args:
            config: Settings of the encoder.
            width: Number of features of a position.
            fps: Frames of the motion per second.
            per_frame: Number of positions of a frame: 1, or 2 for steps of wav2vec 2.0 as they are.
            dropout: Dropout of the encoders other than wav2vec 2.0, which has its own.

        Raises:
            ValueError: For another frame rate than 25 or two positions, unless the encoder is wav2vec 2.0.
        """
        super().__init__()
        check_memory(config, fps, per_frame)
        self.fps = fps
        self.per_frame = per_frame
        self.content = build_content(config, width, dropout=dropout)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of the encoder."""
        return self.content.ears

    def frames_of(self, samples: int) -> int:
        """Return the number of frames of motion for `samples` of speech.

        With wav2vec 2.0 it is the published number, but at least one; else an incomplete last frame counts.
        """
        if not isinstance(self.content, Wav2vec2Content):
            return -(-samples // SAMPLES_PER_FRAME)
        return max(paired_frames(samples) if self.per_frame == 2 else resampled_frames(samples, self.fps), 1)

    def forward(self, sound: Sound, frames: int) -> Float[Tensor, "batch positions width"]:
        """Return the features of a window of training that has `frames` frames.

        With two positions a frame they may be too few for the last frames, as published.
        """
        content = self.content
        if not isinstance(content, Wav2vec2Content) or "wav2vec2" in sound:
            features: Tensor = content(sound).features
            return features
        return content.linear(content.encoder.transform(self._steps(sound[Waveform.name][..., 0], frames)))

    def whole(
        self, samples: Float[Tensor, "batch samples"], *, window: int, overlap: int
    ) -> Float[Tensor, "batch positions width"]:
        """Return the features of all frames of an utterance of any length.

        Args:
            samples: Speech at 16 kHz.
            window: Largest number of frames that the encoder hears at once.
            overlap: Number of frames that neighbouring windows share.
        """
        frames, per_frame, content = self.frames_of(samples.shape[1]), self.per_frame, self.content
        if per_frame == 2:
            # A frame needs two steps.
            samples = F.pad(samples, (0, max(_TWO_STEPS - samples.shape[1], 0)))
        places = spans(frames, window, overlap)

        def pieces() -> Iterator[Float[Tensor, "batch _ width"]]:
            if isinstance(content, Wav2vec2Content):
                steps = self._steps(samples, frames)
                for first, last in places:
                    heard = content.encoder.transform(steps[:, first * per_frame : last * per_frame])
                    yield content.linear(heard)
            else:
                stretches = Stretches(content.ears, samples, frames=frames, window=window)
                for first, last in places:
                    yield content(stretches(first, last)).features

        return cross_fade(pieces(), frames * per_frame, overlap * per_frame)

    def _steps(
        self, samples: Float[Tensor, "batch samples"], frames: int
    ) -> Float[Tensor, "batch positions channels"]:
        """Return the convolutions' output for `frames` frames."""
        assert isinstance(self.content, Wav2vec2Content)
        encoder = self.content.encoder
        # Frozen convolutions need no gradients, which would keep all their layers in memory.
        with torch.set_grad_enabled(torch.is_grad_enabled() and encoder.config.frozen == "none"):
            steps = encoder.convolve(samples)
        if self.per_frame == 1:
            return resample(steps, frames)
        return steps[:, : 2 * min(frames, steps.shape[1] // 2)]


def check_memory(config: ContentConfig, fps: int, per_frame: int) -> None:
    """Raise ValueError for an encoder that cannot give `per_frame` positions at `fps`."""
    if not isinstance(config, Wav2vec2Config) and (fps != MODEL_FPS or per_frame != 1):
        raise ValueError(f"only wav2vec2 hears at {fps} fps with {per_frame} positions a frame")
