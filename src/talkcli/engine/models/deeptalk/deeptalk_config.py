"""Sizes and variants of the generator DEEPTalk (`models/deeptalk/deeptalk.py`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.models.content import ContentConfig
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.prior import PriorConfig
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from talkcli.engine.types import Config, Dropout, Heads, Layers, Width, WindowFrames, check_heads
from talkcli.engine.wording import counted


class DeepTalkConfig(Config):
    """Sizes of the generator; the defaults are those of the released model."""

    dee: DeeConfig = DeeConfig()
    prior: PriorConfig = ThVqvaeConfig()
    content: ContentConfig = Wav2vec2Config()
    """Settings of the content encoder."""
    width: Width = 128
    """Width of content and style; the feature transformer has twice as much."""
    heads: Heads = 8
    feedforward: Width = 256
    predictor_width: Width = 256
    predictor_layers: Layers = 6
    identity: Width = 32
    """Largest number of speakers: the width of the one-hot speaker code in the style."""
    dropout: Dropout = 0.1
    guess: bool = False
    """Add a direct regression of every frame, which skips the tokens; it helps training on little data."""
    jaw_gain: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    """Factor on the pitch of the jaw in takes, for spaces of coefficients that have a jaw. It is not part of
    training: it corrects a teacher, or an average over what is unsure, that opens the mouth too little."""
    speakers: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Names of the speakers in the order of the identity code; training sets them."""
    nobody: bool | None = None
    """Whether some training windows had no speaker; training sets it. Null in old files."""
    window: WindowFrames = 1200
    """Largest number of frames of one pass (the released masks end there); longer speech has such windows."""
    overlap: Annotated[int, Field(gt=0)] = 76
    """Number of frames that neighbouring windows share, for the cross-fade."""

    @model_validator(mode="after")
    def _check(self) -> DeepTalkConfig:
        check_heads(self.heads, **{"twice the width": 2 * self.width}, predictor_width=self.predictor_width)
        if len(self.speakers) > self.identity:
            speakers = counted(len(self.speakers), "speaker")
            raise ValueError(f"identity {self.identity} has no room for {speakers}")
        if 2 * self.overlap > self.window:
            raise ValueError(f"overlap {self.overlap} is more than half of window {self.window}")
        return self
