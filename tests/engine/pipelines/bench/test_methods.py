"""`talk bench generator --method`: what a contest is timed for, and that it compares equal work."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from talkcli.engine.errors import UsageError
from talkcli.engine.pipelines.bench import methods as bench
from talkcli.engine.pipelines.bench.contest import Comparison, Contest
from talkcli.engine.types import Silent

TRUTH = torch.tensor([0.0, 2.0])


def work(value: Tensor, *, pause_s: float = 0.0) -> Tensor:
    time.sleep(pause_s)
    return value


def contest(seconds: float) -> Contest:
    assert seconds == 0.5
    return Contest(
        model=nn.Linear(3, 4),
        sizes="a toy",
        ways={"quick": work, "slow": lambda samples: work(samples, pause_s=0.05)},
        comparison=Comparison(
            what="a pause", ours=lambda: work(TRUTH + 0.5), published=lambda: work(TRUTH, pause_s=0.05)
        ),
    )


def test_ways_and_the_published_algorithm_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "resolve", lambda target: contest)
    out = tmp_path / "methods.json"
    report = bench.bench_methods("faceformer", seconds=0.5, threads=None, out=out, reporter=Silent())
    assert json.loads(out.read_text()) == report
    result = report["methods"]["faceformer"]
    assert (result["parameters"], result["sizes"]) == (16, "a toy")
    assert result["times_real_time"]["slow"] == pytest.approx(0.5 / sorted(result["rounds_s"]["slow"])[1])
    assert result["times_real_time"]["quick"] > result["times_real_time"]["slow"]
    assert result["times_real_time"]["slow"] < 10
    compared = result["comparison"]
    assert compared["published_seconds"] >= 0.05
    assert compared["times_faster"] == pytest.approx(compared["published_seconds"] / compared["seconds"])
    # 0.5 of the published values' standard deviation, which is the square root of 2.
    assert compared["largest_difference"] == pytest.approx(0.5 / 2**0.5)


def test_every_method_with_a_contest_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "resolve", lambda target: contest)
    report = bench.bench_methods(bench.ALL, seconds=0.5, threads=None, out=None, reporter=Silent())
    assert list(report["methods"]) == bench.benched()


def test_a_method_that_makes_no_motion_has_none() -> None:
    with pytest.raises(UsageError, match="no benchmark of dee") as caught:
        bench.bench_methods("dee", seconds=0.5, threads=None, out=None, reporter=Silent())
    assert "faceformer" in str(caught.value.hint)
