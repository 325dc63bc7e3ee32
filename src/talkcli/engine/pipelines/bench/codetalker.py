"""Speed of CodeTalker at its published size for VOCASET, with random weights: the whole, and its loop alone.

Axis names: `batch`, `frames` (30 fps), `width`, `codes` of a frame, `values` of a face.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from talkcli.engine.models.codetalker.codetalker import CodeTalker, Feedback
from talkcli.engine.models.codetalker.config import CodeTalkerConfig
from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.pipelines.bench.generator import babble
from talkcli.engine.pipelines.bench.networks import begin, compare_loops, seconds_of, vocaset_report
from talkcli.engine.types import Reporter

_NUM_VALUES = 3 * 5023
_FPS = 30
# Length of the loop that is compared, in frames. The published one takes 8 s for these, and its cost grows
# with the square of their number.
_FRAMES = 60
_KINDS: tuple[Feedback, ...] = ("window", "parallel")


def bench_codetalker(
    *, seconds: float, threads: int | None, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Measure the speed, in times real time, at which speech becomes vertices, with either way for long
    speech, and the exact loop over frames against the published one.

    Args:
        seconds: Duration of the sound in seconds.
        threads: Number of torch's threads; None keeps torch's own.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. `times_real_time` is, per way, the duration of the sound over the time of
        one round. `loop` compares the codes' faces (see `compare_loops`).
    """
    begin(out, threads)
    model = _published()
    steps = len(_KINDS) + 2
    model.generate(babble(1.0))
    reporter.progress("bench", 1, steps)
    samples, taken_s = babble(seconds), {}
    for kind in _KINDS:
        taken_s[kind], _ = seconds_of(partial(model.generate, samples, feedback=kind))
        reporter.progress("bench", len(taken_s) + 1, steps)
    memory = torch.randn(1, _FRAMES, model.config.width, generator=torch.Generator().manual_seed(0))
    style = model.style_of(torch.tensor([0]))
    with torch.inference_mode():
        loop = compare_loops(
            lambda: model.decode(model.predict(memory, style, feedback="exact"), whole=True),
            lambda: decode_all_again(model, memory, style)[1],
            frames=_FRAMES,
            rounds=1,
        )
    reporter.progress("bench", steps, steps)
    measured = {
        "seconds": taken_s,
        "times_real_time": {kind: seconds / each_s for kind, each_s in taken_s.items()},
        "loop": loop,
    }
    return vocaset_report("codetalker", model, seconds=seconds, measured=measured, out=out)


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
