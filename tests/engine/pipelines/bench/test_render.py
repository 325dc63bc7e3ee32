"""The benchmark says what it measured, where, and why something was not measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.engine.audio.io import write_wav
from talkcli.engine.errors import DeviceError, InputError, TalkError
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.pipelines.bench import generator as bench_generator
from talkcli.engine.pipelines.bench import render as bench
from talkcli.engine.pipelines.bench.report import Ran
from talkcli.engine.render.renderer import Renderer, Scene
from talkcli.engine.render.shot import Size
from talkcli.engine.types import SPEECH_RATE_HZ, Silent, Speech
from tests.engine.models.deeptalk.tiny_deeptalk import NARROW
from tests.engine.render.shapes import BallHead


def test_a_renderer_that_does_not_run_is_reported_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bench.open_renderer

    def no_gl(name: str, scene: Scene, width: int, height: int) -> Renderer:
        if name == "pyrender":
            raise DeviceError("no EGL here")
        return real(name, scene, width, height)

    monkeypatch.setattr(bench, "open_renderer", no_gl)
    monkeypatch.setattr(bench, "load_head", lambda name: BallHead(12, 24))
    ran = iter((9.0, 3.0, 1.0, 2.0))

    def run(command: list[str], *, watched: bool) -> Ran:
        assert command[0] == "render" and watched
        seconds = next(ran)
        return Ran(seconds=seconds, cpu_s=2 * seconds, stdout=b"", first_picture_s=seconds / 4)

    monkeypatch.setattr(bench, "run_talk", run)
    out = tmp_path / "deep" / "render.json"
    report = bench.bench_render(head_name="ball", size=Size(32, 32), num_frames=6, out=out, reporter=Silent())
    assert json.loads(out.read_text()) == report
    assert report["renderers"]["pyrender"] == {"fps": None, "reason": "no EGL here"}
    assert report["software_over_pyrender"] is None
    rounds = report["renderers"]["software"]["rounds_fps"]
    assert len(rounds) == 3
    assert min(rounds) <= report["renderers"]["software"]["fps"] <= max(rounds)
    assert report["renderers"]["software"]["times_real_time"] == report["renderers"]["software"]["fps"] / 25
    command = {
        "first_s": 9.0,
        "rounds_s": [3.0, 1.0, 2.0],
        "seconds": 2.0,
        "first_picture_s": 0.5,
        "cpu_s": 4.0,
    }
    assert report["command"] == command
    assert report["machine"]["cores"] >= 1


def test_every_frame_of_the_measured_motion_is_another() -> None:
    motion = bench.moving_face(BallHead(), 50)
    assert motion.channels == BallHead.channels
    assert len({frame.tobytes() for frame in motion.coeffs}) == 50


def test_a_report_that_cannot_be_written_is_refused_before_measuring(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        bench.bench_render(
            head_name="no such head", size=Size(32, 32), num_frames=6, out=tmp_path, reporter=Silent()
        )


def test_the_whole_command_is_timed_and_reported(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", Speech(samples=np.zeros(SPEECH_RATE_HZ // 5, np.float32)))
    report = bench.bench_animate(
        tmp_path / "a.wav", size=Size(64, 64), out=tmp_path / "report.json", reporter=Silent()
    )
    assert report["speech_s"] == pytest.approx(0.2)
    assert report["seconds"] == sorted(report["rounds_s"])[1]
    assert 0 < report["first_picture_s"] < max(report["rounds_s"])
    assert report["cpu_s"] > 0
    assert report["times_real_time"] == pytest.approx(0.2 / report["seconds"])
    assert json.loads((tmp_path / "report.json").read_text()) == report


def test_a_failing_command_is_no_measurement(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", Speech(samples=np.zeros(SPEECH_RATE_HZ // 5, np.float32)))
    with pytest.raises(TalkError, match="even"):
        bench.bench_animate(tmp_path / "a.wav", size=Size(65, 65), out=None, reporter=Silent())


def test_the_generator_is_timed_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_generator, "_released", lambda: DeepTalk(NARROW).eval())
    threads = torch.get_num_threads()
    out = tmp_path / "generator.json"
    try:
        report = bench_generator.bench_generator(seconds=1.0, threads=1, out=out, reporter=Silent())
    finally:
        torch.set_num_threads(threads)
    assert json.loads(out.read_text()) == report
    assert report["threads"] == 1
    assert "random" in report["weights"]
    assert set(report["results"]) == {"released_fp32", "released_bf16", "embedded_fp32"}
    for result in report["results"].values():
        assert result["times_real_time"] == pytest.approx(1 / sorted(result["rounds_s"])[2])
        assert all(share > 0 for share in result["parts"].values())
        # Medians of shares, so they need not add up to all.
        assert 0.5 < sum(result["parts"].values()) < 1.5
    assert report["bf16_over_fp32"] > 0
