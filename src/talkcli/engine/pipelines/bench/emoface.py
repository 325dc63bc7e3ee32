"""EmoFace with two large wav2vec 2.0 on a mesh of FLAME's size; none of its code is published."""

from __future__ import annotations

import torch

from talkcli.engine.models.emoface.emoface import EmoFace
from talkcli.engine.models.emoface.emoface_config import EmoFaceConfig
from talkcli.engine.pipelines.bench.contest import Contest

_VERTS = 5023


def contest(seconds: float) -> Contest:  # noqa: ARG001  nothing but speech is heard
    """Return EmoFace; the next vertices by number stand in for spirals, which take the same time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = EmoFace(EmoFaceConfig(), 3 * _VERTS).eval()
    reach = torch.arange(model.config.spiral.length, dtype=torch.int32)
    model.spirals.copy_((torch.arange(_VERTS, dtype=torch.int32)[:, None] + reach) % _VERTS)
    return Contest(
        model=model, sizes="VOCASET, ours: the paper states none", ways={"default": model.generate}
    )
