"""FaceFormer at its published size for VOCASET, and the published loop over frames.

Axis names: `batch`, `frames` (30 fps), `width`, `values` of a face.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from talkcli.engine.device import seeded
from talkcli.engine.models.faceformer import FaceFormer, FaceFormerConfig
from talkcli.engine.nn.biased_decoder import causal_bias
from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.pipelines.bench.contest import Comparison, Contest

_NUM_VALUES = 3 * 5023
_FPS = 30
# Length of the loop that is compared, in frames.
_FRAMES = 500


def contest(seconds: float) -> Contest:  # noqa: ARG001  the loop has one length
    """Return FaceFormer at its published size for VOCASET. The published loop decodes the whole sequence for
    every frame.
    """
    model = _published()
    memory = torch.randn(1, _FRAMES, model.config.width, generator=seeded(0))
    style = model.style_of(torch.tensor([0]))
    return Contest(
        model=model,
        sizes="VOCASET, as published",
        ways={"default": model.generate},
        comparison=Comparison(
            what=f"the loop over {_FRAMES} frames",
            ours=lambda: model.outward(model.unroll(memory, style)),
            published=lambda: decode_again(model, memory, style),
        ),
    )


def decode_again(
    model: FaceFormer, memory: Float[Tensor, "1 frames width"], style: Float[Tensor, "1 width"]
) -> Float[Tensor, "1 frames values"]:
    """Return the offsets by the published loop: for every frame, torch's decoder decodes all frames so far,
    they all become vertices, and the last one is fed back. It has one position of sound a frame.
    """
    config = model.config
    layer = nn.TransformerDecoderLayer(
        config.width, config.heads, config.feedforward, config.dropout, batch_first=True
    )
    decoder = nn.TransformerDecoder(layer, config.layers).to(memory).eval()
    decoder.load_state_dict(model.decoder.state_dict())
    frames = memory.shape[1]
    bias = causal_bias(config.heads, frames, config.period).to(memory)
    elsewhere = ~torch.eye(frames, dtype=torch.bool)
    places = periodic_positions(frames, config.width, config.period).to(memory)
    inputs, offsets = style[:, None], memory.new_empty(0)
    for count in range(1, frames + 1):
        decoded = decoder(
            inputs + places[:count],
            memory,
            tgt_mask=bias[:, :count, :count],
            memory_mask=elsewhere[:count],
        )
        offsets = model.outward(decoded)
        inputs = torch.cat([inputs, (model.inward(offsets[:, -1]) + style)[:, None]], dim=1)
    return offsets


def _published() -> FaceFormer:
    """Return a network of the published size with random weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = FaceFormer(FaceFormerConfig(fps=_FPS, period=_FPS), _NUM_VALUES)
        nn.init.normal_(model.outward.weight, std=0.1)
    return model.eval()
