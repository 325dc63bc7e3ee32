"""EmoTalks small enough for tests: the published network made narrow, and one on log-mel features."""

from __future__ import annotations

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.emotalk import LABELS
from talkcli.engine.models.emotalk.emotalk_config import EmoTalkConfig

_ENCODER = Wav2vec2Config(
    width=16, layers=2, heads=2, feedforward=24, channels=8, position_kernel=8, position_groups=4,
    layer_norm_first=True, frozen="convolutions",
)  # fmt: skip
_COMPACT = LogMelEncoderConfig(ear=LogMelConfig(num_mels=20), width=16, layers=1, heads=2, feedforward=16)
_SIZES = {"content_width": 12, "emotion_width": 8, "level_width": 2, "person_width": 2, "identity": 4}

# What the published model is.
NARROW = EmoTalkConfig(content=_ENCODER, emotion=_ENCODER, labels=LABELS, arkit=True, fps=30, **_SIZES)
# On log-mel features throughout.
SMALL = EmoTalkConfig(content=_COMPACT, emotion=_COMPACT, speakers=("a", "b"), **_SIZES)
