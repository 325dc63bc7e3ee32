"""FaceFormer at a tiny size, with weights that let everything matter."""

from __future__ import annotations

import torch

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.models.faceformer import FaceFormer, FaceFormerConfig

# Every width another number; the heads are those that a converter reads off the shapes.
TINY_WAV2VEC2 = Wav2vec2Config(
    width=20,
    layers=2,
    heads=1,
    feedforward=34,
    channels=7,
    position_kernel=9,
    position_groups=4,
    frozen="convolutions",
    layer_drop=0.0,
)


def tiny_config(**how: object) -> FaceFormerConfig:
    base = {"content": TINY_WAV2VEC2, "width": 16, "feedforward": 24, "identity": 3, "period": 4}
    return FaceFormerConfig(**{**base, **how})  # type: ignore[arg-type]


def tiny_faceformer(
    config: FaceFormerConfig | None = None, num_values: int = 30, seed: int = 0
) -> FaceFormer:
    """Build the model in evaluation mode, its weights drawn by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FaceFormer(config or tiny_config(), num_values)
        torch.nn.init.normal_(model.outward.weight, std=0.3)
        torch.nn.init.normal_(model.outward.bias, std=0.3)
        if model.neutral is not None:
            model.neutral.normal_()
    return model.eval()
