"""EmoTalk at its published size. Its released code makes all frames at once, as ours does."""

from __future__ import annotations

import torch

from talkcli.engine.models.emotalk.emotalk import EmoTalk
from talkcli.engine.models.emotalk.emotalk_config import EmoTalkConfig
from talkcli.engine.pipelines.bench.contest import Contest

_ARKIT_CURVES = 52


def contest(seconds: float) -> Contest:  # noqa: ARG001  nothing but speech is heard
    """Return EmoTalk with 52 ARKit curves at 30 frames a second."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = EmoTalk(EmoTalkConfig(fps=30), _ARKIT_CURVES).eval()
    return Contest(model=model, sizes="3D-ETF, as published", ways={"default": model.generate})
