"""FaceDiffuser at a tiny size, with weights that let everything matter."""

from __future__ import annotations

import torch

from talkcli.engine.models.facediffuser.config import FaceDiffuserConfig
from talkcli.engine.models.facediffuser.facediffuser import FaceDiffuser
from tests.engine.models.tiny_faceformer import TINY_WAV2VEC2

TINY_HUBERT = TINY_WAV2VEC2.model_copy(update={"frozen_layers": 2})


def tiny_config(**how: object) -> FaceDiffuserConfig:
    base = {"content": TINY_HUBERT, "width": 16, "times": 37, "identity": 3}
    return FaceDiffuserConfig(**{**base, **how})  # type: ignore[arg-type]


def tiny_facediffuser(
    config: FaceDiffuserConfig | None = None, num_values: int = 30, seed: int = 0
) -> FaceDiffuser:
    """Build the model in evaluation mode, its weights drawn by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FaceDiffuser(config or tiny_config(), num_values)
        torch.nn.init.normal_(model.outward.weight, std=0.3)
        torch.nn.init.normal_(model.outward.bias, std=0.3)
        if model.neutral is not None:
            model.neutral.normal_()
    return model.eval()
