"""How fast speech becomes motion in this process: the released network and the embedded one, part by part.

Axis names: `samples` (16 kHz). The released network has random weights here, which are as fast as any others.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from talkcli.engine.checkpoints.model_file import default_weights, load_model
from talkcli.engine.device import seeded
from talkcli.engine.files import check_file
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.pipelines.bench.render import machine, write_report
from talkcli.engine.types import SPEECH_RATE_HZ, Reporter
from talkcli.engine.version import __version__

# Rounds alternate between the contestants, so that whatever else the machine does hits all of them.
_ROUNDS = 5


def bench_generator(
    *, seconds: float, threads: int | None, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Return times real time of sound to coefficients on the CPU, with `threads` of torch (None: all it
    takes).

    A rate is the median of the rounds, after one that warms up; `bf16_over_fp32` is the median of the rounds'
    own ratios. Of the released network, `parts` says which share of its time goes where, in fp32 and in bf16:
    `content` and `emotion` are its two encoders, `predictors` choose codes, `decoding` is all else of a take.
    Neither loading nor starting is counted. With `out`, the report is written there as JSON too.
    """
    if out is not None:
        check_file(out)
    if threads is not None:
        torch.set_num_threads(threads)
    samples = _babble(seconds)
    released = _released()
    embedded, _ = load_model(default_weights())
    contestants: dict[str, tuple[DeepTalk, bool]] = {
        "released_fp32": (released, False),
        "released_bf16": (released, True),
        "embedded_fp32": (embedded, False),
    }
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for done in range(_ROUNDS + 1):
        for name, (model, reduced) in contestants.items():
            with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
                rounds[name].append(_timed(model, samples))
        reporter.progress("bench", done + 1, _ROUNDS + 1)
    results: dict[str, Any] = {}
    for name, found in rounds.items():
        wholes_s = [parts["whole"] for parts in found[1:]]
        results[name] = {
            "rounds_s": wholes_s,
            "times_real_time": seconds / statistics.median(wholes_s),
            "parts": {
                part: statistics.median(parts[part] / parts["whole"] for parts in found[1:])
                for part in found[0]
                if part != "whole"
            },
        }
    pairs = zip(rounds["released_fp32"][1:], rounds["released_bf16"][1:], strict=True)
    report = {
        "bench": "generator",
        "talk": __version__,
        "weights": "released sizes: random numbers; embedded: its own",
        "parameters": sum(value.numel() for value in released.parameters()),
        "speech_s": seconds,
        "threads": torch.get_num_threads(),
        "results": results,
        "bf16_over_fp32": statistics.median(full["whole"] / half["whole"] for full, half in pairs),
        "machine": machine(),
    }
    write_report(report, out)
    return report


def _released() -> DeepTalk:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DeepTalk(DeepTalkConfig()).eval()


def _babble(seconds: float) -> torch.Tensor:
    """Return noise whose loudness comes and goes four times a second, as syllables do."""
    count = round(seconds * SPEECH_RATE_HZ)
    loudness = 0.5 - 0.5 * torch.cos(torch.arange(count) * (2 * torch.pi * 4 / SPEECH_RATE_HZ))
    return 0.1 * (loudness * torch.randn(count, generator=seeded(0)))[None]


def _timed(model: DeepTalk, samples: torch.Tensor) -> dict[str, float]:
    """Return seconds of one listening and one take, and of their parts."""
    spent: dict[str, float] = {"content": 0.0, "predictors": 0.0}
    with _counted(model.content, spent, "content"), contextlib.ExitStack() as stack:
        for predictor in model.predictors:
            stack.enter_context(_counted(predictor, spent, "predictors"))
        started_s = time.perf_counter()
        heard = model.listen(samples)
        listened_s = time.perf_counter()
        model.take(heard, sigma=0.1, tau_top=0.1, tau_bottom=0.1, generator=seeded(0))
        ended_s = time.perf_counter()
    return {
        "whole": ended_s - started_s,
        "content": spent["content"],
        "emotion": listened_s - started_s - spent["content"],
        "predictors": spent["predictors"],
        "decoding": ended_s - listened_s - spent["predictors"],
    }


@contextlib.contextmanager
def _counted(module: nn.Module, spent: dict[str, float], part: str) -> Iterator[None]:
    """Adds the seconds of every call of `module` to a part."""
    started_s: list[float] = []

    def stop(*_: object) -> None:
        spent[part] += time.perf_counter() - started_s.pop()

    start: Callable[..., None] = lambda *_: started_s.append(time.perf_counter())  # noqa: E731
    hooks = (module.register_forward_pre_hook(start), module.register_forward_hook(stop))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
