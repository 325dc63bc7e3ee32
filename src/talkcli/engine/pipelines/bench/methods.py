"""Speed of one method's generator at its published size: `talk bench generator --method NAME`.

Axis names: `samples` (16 kHz).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.device import seeded
from talkcli.engine.errors import UsageError
from talkcli.engine.files import check_file
from talkcli.engine.methods import METHODS, resolve
from talkcli.engine.pipelines.bench.contest import Comparison, Contest
from talkcli.engine.pipelines.bench.report import machine, write_report
from talkcli.engine.types import SPEECH_RATE_HZ, Reporter
from talkcli.engine.version import __version__

# Name that stands for every method that has a contest.
ALL = "all"
_WARM_UP_S = 1.0


def benched() -> list[str]:
    """Return the names of the methods whose speed can be measured."""
    return [name for name, row in METHODS.items() if row.bench is not None]


def bench_methods(
    which: str, *, seconds: float, threads: int | None, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Measure the speed, in times real time, at which networks of published sizes turn speech into motion on
    the CPU, and their computation against the published one. The time excludes loading and starting.

    Args:
        which: Name of a method, or `ALL`.
        seconds: Duration of the sound in seconds.
        threads: Number of torch's threads; None keeps torch's own.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. `methods` has for each method its number of `parameters`, whose `sizes` it
        has, `times_real_time` per way (the duration of the sound over the median time of the rounds), and
        `comparison` (see `_compared`), which is None where nothing is published.

    Raises:
        UsageError: For a method that has no contest.
    """
    names = benched() if which == ALL else [which]
    if names[0] not in benched():
        raise UsageError(
            f"There is no benchmark of {which}.", hint=f"Methods: {', '.join(benched())}, or {ALL}."
        )
    begin(out, threads)
    samples = babble(seconds)
    results = {}
    for done, name in enumerate(names):
        contest: Contest = resolve(METHODS[name].bench or "")(seconds)
        results[name] = _held(contest, samples)
        reporter.progress("bench", done + 1, len(names))
    report = {
        "bench": "generator",
        "talk": __version__,
        "weights": "random numbers",
        "speech_s": seconds,
        "threads": torch.get_num_threads(),
        "methods": results,
        "machine": machine(),
    }
    write_report(report, out)
    return report


def begin(out: Path | None, threads: int | None) -> None:
    """Check the file of the report before anything is measured, and set the number of torch's threads."""
    if out is not None:
        check_file(out)
    if threads is not None:
        torch.set_num_threads(threads)


def babble(seconds: float) -> Float[Tensor, "1 samples"]:
    """Return noise at 16 kHz whose loudness rises and falls four times per second, as that of syllables."""
    count = round(seconds * SPEECH_RATE_HZ)
    loudness = 0.5 - 0.5 * torch.cos(torch.arange(count) * (2 * torch.pi * 4 / SPEECH_RATE_HZ))
    return 0.1 * (loudness * torch.randn(count, generator=seeded(0)))[None]


def _held(contest: Contest, samples: Float[Tensor, "1 samples"]) -> dict[str, Any]:
    """Return the results of one method."""
    seconds = samples.shape[1] / SPEECH_RATE_HZ
    brief = babble(_WARM_UP_S)
    rounds_s: dict[str, list[float]] = {way: [] for way in contest.ways}
    with torch.inference_mode():
        for make in contest.ways.values():
            make(brief)
        for _ in range(contest.rounds):
            for way, make in contest.ways.items():
                rounds_s[way].append(_timed(partial(make, samples))[0])
        comparison = None if contest.comparison is None else _compared(contest.comparison)
    return {
        "sizes": contest.sizes,
        "parameters": sum(value.numel() for value in contest.model.parameters()),
        "rounds_s": rounds_s,
        "times_real_time": {way: seconds / statistics.median(found) for way, found in rounds_s.items()},
        "comparison": comparison,
    }


def _compared(comparison: Comparison) -> dict[str, Any]:
    """Return the seconds of the work, ours (the median of the rounds) and as published, how many times as
    fast ours is, and the largest difference of a value, relative to their standard deviation.
    """
    own = [_timed(comparison.ours) for _ in range(comparison.rounds)]
    their_s, theirs = _timed(comparison.published)
    own_s = statistics.median(each for each, _ in own)
    return {
        "what": comparison.what,
        "seconds": own_s,
        "published_seconds": their_s,
        "times_faster": their_s / own_s,
        "largest_difference": float((own[0][1] - theirs).abs().max() / theirs.std()),
    }


def _timed(work: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Return the wall-clock seconds that `work` takes, and what it returns."""
    started_s = time.perf_counter()
    made = work()
    return time.perf_counter() - started_s, made
