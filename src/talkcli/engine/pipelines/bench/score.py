"""Speed of `talk score` on one process and on several: the embedded model on generated clips."""

from __future__ import annotations

import hashlib
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from talkcli.engine.errors import TalkError
from talkcli.engine.files import check_file, temporary_folder
from talkcli.engine.lifetime import run_child
from talkcli.engine.pipelines.bench.preprocess import write_clips
from talkcli.engine.pipelines.bench.report import compare_workers, write_report
from talkcli.engine.types import Reporter


def bench_score(
    *, num_clips: int, num_workers: int, rounds: int, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Measure `talk score --audio FOLDER --no-cache` with 1 and with `num_workers` processes.

    The clips last 2 to 3 s each.

    Args:
        num_clips: Number of clips.
        num_workers: Number of processes to compare with one.
        rounds: Number of rounds that count.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report of `compare_workers`.

    Raises:
        TalkError: When the command fails, or prints a report that depends on the number of processes.
    """
    if out is not None:
        check_file(out)
    with temporary_folder() as folder:
        clips = folder / "clips"
        write_clips(clips, num_clips)
        report = compare_workers(
            "score",
            partial(_run, clips),
            num_clips=num_clips,
            num_workers=num_workers,
            rounds=rounds,
            reporter=reporter,
        )
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
