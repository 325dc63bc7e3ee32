"""MeshTalk at its published size, and its published algorithm, which runs the context model on all frames for
every class.

Axis names: `samples` (16 kHz), `frames` (30 fps), `width`, `heads`, `values` of a face.
"""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from talkcli.engine.device import seeded
from talkcli.engine.models.meshtalk.config import LatentConfig, MeshTalkConfig
from talkcli.engine.models.meshtalk.latent import one_hot
from talkcli.engine.models.meshtalk.meshtalk import MeshTalk
from talkcli.engine.pipelines.bench.contest import Comparison, Contest

_NUM_VALUES = 3 * 6172
# Length of the loop that is compared, in frames; the cost of the published one grows with the square.
_FRAMES = 60


def contest(seconds: float) -> Contest:  # noqa: ARG001  the loop has one length
    """Return MeshTalk at its published size. The published loop gives the context model all frames so far for
    every class that it draws.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MeshTalk(MeshTalkConfig(latent=LatentConfig(fps=30)), _NUM_VALUES).eval()
    speech = torch.randn(1, _FRAMES, model.config.latent.width, generator=seeded(0))

    def values(labels: Int[Tensor, "1 frames heads"]) -> Float[Tensor, "1 frames codes"]:
        return one_hot(labels, model.config.latent.classes).float()

    return Contest(
        model=model,
        sizes="6,172 vertices, as published",
        ways={"default": partial(model.generate, generator=seeded(0))},
        comparison=Comparison(
            what=f"drawing the classes of {_FRAMES} frames",
            ours=lambda: values(model.context.sample(speech, temperature=0.0)),
            published=lambda: values(class_by_class(model, speech)),
        ),
    )


@torch.inference_mode()
def class_by_class(model: MeshTalk, speech: Float[Tensor, "1 frames width"]) -> Int[Tensor, "1 frames heads"]:
    """Return the most probable classes by the published loop: for each, the model on all frames so far."""
    latent = model.config.latent
    labels = torch.zeros(1, 0, latent.heads, dtype=torch.long)
    for frame in range(speech.shape[1]):
        labels = torch.cat([labels, torch.zeros(1, 1, latent.heads, dtype=torch.long)], dim=1)
        for head in range(latent.heads):
            codes = one_hot(labels, latent.classes).float()
            logs = model.context(codes, speech[:, : frame + 1])
            labels[:, frame, head] = logs[:, frame, head].argmax(-1)
    return labels
