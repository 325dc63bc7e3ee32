"""A tiny EmoFace on an icosphere, with weights that make it move."""

from __future__ import annotations

from typing import Any

import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.face.spirals import spirals
from talkcli.engine.models.emoface.emoface import EmoFace
from talkcli.engine.models.emoface.emoface_config import EmoFaceConfig
from tests.engine.face.meshes import icosphere

EAR = LogMelConfig(num_mels=20)
ENCODER = LogMelEncoderConfig(ear=EAR, width=16, layers=1, heads=4, feedforward=16)


def tiny(subdivisions: int = 1, *, moves: bool = True, **settings: Any) -> EmoFace:
    """Build the model in evaluation mode; with `moves` its last layers are random and not zero."""
    faces, points = icosphere(subdivisions)
    torch.manual_seed(0)
    config = EmoFaceConfig(
        **{
            "content": ENCODER,
            "emotion": ENCODER,
            "width": 32,
            "feedforward": 32,
            "embedding": 4,
            "identity": 3,
            "period": 5,
            "spiral": {"length": 5, "dilation": 1, "span": 3},
            **settings,
        }
    )
    model = EmoFace(config, points.size).eval()
    model.neutral.copy_(torch.from_numpy(points * 0.1))
    table = spirals(faces, points, length=config.spiral.length, dilation=config.spiral.dilation)
    model.spirals.copy_(torch.from_numpy(table))
    if config.components is not None:
        rows = torch.linalg.qr(torch.randn(points.size, config.components)).Q.T
        model.components.copy_(rows)
        model.spreads.copy_(torch.linspace(1.0, 0.1, config.components))
    if moves:
        for branch in (model.content, model.emotion):
            torch.nn.init.normal_(branch.outward.weight, std=0.01)
    return model
