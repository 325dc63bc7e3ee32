"""Speed of `talk score` on one process and on several: the embedded model on generated clips."""

from __future__ import annotations

import hashlib
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from talkcli.engine.errors import TalkError
from talkcli.engine.files import check_file, temporary_folder
from talkcli.engine.lifetime import run_child
from talkcli.engine.pipelines.bench.preprocess import write_clips
from talkcli.engine.pipelines.bench.render import machine, write_report
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__


def bench_score(
    *, num_clips: int, num_workers: int, rounds: int, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Measure `talk score --audio FOLDER --no-cache` with 1 and with `num_workers` processes.

    The clips last 2 to 3 s each. Rounds alternate between the two numbers of processes, so that other work on
    the machine slows both.

    Args:
        num_clips: Number of clips.
        num_workers: Number of processes to compare with one.
        rounds: Number of rounds that count.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. Its seconds are wall-clock times of the command, from start to exit; the
        time of a number of processes is the median of its rounds.

    Raises:
        TalkError: When the command fails, or prints a report that depends on the number of processes.
    """
    if out is not None:
        check_file(out)
    counts = (1, num_workers)
    rounds_s: dict[int, list[float]] = {count: [] for count in counts}
    digests = set()
    with temporary_folder() as folder:
        clips = folder / "clips"
        write_clips(clips, num_clips)
        for done in range(rounds):
            for count in counts:
                seconds, digest = _run(clips, count)
                rounds_s[count].append(seconds)
                digests.add(digest)
            reporter.progress("bench", done + 1, rounds)
    if len(digests) != 1:
        raise TalkError("talk score printed different reports on different numbers of processes.")
    medians = {count: statistics.median(seconds) for count, seconds in rounds_s.items()}
    report = {
        "bench": "score",
        "talk": __version__,
        "clips": num_clips,
        "workers": {
            str(count): {"rounds_s": seconds, "seconds": medians[count]}
            for count, seconds in rounds_s.items()
        },
        "clips_per_second": num_clips / medians[num_workers],
        "times_faster": medians[1] / medians[num_workers],
        "machine": machine(),
    }
    write_report(report, out)
    return report


def _run(clips: Path, num_workers: int) -> tuple[float, str]:
    """Return the seconds of the command from start to exit, and the SHA-256 of its report."""
    options = ["--no-cache", "--workers", str(num_workers), "--quiet", "--json"]
    command = [sys.executable, "-m", "talkcli", "score", "--audio", str(clips), *options]
    started_s = time.perf_counter()
    ended = run_child(command, capture_output=True)
    seconds = time.perf_counter() - started_s
    if ended.returncode != 0:
        raise TalkError(f"talk score failed: {ended.stderr.decode(errors='replace').strip()}")
    return seconds, hashlib.sha256(ended.stdout).hexdigest()
