"""What benchmarks of networks share: start, times, our loop against the published one, and the report."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from talkcli.engine.files import check_file
from talkcli.engine.pipelines.bench.report import machine, write_report
from talkcli.engine.version import __version__


def begin(out: Path | None, threads: int | None) -> None:
    """Check the file of the report before anything is measured, and set the number of torch's threads."""
    if out is not None:
        check_file(out)
    if threads is not None:
        torch.set_num_threads(threads)


def seconds_of(work: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Return the wall-clock seconds that `work` takes, and what it returns."""
    started_s = time.perf_counter()
    made = work()
    return time.perf_counter() - started_s, made


def compare_loops(
    ours: Callable[[], Tensor], published: Callable[[], Tensor], *, frames: int, rounds: int
) -> dict[str, Any]:
    """Return the seconds of a loop over `frames`, ours (the median of `rounds`) and as published (once), how
    many times as fast ours is, and the largest difference of a value, relative to their standard deviation.
    """
    own = [seconds_of(ours) for _ in range(rounds)]
    their_s, theirs = seconds_of(published)
    own_s = statistics.median(each for each, _ in own)
    return {
        "frames": frames,
        "seconds": own_s,
        "published_seconds": their_s,
        "times_faster": their_s / own_s,
        "largest_difference": float((own[0][1] - theirs).abs().max() / theirs.std()),
    }


def vocaset_report(
    bench: str, model: nn.Module, *, seconds: float, measured: Mapping[str, Any], out: Path | None
) -> dict[str, Any]:
    """Return the report on a network of the size for VOCASET with random weights, and write it to `out`.

    Args:
        bench: Name of the benchmark.
        model: The network.
        seconds: Duration of the sound in seconds.
        measured: What was measured, by its names in the report.
        out: File for the report as JSON; None writes none.
    """
    report = {
        "bench": bench,
        "talk": __version__,
        "weights": "random numbers, published sizes for VOCASET",
        "parameters": sum(value.numel() for value in model.parameters()),
        "speech_s": seconds,
        "threads": torch.get_num_threads(),
        **measured,
        "machine": machine(),
    }
    write_report(report, out)
    return report
