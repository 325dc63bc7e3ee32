"""Sizes and variants of the emotion embedding DEE (`models/deeptalk/dee.py`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.types import Config, Dropout, Heads, Layers, Width, WindowFrames, check_heads


class CoefficientsConfig(Config):
    """Settings of a motion branch on standardised coefficients: there are none but the kind."""

    kind: Literal["coefficients"] = "coefficients"


class DeeConfig(Config):
    """Sizes and variants of DEE; the defaults are those of the released model."""

    speech: Annotated[LogMelConfig | Emotion2vecConfig, Field(discriminator="kind")] = Emotion2vecConfig()
    """Front-end of the speech branch."""
    expression: Annotated[CoefficientsConfig | FerConfig, Field(discriminator="kind")] = FerConfig()
    """Front-end of the motion branch, which processes single frames."""
    audio_width: Width = 768
    audio_layers: Layers = 2
    motion_width: Width = 512
    motion_layers: Layers = 6
    heads: Heads = 8
    feedforward: Width = 2048
    """Width inside every transformer layer."""
    embedding: Width = 128
    dropout: Dropout = 0.1
    window: WindowFrames = 250
    """Largest number of frames (25 fps) that an encoder processes at once; 250 are 10 s."""
    speech_encoder: Literal["transformer", "functionals", "both"] = "transformer"
    """Encoder of speech. `functionals` maps statistics of log-mel features (`audio/functionals.py`) by two
    layers, without a transformer: it recognises the emotion of unseen speakers from some hundred clips.
    `both` averages the two."""
    members: Annotated[int, Field(ge=1, le=16)] = 1
    """Number of encoders of speech, whose results are averaged. In training each row of a batch goes through
    one of them, so that more members need more steps."""
    pooling: Literal["gpo", "statistics"] = "gpo"
    """Pooling of steps into one vector: `gpo` is the released operator, behind a transformer layer in each
    head; `statistics` is attentive statistics, which cost a fraction and learn from hundreds of clips."""
    fixed_window: bool = False
    """Extend short input to a whole window with its last step, because pooling weights depend on length."""
    long: Literal["average", "first"] = "average"
    """Input longer than a window: average over windows, or use only the first one as the released demo."""
    classifier: bool = False
    """Add a classifier of emotions on the means."""
    anchors: bool = False
    """Keep a running mean of each emotion's motion, an anchor, from which `directed` sets an emotion."""
    moods: bool = False
    """Draw emotions by moods (`models/deeptalk/moods.py`): generators get a point between neutral and an
    anchor, never a point around the mean of speech. Needs classifier and anchors."""
    log_variance_start: Annotated[float, Field(ge=-50, le=50)] | None = None
    """Initial bias of the log-variances. The released code starts near 0, where variances of one exceed every
    distance between means; null does the same."""

    @model_validator(mode="after")
    def _check(self) -> DeeConfig:
        check_heads(self.heads, audio_width=self.audio_width, motion_width=self.motion_width)
        if self.fixed_window and isinstance(self.speech, Emotion2vecConfig):
            raise ValueError("fixed_window needs log-mel features: a repeated last sample is no speech")
        if self.speech_encoder != "transformer":
            if not (isinstance(self.speech, LogMelConfig) and self.speech.prosody):
                raise ValueError(f"speech_encoder {self.speech_encoder} needs log-mel features with prosody")
            if self.fixed_window:
                raise ValueError(
                    f"speech_encoder {self.speech_encoder} must not have a fixed_window: it repeats a step"
                )
        if self.moods and not (self.classifier and self.anchors):
            raise ValueError("moods needs classifier and anchors")
        return self
