"""Sizes and variants of EmoFace (`models/emoface/emoface.py`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.models.content import ContentConfig, PhoneContentConfig
from talkcli.engine.models.emotalk.emotalk_config import LARGE
from talkcli.engine.types import Config, Dropout, Heads, Layers, Width, WindowFrames, check_heads
from talkcli.engine.wording import counted

# The Mesh Attention map has this share of the width, as in the paper.
NARROWER = 16


class SpiralConfig(Config):
    """Neighbourhood of a vertex in SpiralConv3D; a span of 1 makes it a spiral convolution of one frame."""

    length: Annotated[int, Field(gt=0, le=64)] = 9
    """Number of vertices of a spiral, with the vertex itself."""
    dilation: Annotated[int, Field(gt=0, le=16)] = 2
    """Every how manyth vertex of the full spiral counts."""
    span: Annotated[int, Field(gt=0, le=64)] = 5
    """Number of frames: the present one and those right before it."""


class EmoFaceConfig(Config):
    """Sizes of EmoFace; the paper states none of them, `docs/methods/emoface.md` gives our reasons."""

    content: ContentConfig = LARGE
    """Encoder of what is said."""
    emotion: ContentConfig = LARGE
    """Encoder of the emotion in which it is said."""
    width: Width = 128
    """Width of the features and decoders of both branches: C in the paper."""
    layers: Layers = 1
    """Number of decoder layers of a branch."""
    heads: Heads = 4
    feedforward: Width = 256
    dropout: Dropout = 0.1
    period: WindowFrames = 25
    """Frames after which positions repeat and in which the attention bias is constant: a second."""
    embedding: Width = 32
    """Width of the embeddings of level and style."""
    mesh_attention: bool = True
    """Fuse the branches by Mesh Attention; else their mean is the motion."""
    spiral: SpiralConfig = SpiralConfig()
    """Neighbourhood in the SpiralConv3D layers of Mesh Attention."""
    map_layers: Annotated[int, Field(gt=0, le=16)] = 2
    """Number of SpiralConv3D layers; the last one gives the map."""
    components: Annotated[int, Field(gt=0, le=512)] | None = None
    """Number of principal components of the training motion in which the branches see and make displacements;
    null: in coordinates, as in the paper. It makes a model small whose mesh has many vertices."""
    unit_m: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Length in metres of the unit of displacement inside the network: a size of steps, not of results."""
    identity: Width = 32
    """Largest number of speakers: the width of the one-hot code of the style."""
    speakers: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Names of the speakers in the order of that code; training sets them."""
    nobody: bool | None = None
    """Whether some training windows had no speaker; training sets it."""
    window: WindowFrames = 500
    """Largest number of frames that the encoders hear at once; longer speech has such windows."""
    overlap: Annotated[int, Field(gt=0)] = 50
    """Number of frames that neighbouring windows share, for the cross-fade of features."""
    remember: WindowFrames = 600
    """Number of earlier frames that the decoders attend to when they generate."""

    @model_validator(mode="after")
    def _check(self) -> EmoFaceConfig:
        check_heads(self.heads, width=self.width)
        if self.width % NARROWER:
            raise ValueError(f"width {self.width} is no multiple of {NARROWER}")
        if len(self.speakers) > self.identity:
            speakers = counted(len(self.speakers), "speaker")
            raise ValueError(f"identity {self.identity} has no room for {speakers}")
        ears = [ear for ear in map(_ear, (self.content, self.emotion)) if ear is not None]
        if len(ears) == 2 and ears[0] != ears[1]:
            raise ValueError("content and emotion have different settings of log-mel features")
        if 2 * self.overlap > self.window:
            raise ValueError(f"overlap {self.overlap} is more than half of window {self.window}")
        return self


def _ear(config: Wav2vec2Config | PhoneContentConfig | LogMelEncoderConfig) -> LogMelConfig | None:
    """Return the log-mel features of an encoder; None for one of samples."""
    if isinstance(config, PhoneContentConfig):
        return config.encoder.ear
    return config.ear if isinstance(config, LogMelEncoderConfig) else None
