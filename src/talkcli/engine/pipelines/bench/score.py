"""Speed of `talk score` on one process and on several: the embedded model on generated clips."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from talkcli.engine.files import check_file, temporary_folder
from talkcli.engine.pipelines.bench.preprocess import write_clips
from talkcli.engine.pipelines.bench.report import Ran, compare_workers, run_talk, write_report
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
        few, many = folder / "few", folder / "many"
        write_clips(few, min(num_clips, num_workers))
        write_clips(many, num_clips)
        report = compare_workers(
            "score",
            _run,
            few=few,
            many=many,
            num_few=min(num_clips, num_workers),
            num_clips=num_clips,
            num_workers=num_workers,
            rounds=rounds,
            reporter=reporter,
        )
    write_report(report, out)
    return report


def _run(clips: Path, num_workers: int) -> tuple[Ran, str]:
    """Run the command once; also return the SHA-256 of its report."""
    options = ["--no-cache", "--workers", str(num_workers), "--quiet", "--json"]
    ran = run_talk(["score", "--audio", str(clips), *options])
    return ran, hashlib.sha256(ran.stdout).hexdigest()
