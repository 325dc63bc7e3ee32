"""Sizes and variants of the generator EmoTalk (`models/emotalk/emotalk.py`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.types import EMOTIONS, MODEL_FPS, Config, Dropout, Heads, Layers, Width, check_heads
from talkcli.engine.wording import counted

EncoderConfig = Annotated[Wav2vec2Config | LogMelEncoderConfig, Field(discriminator="kind")]

# wav2vec 2.0 large, as both branches of the published model use it.
LARGE = Wav2vec2Config(
    width=1024, layers=24, heads=16, feedforward=4096, layer_norm_first=True, frozen="convolutions"
)


class EmoTalkConfig(Config):
    """Sizes of the generator; the defaults are those of the published model, at talk's frame rate."""

    content: EncoderConfig = LARGE
    """Encoder of the content branch."""
    emotion: EncoderConfig = LARGE
    """Encoder of the emotion branch."""
    content_width: Width = 512
    """Number of content features of a frame."""
    emotion_width: Width = 256
    """Number of emotion features of a frame beside the content; the decoder attends to `width` of them."""
    level_width: Width = 32
    """Number of features of the emotion's level."""
    person_width: Width = 32
    """Number of features of the person."""
    identity: Width = 24
    """Largest number of persons: the width of their one-hot code."""
    heads: Heads = 4
    """Number of attention heads of the decoder."""
    layers: Layers = 1
    """Number of layers of the decoder."""
    period: Annotated[int, Field(gt=0, le=1000)] = 30
    """Number of frames in which the decoder's bias of attention is constant."""
    dropout: Dropout = 0.1
    """Dropout of the decoder, of the classifier and of log-mel encoders; wav2vec 2.0 has its own."""
    labels: tuple[str, ...] = EMOTIONS
    """Emotions that the classifier of the emotion branch tells apart, in its order."""
    motion: Literal["coefficients", "vertices"] = "coefficients"
    """Form of the motion; of vertices the network makes their way from the face at rest."""
    arkit: bool = False
    """Make ARKit's 52 curves, as the published model does; they become coefficients of ada."""
    fps: Literal[25, 30] = 25
    """Frames per second of what it makes; training data of talk has 25, the published model makes 30."""
    window_s: Annotated[int, Field(ge=2, le=120)] = 60
    """Largest number of seconds of one pass; longer speech is generated in windows."""
    overlap_s: Annotated[int, Field(ge=1, le=60)] = 3
    """Number of seconds that neighbouring windows share, for the cross-fade."""
    speakers: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Names of the persons in the order of their code; training sets them."""

    @property
    def width(self) -> int:
        """Number of channels of the decoder: 832 in the published model."""
        return self.content_width + self.emotion_width + self.level_width + self.person_width

    @property
    def nobody(self) -> bool:
        """Whether the model performs without a person; training always names one."""
        return False

    @field_validator("labels")
    @classmethod
    def _known_labels(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [label for label in labels if label not in EMOTIONS]
        if unknown or not labels or len(set(labels)) < len(labels):
            raise ValueError(f"labels are different ones of {', '.join(EMOTIONS)}, at least one")
        return labels

    @model_validator(mode="after")
    def _check(self) -> EmoTalkConfig:
        check_heads(self.heads, **{"the sum of the widths": self.width})
        if len(self.speakers) > self.identity:
            speakers = counted(len(self.speakers), "speaker")
            raise ValueError(f"identity {self.identity} has no room for {speakers}")
        if self.arkit and self.motion == "vertices":
            raise ValueError("arkit curves are coefficients, but motion is vertices")
        if 2 * self.overlap_s > self.window_s:
            raise ValueError(f"overlap_s {self.overlap_s} is more than half of window_s {self.window_s}")
        compact = [each for each in (self.content, self.emotion) if isinstance(each, LogMelEncoderConfig)]
        if compact and self.fps != MODEL_FPS:
            raise ValueError(f"log-mel features have {MODEL_FPS} frames per second, not {self.fps}")
        if len({each.ear.model_dump_json() for each in compact}) > 1:
            raise ValueError("content and emotion read one and the same log-mel features, but theirs differ")
        return self
