"""Sizes of the generator EMOTE, and its conditions: labels, intensities, persons.

Source: EMOTE (Daněček et al. 2023), facts H.6; the order of the labels is AffectNet's (facts A.1).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.models.content import ContentConfig
from talkcli.engine.models.emote.flint import FRAMES_PER_LATENT, FlintConfig
from talkcli.engine.types import Config, Dropout, Emotion, Heads, Layers, Width, check_heads
from talkcli.engine.wording import counted

# In the order of the one-hot code.
LABELS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
# Number of intensities, from MEAD's level 1 to level 3.
INTENSITIES = 3
# The label of the recordings that one without a place here counts as.
_STANDS_FOR = {"calm": "neutral"}

RELEASED_CONTENT = Wav2vec2Config(frozen="convolutions", normalise="batch")


class EmoteConfig(Config):
    """Sizes of the generator; the defaults are those of the released one."""

    content: ContentConfig = RELEASED_CONTENT
    """Speech encoder: wav2vec 2.0, or `phones` and `log_mel` of DEEPTalk, which are small."""
    prior: FlintConfig = FlintConfig()
    """Sizes of FLINT, whose decoder makes the motion; the part `prior` sets them."""
    width: Width = 128
    """Width of the features of the sound and of the conditions; the transformer has twice as many."""
    heads: Heads = 8
    """Number of attention heads."""
    layers: Layers = 1
    """Number of layers of the transformer."""
    feedforward: Width = 256
    """Width inside the feed-forward layers."""
    dropout: Dropout = 0.25
    """Dropout of the transformer and of the small speech encoders; wav2vec 2.0 has its own."""
    period: Annotated[int, Field(gt=0, le=1000)] = 30
    """Number of frames in which the bias of attention is constant."""
    identity: Width = 32
    """Largest number of persons: the width of their one-hot code."""
    window: Annotated[int, Field(gt=0, le=6000)] = 1200
    """Largest number of frames of one pass, a multiple of 8; longer speech is generated in windows."""
    overlap: Annotated[int, Field(gt=0, le=3000)] = 48
    """Number of frames that neighbouring windows share, for the cross-fade, a multiple of 8."""
    speakers: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Names of the persons in the order of their code; training sets them."""

    @property
    def nobody(self) -> bool:
        """Whether the model performs without a person; training always names one."""
        return False

    @model_validator(mode="after")
    def _check(self) -> EmoteConfig:
        check_heads(self.heads, **{"twice the width": 2 * self.width})
        if len(self.speakers) > self.identity:
            speakers = counted(len(self.speakers), "speaker")
            raise ValueError(f"identity {self.identity} has no room for {speakers}")
        if self.window % FRAMES_PER_LATENT or self.overlap % FRAMES_PER_LATENT:
            raise ValueError(
                f"window {self.window} and overlap {self.overlap} are no multiples of the "
                f"{FRAMES_PER_LATENT} frames of a latent"
            )
        if 2 * self.overlap > self.window:
            raise ValueError(f"overlap {self.overlap} is more than half of window {self.window}")
        return self


def condition(emotion: Emotion) -> tuple[int, int]:
    """Return the indices of label and intensity of an emotion.

    The intensities 1, 2 and 3 reach to the levels 1/3, 2/3 and 1, and neutral has the first alone, as in
    MEAD. Calm is neutral.
    """
    label = _STANDS_FOR.get(emotion.label, emotion.label)
    if label == "neutral":
        return LABELS.index(label), 0
    # The levels of data sets are rounded: 0.333 belongs to intensity 1.
    above = sum(emotion.level > step / INTENSITIES + 0.01 for step in range(1, INTENSITIES))
    return LABELS.index(label), above
