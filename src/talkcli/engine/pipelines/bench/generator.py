"""Speed of a generator, from speech to motion in this process: the released network and the embedded model.

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

from talkcli.engine.checkpoints.model_file import load_model, shipped_weights
from talkcli.engine.device import seeded
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.pipelines.bench.contest import Contest
from talkcli.engine.pipelines.bench.methods import babble, begin
from talkcli.engine.pipelines.bench.report import machine, write_report
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__

# Number of rounds that count, after one that warms up. Each round runs every contestant once, so that other
# work on the machine slows all of them.
_ROUNDS = 5


def bench_generator(
    *, seconds: float, threads: int | None, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Measure the speed, in times real time, at which each network turns sound into coefficients on the CPU.

    The time excludes loading and starting.

    Args:
        seconds: Duration of the sound in seconds.
        threads: Number of torch's threads; None keeps torch's own.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. `times_real_time` is the duration of the sound over the median time of the
        rounds. `parts` has the shares of that time: `content` and `emotion` are the two encoders,
        `predictors` choose codes, and `decoding` is the rest of a take. `bf16_over_fp32` is the speed of the
        released network in bf16 relative to fp32, the median of the rounds' ratios.
    """
    begin(out, threads)
    samples = babble(seconds)
    released = _released()
    embedded, _ = load_model(shipped_weights())
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


def contest(seconds: float) -> Contest:  # noqa: ARG001  nothing but speech is heard
    """Return DEEPTalk at its released size; no algorithm of its own is published to compare with."""
    model = _released()
    return Contest(
        model=model,
        sizes="MEAD, as released",
        ways={"default": lambda samples: model.generate(samples, sigma=0.1, generator=seeded(0))},
    )


def _released() -> DeepTalk:
    """Return a network of the released sizes with random weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DeepTalk(DeepTalkConfig()).eval()


def _timed(model: DeepTalk, samples: torch.Tensor) -> dict[str, float]:
    """Return the seconds that `listen` and one take need together, and those of their parts, by name."""
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
    """Add the seconds of every call of `module` inside the context to `spent[part]`."""
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
