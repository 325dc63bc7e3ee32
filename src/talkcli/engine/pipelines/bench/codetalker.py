"""CodeTalker at its published size for VOCASET, and the published loop over frames.

Axis names: `batch`, `frames` (30 fps), `width`, `codes` of a frame, `values` of a face.
"""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from talkcli.engine.device import seeded
from talkcli.engine.models.codetalker.codetalker import CodeTalker, Feedback
from talkcli.engine.models.codetalker.config import CodeTalkerConfig
from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.pipelines.bench.contest import Comparison, Contest

_NUM_VALUES = 3 * 5023
_FPS = 30
# Length of the loop that is compared, in frames. The published one takes 8 s for these, and its cost grows
# with the square of their number.
_FRAMES = 60
_KINDS: tuple[Feedback, ...] = ("window", "parallel")


def contest(seconds: float) -> Contest:  # noqa: ARG001  the loop has one length
    """Return CodeTalker at its published size for VOCASET, with both ways for long speech. The published loop
    predicts and decodes the whole sequence for every frame.
    """
    model = _published()
    memory = torch.randn(1, _FRAMES, model.config.width, generator=seeded(0))
    style = model.style_of(torch.tensor([0]))
    return Contest(
        model=model,
        sizes="VOCASET, as published",
        ways={kind: partial(model.generate, feedback=kind) for kind in _KINDS},
        rounds=1,
        comparison=Comparison(
            what=f"the loop over {_FRAMES} frames",
            ours=lambda: model.decode(model.predict(memory, style, feedback="exact"), whole=True),
            published=lambda: decode_all_again(model, memory, style)[1],
            rounds=1,
        ),
    )


def decode_all_again(
    model: CodeTalker, memory: Float[Tensor, "1 positions width"], style: Float[Tensor, "1 width"]
) -> tuple[Int[Tensor, "1 frames codes"], Float[Tensor, "1 frames values"]]:
    """Return codes and offsets by the published loop: for every frame, predictor and decoder run over all
    frames so far, they all become vertices, and the last one is fed back.
    """
    config, prior = model.config, model.prior
    frames = memory.shape[1] // config.per_frame
    places = periodic_positions(frames, config.width, config.period).to(memory)
    inputs, offsets, codes = style[:, None], torch.empty(0), torch.empty(0, dtype=torch.long)
    for count in range(1, frames + 1):
        decoded = model.decoder(inputs + places[:count], memory[:, : count * config.per_frame])
        codes = prior.quantizer.nearest(prior.tokens(model.outward(decoded)))
        vectors = prior.quantizer.lookup(codes)
        if count == 1 and config.prior.positions == "none":
            # Twice, because torch's norm over time takes no single frame; numbered frames would differ.
            offsets = prior.decoder(prior.frames(vectors.repeat(1, 2, 1)))[:, :1]
        else:
            offsets = prior.decoder(prior.frames(vectors))
        inputs = torch.cat([inputs, (model.inward(offsets[:, -1]) + style)[:, None]], dim=1)
    return codes.unflatten(1, (frames, -1)), offsets


def _published() -> CodeTalker:
    """Return a network of the published size with random weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = CodeTalker(CodeTalkerConfig(fps=_FPS, period=_FPS), _NUM_VALUES)
        nn.init.normal_(model.outward.weight, std=0.1)
    return model.eval()
