"""The rounds on two numbers of processes, and the real command on a few clips."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talkcli.engine.errors import TalkError
from talkcli.engine.pipelines.bench.report import Ran, compare_workers, run_talk
from talkcli.engine.pipelines.bench.score import bench_score
from talkcli.engine.types import Silent
from tests.engine.fakes import Told

FEW, MANY = Path("few"), Path("many")


def compared(
    run: Callable[[Path, int], tuple[Ran, str]], rounds: int, told: Told, num_few: int = 3
) -> dict[str, Any]:
    return compare_workers(
        "score",
        run,
        few=FEW,
        many=MANY,
        num_few=num_few,
        num_clips=12,
        num_workers=3,
        rounds=rounds,
        reporter=told,
    )


def test_rounds_alternate_and_medians_are_compared() -> None:
    asked, told = [], Told()
    seconds = iter([8.0, 5.0, 9.0, 3.0, 30.0, 4.0])

    def run(folder: Path, count: int) -> tuple[Ran, str]:
        asked.append((folder, count))
        time_s = next(seconds) if folder == MANY else 2.0 + (count == 1)
        return Ran(seconds=time_s, cpu_s=10 * time_s, stdout=b""), "same"

    report = compared(run, 3, told)
    assert asked == [(FEW, 1), (MANY, 1), (FEW, 3), (MANY, 3)] * 3
    times = {"rounds_s": [8.0, 9.0, 30.0], "seconds": 9.0, "cpu_s": 90.0, "few_s": 3.0}
    assert report["workers"]["1"] == times
    assert (report["times_faster"], report["times_faster_best"]) == (9 / 4, 8 / 3)
    # Without the start, 6 s against 2 s.
    assert report["times_faster_started"] == 3
    assert report["clips_per_second"] == 3
    assert told.steps == [("bench", done, 6) for done in range(1, 7)]


def test_the_speed_without_the_start_is_unknown_where_the_few_clips_tell_nothing() -> None:
    def report(several_few_s: float, num_few: int = 3) -> dict[str, Any]:
        def run(folder: Path, count: int) -> tuple[Ran, str]:
            seconds = 3.0 if folder == MANY else 2.0 if count == 1 else several_few_s
            return Ran(seconds=seconds, cpu_s=1.0, stdout=b""), ""

        return compared(run, 1, Told(), num_few)

    assert report(2.0)["times_faster_started"] == 1
    assert report(2.0, num_few=12)["times_faster_started"] is None
    assert report(3.5)["times_faster_started"] is None


def test_output_that_depends_on_the_processes_is_no_result() -> None:
    with pytest.raises(TalkError, match="different bytes"):
        compared(lambda _, count: (Ran(seconds=1.0, cpu_s=1.0, stdout=b""), str(count)), 1, Told())


def test_a_command_that_fails_is_no_result() -> None:
    with pytest.raises(TalkError, match=r"talk score failed: .*no-such-folder"):
        run_talk(["score", "--audio", "no-such-folder"])


def test_a_run_tells_the_time_of_processors() -> None:
    ran = run_talk(["--version"])
    assert b"talk" in ran.stdout
    assert ran.seconds > 0 and ran.cpu_s > 0


def test_the_command_scores_generated_clips(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    report = bench_score(num_clips=2, num_workers=2, rounds=1, out=out, reporter=Silent())
    assert json.loads(out.read_text()) == report
    assert (report["bench"], report["clips"], list(report["workers"])) == ("score", 2, ["1", "2"])
