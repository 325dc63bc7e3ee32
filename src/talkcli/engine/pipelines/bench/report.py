"""What the reports of all benchmarks share: the machine, the file, and rounds on two numbers of processes."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkcli.engine.cores import usable_cores
from talkcli.engine.errors import TalkError
from talkcli.engine.files import atomic_path
from talkcli.engine.lifetime import run_child
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__

# Packages whose versions a report states.
_PACKAGES = ("numpy", "numba", "torch", "pyrender", "PyOpenGL")
# A line on stderr, with seconds of the system's monotonic clock.
_FIRST_PICTURE = b"first picture at "
# talk, which also prints that line when its first picture was drawn and given to the encoder.
_WATCHED = f"""
import os, time
from talkcli.console import Console
progress, drawn = Console.progress, []
def watched(self, stage, done, total):
    if stage in ("video", "frames") and not drawn:
        drawn.append(os.write(2, b"{_FIRST_PICTURE.decode()}%f\\n" % time.monotonic()))
    progress(self, stage, done, total)
Console.progress = watched
from talkcli.__main__ import main
main()
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One run of a command of talk."""

    seconds: float
    """Wall-clock time from start to exit."""
    cpu_s: float
    """Time of processors that it and its processes took; other work on the machine hardly changes it."""
    stdout: bytes
    """What it printed."""
    first_picture_s: float | None = None
    """Wall-clock time from start until the first picture was drawn; None where that was not watched."""


def run_talk(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None, *, watched: bool = False
) -> Ran:
    """Run `talk` with `arguments`, by default in this process's environment.

    `watched`: also measure when the first picture is drawn. Raises TalkError when the command fails.
    """
    program = ["-c", _WATCHED] if watched else ["-m", "talkcli"]
    before, started_s = _children_cpu_s(), time.monotonic()
    ended = run_child([sys.executable, *program, *arguments], capture_output=True, env=environment)
    seconds = time.monotonic() - started_s
    if ended.returncode != 0:
        problem = ended.stderr.decode(errors="replace").strip()
        raise TalkError(f"talk {arguments[0]} failed: {problem}")
    said = [line for line in ended.stderr.splitlines() if line.startswith(_FIRST_PICTURE)]
    return Ran(
        seconds=seconds,
        cpu_s=_children_cpu_s() - before,
        stdout=ended.stdout,
        first_picture_s=float(said[0].removeprefix(_FIRST_PICTURE)) - started_s if said else None,
    )


def _children_cpu_s() -> float:
    used = os.times()
    return used.children_user + used.children_system


def compare_workers(
    bench: str,
    run: Callable[[Path, int], tuple[Ran, str]],
    *,
    few: Path,
    many: Path,
    num_few: int,
    num_clips: int,
    num_workers: int,
    rounds: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Run a command on 1 and on `num_workers` processes in turns, and compare the times.

    Rounds alternate between the two numbers of processes, so that other work on the machine slows both. Each
    round also runs the command on a few clips, which tells how long the processes take to start.

    Args:
        bench: Name of the benchmark, which is that of the command.
        run: Function that runs the command on the clips of a folder with a number of processes; it also
            returns a digest of the output.
        few: Folder of a few clips.
        many: Folder of all clips.
        num_few: Number of clips in `few`.
        num_clips: Number of clips in `many`.
        num_workers: Number of processes to compare with one.
        rounds: Number of rounds that count.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. The times of a number of processes are medians over the rounds: `seconds`
        of all clips, `cpu_s` of the processors meanwhile, `few_s` of the few clips. `times_faster` compares
        `seconds`, `times_faster_best` the fastest rounds, and `times_faster_started` the differences of
        `seconds` and `few_s`, which are nearly free of the start of the processes (None when `few` has all
        clips, or when the few clips took as long as all).

    Raises:
        TalkError: When the output depends on the number of processes.
    """
    counts = (1, num_workers)
    ran: dict[int, list[Ran]] = {count: [] for count in counts}
    few_s: dict[int, list[float]] = {count: [] for count in counts}
    digests = set()
    for _ in range(rounds):
        for count in counts:
            few_s[count].append(run(few, count)[0].seconds)
            found, digest = run(many, count)
            ran[count].append(found)
            digests.add(digest)
            reporter.progress("bench", sum(map(len, ran.values())), rounds * len(counts))
    if len(digests) != 1:
        raise TalkError(f"talk {bench} wrote different bytes on different numbers of processes.")
    workers: dict[int, dict[str, Any]] = {
        count: {
            "rounds_s": [one.seconds for one in runs],
            "seconds": statistics.median(one.seconds for one in runs),
            "cpu_s": statistics.median(one.cpu_s for one in runs),
            "few_s": statistics.median(few_s[count]),
        }
        for count, runs in ran.items()
    }
    one, several = workers[1], workers[num_workers]
    started_s = [times["seconds"] - times["few_s"] for times in (one, several)]
    told = num_few < num_clips and min(started_s) > 0
    return {
        "bench": bench,
        "talk": __version__,
        "clips": num_clips,
        "workers": {str(count): times for count, times in workers.items()},
        "clips_per_second": num_clips / several["seconds"],
        "times_faster": one["seconds"] / several["seconds"],
        "times_faster_best": min(one["rounds_s"]) / min(several["rounds_s"]),
        "times_faster_started": started_s[0] / started_s[1] if told else None,
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
