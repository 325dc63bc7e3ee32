"""What the reports of all benchmarks share: the machine, the file, and rounds on two numbers of processes."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from talkcli.engine.device import usable_cores
from talkcli.engine.errors import TalkError
from talkcli.engine.files import atomic_path
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__

# Packages whose versions a report states.
_PACKAGES = ("numpy", "numba", "torch", "pyrender", "PyOpenGL")


def compare_workers(
    bench: str,
    run: Callable[[int], tuple[float, str]],
    *,
    num_clips: int,
    num_workers: int,
    rounds: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Run a command on 1 and on `num_workers` processes in turns, and compare the times.

    Rounds alternate between the two numbers of processes, so that other work on the machine slows both.

    Args:
        bench: Name of the benchmark, which is that of the command.
        run: Function that runs the command on a number of processes; it returns the wall-clock seconds from
            start to exit, and a digest of the output.
        num_clips: Number of clips that the command works on.
        num_workers: Number of processes to compare with one.
        rounds: Number of rounds that count.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. The time of a number of processes is the median of its rounds.
        `times_faster` compares these medians, `times_faster_best` the fastest rounds.

    Raises:
        TalkError: When the output depends on the number of processes.
    """
    counts = (1, num_workers)
    rounds_s: dict[int, list[float]] = {count: [] for count in counts}
    digests = set()
    for done in range(rounds):
        for count in counts:
            seconds, digest = run(count)
            rounds_s[count].append(seconds)
            digests.add(digest)
        reporter.progress("bench", done + 1, rounds)
    if len(digests) != 1:
        raise TalkError(f"talk {bench} wrote different bytes on different numbers of processes.")
    medians = {count: statistics.median(seconds) for count, seconds in rounds_s.items()}
    return {
        "bench": bench,
        "talk": __version__,
        "clips": num_clips,
        "workers": {
            str(count): {"rounds_s": seconds, "seconds": medians[count]}
            for count, seconds in rounds_s.items()
        },
        "clips_per_second": num_clips / medians[num_workers],
        "times_faster": medians[1] / medians[num_workers],
        "times_faster_best": min(rounds_s[1]) / min(rounds_s[num_workers]),
        "machine": machine(),
    }


def write_report(report: dict[str, Any], out: Path | None) -> None:
    """Write `report` to `out` as JSON, if `out` is given."""
    if out is not None:
        with atomic_path(out) as temporary:
            temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Return the description of the machine for a report: processor, cores, system, load, versions, date."""
    versions = {}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "cpu": _cpu_name(),
        "cores": usable_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        # The mean number of processes that wanted to run in the last minute: other work slows a measurement.
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": versions,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _cpu_name() -> str:
    """Return the name of the processor, from Linux's list if there is one."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
