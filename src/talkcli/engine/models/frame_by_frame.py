"""Settings that FaceFormer and CodeTalker share: both make motion of speech frame by frame."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.models.content import ContentConfig
from talkcli.engine.models.speech_memory import check_memory
from talkcli.engine.types import MODEL_FPS, Config, Dropout, Heads, Layers, Width, WindowFrames, check_heads
from talkcli.engine.wording import counted


class FrameByFrameConfig(Config):
    """What both methods set alike; each gives the sizes their defaults."""

    content: ContentConfig = Wav2vec2Config(frozen="convolutions")
    """Settings of the speech encoder."""
    width: Width
    """Number of channels of the decoder."""
    layers: Layers
    """Number of layers of the decoder."""
    feedforward: Width
    """Number of hidden units of a layer's perceptron, twice the width as published."""
    heads: Heads = 4
    """Number of attention heads of the decoder."""
    dropout: Dropout = 0.1
    """Dropout of the decoder, of the positions, and of speech encoders other than wav2vec 2.0."""
    fps: Annotated[int, Field(ge=MODEL_FPS, le=120)] = MODEL_FPS
    """Frames of the motion per second: 25 where talk trains; 30 in the published VOCASET model."""
    period: Annotated[int, Field(gt=0, le=10_000)] = MODEL_FPS
    """Frames after which the positions repeat and the attention bias falls by a step; as published `fps`."""
    per_frame: Literal[1, 2] = 1
    """Positions of the sound per frame: 1 interpolates the sound to the frames; 2 gives a frame two steps of
    wav2vec 2.0 as they are (BIWI)."""
    identity: Width = 8
    """Largest number of speakers."""
    speakers: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Names of the training speakers in the order of their styles; training sets them."""
    window: WindowFrames = 600
    """Largest number of frames that the speech encoder hears at once; longer speech has such windows."""
    overlap: Annotated[int, Field(gt=0)] = 50
    """Number of frames that neighbouring windows share, for the cross-fade."""

    @model_validator(mode="after")
    def _check(self) -> FrameByFrameConfig:
        check_heads(self.heads, width=self.width)
        check_memory(self.content, self.fps, self.per_frame)
        if len(self.speakers) > self.identity:
            speakers = counted(len(self.speakers), "speaker")
            raise ValueError(f"identity {self.identity} has no room for {speakers}")
        if 2 * self.overlap > self.window:
            raise ValueError(f"overlap {self.overlap} is more than half of window {self.window}")
        return self

    @property
    def nobody(self) -> bool:
        """Whether the model can perform without a speaker's style: never."""
        return False
