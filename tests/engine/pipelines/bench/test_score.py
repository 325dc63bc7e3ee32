"""The rounds on two numbers of processes, and the real command on a few clips."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from talkcli.engine.errors import TalkError
from talkcli.engine.pipelines.bench.report import compare_workers
from talkcli.engine.pipelines.bench.score import bench_score
from talkcli.engine.types import Silent


def test_rounds_alternate_and_medians_are_compared() -> None:
    asked = []
    seconds = iter([8.0, 5.0, 9.0, 3.0, 30.0, 4.0])

    def run(count: int) -> tuple[float, str]:
        asked.append(count)
        return next(seconds), "same"

    report = compare_workers("score", run, num_clips=12, num_workers=3, rounds=3, reporter=Silent())
    assert asked == [1, 3] * 3
    assert report["workers"]["1"] == {"rounds_s": [8.0, 9.0, 30.0], "seconds": 9.0}
    assert (report["times_faster"], report["times_faster_best"]) == (9 / 4, 8 / 3)
    assert report["clips_per_second"] == 3


def test_output_that_depends_on_the_processes_is_no_result() -> None:
    with pytest.raises(TalkError, match="different bytes"):
        compare_workers(
            "score", lambda count: (1.0, str(count)), num_clips=1, num_workers=2, rounds=1, reporter=Silent()
        )


def test_the_command_scores_generated_clips(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    report = bench_score(num_clips=2, num_workers=2, rounds=1, out=out, reporter=Silent())
    assert json.loads(out.read_text()) == report
    assert (report["bench"], report["clips"], list(report["workers"])) == ("score", 2, ["1", "2"])
