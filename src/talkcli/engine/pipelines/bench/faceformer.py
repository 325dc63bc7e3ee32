"""Speed of FaceFormer at its published size for VOCASET, with random weights: the whole, and its loop alone.

Axis names: `batch`, `samples` (16 kHz), `frames` (30 fps), `width`.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from talkcli.engine.models.faceformer import FaceFormer, FaceFormerConfig
from talkcli.engine.nn.biased_decoder import causal_bias
from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.pipelines.bench.generator import babble
from talkcli.engine.pipelines.bench.networks import begin, compare_loops, seconds_of, vocaset_report
from talkcli.engine.types import Reporter

_NUM_VALUES = 3 * 5023
_FPS = 30
# Length of the loop that is compared, in frames.
_FRAMES = 500
_ROUNDS = 3


def bench_faceformer(
    *, seconds: float, threads: int | None, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Measure the speed, in times real time, at which speech becomes vertices, and the loop over frames
    against the published one, which decodes the whole sequence for every frame.

    Args:
        seconds: Duration of the sound in seconds.
        threads: Number of torch's threads; None keeps torch's own.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. `times_real_time` is the duration of the sound over the median time of the
        rounds. `loop` compares 500 frames from features to vertices (see `compare_loops`).
    """
    begin(out, threads)
    model = _published()
    samples = babble(seconds)
    rounds_s = []
    for done in range(_ROUNDS + 1):
        rounds_s.append(seconds_of(lambda: model.generate(samples))[0])
        reporter.progress("bench", done + 1, _ROUNDS + 2)
    memory = torch.randn(1, _FRAMES, model.config.width, generator=torch.Generator().manual_seed(0))
    style = model.style_of(torch.tensor([0]))
    with torch.inference_mode():
        loop = compare_loops(
            lambda: model.outward(model.unroll(memory, style)),
            lambda: decode_again(model, memory, style),
            frames=_FRAMES,
            rounds=_ROUNDS,
        )
    reporter.progress("bench", _ROUNDS + 2, _ROUNDS + 2)
    measured = {
        "rounds_s": rounds_s[1:],
        "times_real_time": seconds / statistics.median(rounds_s[1:]),
        "loop": loop,
    }
    return vocaset_report("faceformer", model, seconds=seconds, measured=measured, out=out)


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
