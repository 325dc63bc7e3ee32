"""The benchmark runs the real command on both numbers of processes, and compares what they wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from talkcli.engine.errors import TalkError
from talkcli.engine.pipelines.bench import preprocess as bench_preprocess
from talkcli.engine.types import Silent


def test_the_command_is_timed_on_one_process_and_on_two(tmp_path: Path) -> None:
    report = bench_preprocess.bench_preprocess(
        num_clips=3, num_workers=2, rounds=1, out=tmp_path / "report.json", reporter=Silent()
    )
    assert json.loads((tmp_path / "report.json").read_text()) == report
    one, two = (report["workers"][count]["seconds"] for count in ("1", "2"))
    assert report["times_faster"] == pytest.approx(one / two)


def test_clips_that_fail_are_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_damaged(folder: Path, num_clips: int) -> None:
        real(folder, num_clips)
        (folder / "clip0000.wav").write_bytes(b"damaged")

    real = bench_preprocess.write_clips
    monkeypatch.setattr(bench_preprocess, "write_clips", write_damaged)
    with pytest.raises(TalkError, match="left out 1"):
        bench_preprocess.bench_preprocess(num_clips=3, num_workers=2, rounds=1, out=None, reporter=Silent())
