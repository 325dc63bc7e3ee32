"""Settings of FaceDiffuser."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.models.content import ContentConfig
from talkcli.engine.types import MODEL_FPS, Config, Dropout, Width, WindowFrames
from talkcli.engine.wording import counted

# HuBERT has the network of wav2vec 2.0 and other weights.
HUBERT = Wav2vec2Config(frozen="convolutions", frozen_layers=2)


class FaceDiffuserConfig(Config):
    """Settings of FaceDiffuser; the defaults are those for VOCASET, at the 25 fps of talk's training."""

    motion: Literal["vertices", "coefficients"] = "vertices"
    """Meaning of the values of a frame: offsets from the face at rest are added to it, or coefficients."""
    plain: bool = False
    """Whether it is the variant for BEAT's blendshapes: noisy motion and sound go to the recurrent layers as
    they are, and there are no styles. False: both are narrowed to `width`, and each speaker has a style."""
    content: ContentConfig = HUBERT
    """Settings of the speech encoder: HuBERT, which has the settings of wav2vec 2.0, or a compact one."""
    width: Width = 256
    """Width of the recurrent layers, of the time, and unless `plain` of the narrowed sound and motion: 256
    for VOCASET and BEAT, 512 for BIWI."""
    times: Annotated[int, Field(gt=1, le=10_000)] = 1000
    """Number of times of the diffusion: 1000 for VOCASET and BEAT, 500 for BIWI."""
    dropout: Dropout = 0.3
    """Dropout between the recurrent layers, and of speech encoders other than HuBERT."""
    fps: Annotated[int, Field(ge=MODEL_FPS, le=120)] = MODEL_FPS
    """Frames of the motion per second: 25 where talk trains; 30 in the published VOCASET model."""
    paired: bool = False
    """Whether a frame has two steps of HuBERT as they are (BIWI); false: the steps are interpolated to two a
    frame."""
    identity: Width = 8
    """Largest number of speakers."""
    speakers: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Names of the training speakers in the order of their styles; training sets them."""
    window: WindowFrames = 600
    """Largest number of frames that the speech encoder hears at once; longer speech has such windows."""
    overlap: Annotated[int, Field(gt=0)] = 50
    """Number of frames that neighbouring windows share, for the cross-fade."""

    @model_validator(mode="after")
    def _check(self) -> FaceDiffuserConfig:
        hubert = isinstance(self.content, Wav2vec2Config)
        if (self.fps != MODEL_FPS or self.paired) and not hubert:
            raise ValueError("only HuBERT hears at another rate than 25 fps, or in pairs")
        if self.paired and self.fps != MODEL_FPS:
            raise ValueError(f"two steps of 20 ms are no frame at {self.fps} fps")
        if self.plain and self.motion == "vertices":
            raise ValueError("plain is the variant for coefficients, and motion is vertices")
        if len(self.speakers) > self.identity:
            speakers = counted(len(self.speakers), "speaker")
            raise ValueError(f"identity {self.identity} has no room for {speakers}")
        if 2 * self.overlap > self.window:
            raise ValueError(f"overlap {self.overlap} is more than half of window {self.window}")
        return self

    @property
    def nobody(self) -> bool:
        """Whether the model performs without a speaker's style: the plain one always does."""
        return self.plain
