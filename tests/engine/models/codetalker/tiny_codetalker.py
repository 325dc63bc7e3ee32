"""CodeTalker at a tiny size, with weights that let everything matter."""

from __future__ import annotations

import torch

from talkcli.engine.models.codetalker.autoencoder import CodeTalkerVqConfig
from talkcli.engine.models.codetalker.codetalker import CodeTalker
from talkcli.engine.models.codetalker.config import CodeTalkerConfig
from tests.engine.models.tiny_faceformer import TINY_WAV2VEC2

TINY_VQ = CodeTalkerVqConfig(width=16, layers=2, heads=8, feedforward=24, codes=64, codes_per_frame=4)


def tiny_config(**how: object) -> CodeTalkerConfig:
    base = {"content": TINY_WAV2VEC2, "width": 12, "layers": 2, "feedforward": 24, "identity": 3}
    return CodeTalkerConfig.model_validate({"prior": TINY_VQ, "period": 30, **base, **how})


def tiny_codetalker(
    config: CodeTalkerConfig | None = None, num_values: int = 30, seed: int = 0
) -> CodeTalker:
    """Build the model in evaluation mode, its weights drawn by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CodeTalker(config or tiny_config(), num_values)
        torch.nn.init.normal_(model.outward.weight, std=0.5)
        torch.nn.init.normal_(model.prior.quantizer.codes)
        torch.nn.init.normal_(model.inward.weight, std=0.5)
        if model.neutral is not None:
            model.neutral.normal_()
    return model.eval()
