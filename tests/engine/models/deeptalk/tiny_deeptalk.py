"""Generators small enough for tests: the released network made narrow, and the one on log-mel features."""

from __future__ import annotations

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.models.deeptalk.dee_config import CoefficientsConfig, DeeConfig
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig

PRIOR = ThVqvaeConfig(width=8, heads=2, feedforward=8, decoder_feedforward=8, codes=12)
_EAR = LogMelConfig(num_mels=20)
_DEE = DeeConfig(
    audio_width=8, audio_layers=1, motion_width=8, motion_layers=1, heads=2, feedforward=8, embedding=6
)
_SIZES = {
    "prior": PRIOR,
    "width": 8,
    "heads": 2,
    "feedforward": 8,
    "predictor_width": 8,
    "predictor_layers": 1,
    "identity": 4,
    "speakers": ("a", "b"),
}

# On log-mel features throughout.
SMALL = DeepTalkConfig(
    dee=_DEE.model_copy(
        update={"speech": _EAR, "expression": CoefficientsConfig(), "window": 16, "fixed_window": True}
    ),
    content=LogMelEncoderConfig(ear=_EAR, width=8, layers=1, heads=2, feedforward=8),
    guess=True,
    window=40,
    overlap=8,
    **_SIZES,
)

# What the published model is.
NARROW = DeepTalkConfig(
    dee=_DEE.model_copy(
        update={
            "speech": Emotion2vecConfig(
                width=8, channels=8, prenet=1, depth=3, heads=2, feedforward=8, positions=1,
                position_groups=2, frozen_blocks=2,
            ),
            "expression": FerConfig(hidden=(6, 5), feature_layer=1),
        }
    ),
    content=Wav2vec2Config(
        width=8, layers=2, heads=2, feedforward=8, channels=8, position_kernel=4, position_groups=2,
        frozen="convolutions",
    ),
    **_SIZES,
)  # fmt: skip
