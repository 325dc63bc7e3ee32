"""Sizes and variants of CodeTalker's predictor (`models/codetalker/codetalker.py`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.models.codetalker.autoencoder import CodeTalkerVqConfig
from talkcli.engine.models.content import ContentConfig
from talkcli.engine.models.speech_memory import check_memory
from talkcli.engine.types import MODEL_FPS, Config, Dropout, Heads, Layers, Width, WindowFrames, check_heads
from talkcli.engine.wording import counted


class CodeTalkerConfig(Config):
    """Sizes of the predictor; the defaults are those for VOCASET, at the 25 fps of talk's training."""

    prior: CodeTalkerVqConfig = CodeTalkerVqConfig()
    """Settings of the auto-encoder; those of the given codetalker_vq model replace them."""
    content: ContentConfig = Wav2vec2Config(frozen="convolutions")
    """Settings of the speech encoder."""
    width: Width = 1024
    """Number of channels of the decoder."""
    layers: Layers = 6
    """Number of layers of the decoder: 6 for VOCASET, 12 for BIWI."""
    heads: Heads = 4
    """Number of attention heads of the decoder."""
    feedforward: Width = 2048
    """Number of hidden units of a layer's perceptron, twice the width as published."""
    dropout: Dropout = 0.1
    """Dropout of the decoder, of the positions, and of speech encoders other than wav2vec 2.0."""
    fps: Annotated[int, Field(ge=MODEL_FPS, le=120)] = MODEL_FPS
    """Frames of the motion per second: 25 where talk trains; 30 in the published VOCASET model."""
    period: Annotated[int, Field(gt=0, le=10_000)] = MODEL_FPS
    """Frames after which the positions repeat and the attention bias falls by a step; as published `fps`."""
    per_frame: Literal[1, 2] = 1
    """Positions of the sound per frame: 1 interpolates the sound to the frames; 2 gives a frame two steps of
    wav2vec 2.0 as they are (BIWI)."""
    identity: Annotated[int, Field(gt=0, le=1 << 14)] = 8
    """Largest number of speakers."""
    speakers: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Names of the training speakers in the order of their styles; training sets them."""
    exact_frames: Annotated[int, Field(ge=0, le=1 << 12)] = 600
    """Largest number of frames that are made as in the published code, which decodes all frames so far after
    every frame and ends at 600. Longer motion is made with windows."""
    feedback_window: WindowFrames = 32
    """Number of the newest frames that are decoded together after every frame of longer motion."""
    parallel_window: WindowFrames = 200
    """Number of frames of the windows that are made side by side."""
    parallel_feedback: WindowFrames = 8
    """Number of the newest frames that are decoded together after every frame of such windows."""
    window: WindowFrames = 600
    """Largest number of frames that the speech encoder hears, a frame attends to, and the end decodes at
    once; longer motion has such windows."""
    overlap: Annotated[int, Field(gt=0)] = 50
    """Number of frames that neighbouring windows share, for the cross-fade."""

    @model_validator(mode="after")
    def _check(self) -> CodeTalkerConfig:
        check_heads(self.heads, width=self.width)
        check_memory(self.content, self.fps, self.per_frame)
        if len(self.speakers) > self.identity:
            speakers = counted(len(self.speakers), "speaker")
            raise ValueError(f"identity {self.identity} has no room for {speakers}")
        for name in ("window", "parallel_window"):
            if 2 * self.overlap > getattr(self, name):
                raise ValueError(f"overlap {self.overlap} is more than half of {name} {getattr(self, name)}")
        return self

    @property
    def motion(self) -> Literal["vertices", "coefficients"]:
        """Meaning of the values of a frame."""
        return self.prior.motion

    @property
    def nobody(self) -> bool:
        """Whether the model can perform without a speaker's style: never."""
        return False
