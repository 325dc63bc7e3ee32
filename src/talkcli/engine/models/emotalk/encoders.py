"""The two speech encoders of EmoTalk, at any number of frames.

Axis names: `batch`, `frames`, `width`. Source: EmoTalk, facts H.5.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from talkcli.engine.audio.ear import Ear, Sound, Waveform
from talkcli.engine.audio.log_mel_encoder import LogMelEncoder, LogMelEncoderConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config, resample
from talkcli.engine.models.speech_frames import resampled_frames


class SpeechEncoder(nn.Module):
    """wav2vec 2.0, or the compact encoder of log-mel features."""

    def __init__(self, config: Wav2vec2Config | LogMelEncoderConfig, *, dropout: float, fps: int) -> None:
        """Build the encoder.

        Args:
            config: Settings of the encoder.
            dropout: Dropout of the encoder of log-mel features; wav2vec 2.0 has its own.
            fps: Frames per second where a call asks for no number of frames.
        """
        super().__init__()
        self.fps = fps
        self.network: Wav2vec2 | LogMelEncoder = (
            LogMelEncoder(config, dropout) if isinstance(config, LogMelEncoderConfig) else Wav2vec2(config)
        )

    @property
    def width(self) -> int:
        """Number of features of a frame."""
        return self.network.width

    @property
    def ears(self) -> dict[str, Ear]:
        """The front-end that the encoder reads."""
        network = self.network
        return network.ears if isinstance(network, LogMelEncoder) else {Waveform.name: Waveform()}

    def forward(self, sound: Sound, frames: int | None = None) -> Float[Tensor, "batch frames width"]:
        """Return the features of `frames` frames that last as long as the sound.

        Without a number there are as many as the encoder makes by itself: one for every 640 samples, or of
        wav2vec 2.0, int(steps / 50 * fps). For 1 s that is one frame less than `fps`.
        """
        if isinstance(self.network, LogMelEncoder):
            hidden = self.network.encoded(sound)
            return hidden if frames is None else resample(hidden, frames)
        samples = sound[Waveform.name][..., 0]
        if frames is None:
            frames = max(resampled_frames(samples.shape[1], self.fps), 1)
        return self.network(samples, frames)
