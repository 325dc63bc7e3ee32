"""FLINT and EMOTE at a tiny size, with weights that let everything matter."""

from __future__ import annotations

import torch

from talkcli.engine.models.emote.emote import Emote
from talkcli.engine.models.emote.emote_config import EmoteConfig
from talkcli.engine.models.emote.flint import FlintConfig
from tests.engine.models.tiny_faceformer import TINY_WAV2VEC2

# The heads are those that the released code has built in.
TINY_FLINT = FlintConfig(width=16, heads=8, feedforward=22)


def tiny_config(**how: object) -> EmoteConfig:
    content = TINY_WAV2VEC2.model_copy(update={"normalise": "batch"})
    base = {"content": content, "prior": TINY_FLINT, "width": 12, "feedforward": 26, "identity": 3}
    return EmoteConfig.model_validate({**base, **how})


def tiny_emote(config: EmoteConfig | None = None, num_values: int = 53, seed: int = 0) -> Emote:
    """Build the model in evaluation mode, its weights drawn by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Emote(config or tiny_config(), num_values)
        torch.nn.init.normal_(model.narrow.weight, std=0.5)
        torch.nn.init.normal_(model.prior.projection.weight, std=0.5)
    return model.eval()
