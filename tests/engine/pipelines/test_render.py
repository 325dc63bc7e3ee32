"""Motion file in, video or frames out: what is written, what is refused, and that refusals come first."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.face import surface
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.pipelines.export import export_motion_file
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import Motion, Silent
from tests.engine.fakes import Told
from tests.engine.render.shapes import BallHead


@pytest.fixture
def motion_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(surface, "load_head", lambda name: BallHead(12, 24))
    coeffs = np.random.default_rng(0).uniform(0, 1, (20, 2)).astype(np.float32)
    motion = Motion(coeffs=coeffs, fps=25.0, head="ball", channels=BallHead.channels)
    write_motion(tmp_path / "motion.npz", motion, {"seed": 11})
    return tmp_path / "motion.npz"


def _render(path: Path, out: Path, **options: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "sound": None,
        "head_name": None,
        "shot": Shot(size=Size(64, 64)),
        "fps": None,
        "renderer": "software",
        "overwrite": False,
        "reporter": Silent(),
    }
    return export_motion_file(path, [out], drawn=True, **{**defaults, **options})


def _duration_s(path: Path) -> tuple[float, str]:
    log = subprocess.run([ffmpeg_binary(), "-i", str(path)], capture_output=True, check=False).stderr.decode()
    hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", log).groups()  # type: ignore[union-attr]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds), log


def test_a_video_has_the_motions_length_rate_and_origin(motion_path: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "speech.wav", np.full(16_000 * 3, 0.1), 16_000)
    heard = Told()
    report = _render(motion_path, tmp_path / "x.mp4", sound=tmp_path / "speech.wav", reporter=heard)
    duration_s, log = _duration_s(tmp_path / "x.mp4")
    assert abs(duration_s - 0.8) <= 0.04
    assert "25 fps" in log
    assert "64x64" in log
    comment = json.loads(re.search(r"comment\s*: (.*)", log).group(1))  # type: ignore[union-attr]
    assert comment["motion"] == {"seed": 11}
    assert comment["motion_sha256"] == report["motion_sha256"]
    assert "3.00 s" in heard.notes[0]
    assert heard.steps[-1] == ("video", 20, 20)


def test_frames_at_another_rate_and_view(motion_path: Path, tmp_path: Path) -> None:
    report = _render(motion_path, tmp_path / "frames", fps=50.0, shot=Shot(view="profile", size=Size(33, 35)))
    assert report["frames"] == 40
    assert len(list((tmp_path / "frames").iterdir())) == 40


def test_two_runs_write_the_same_bytes(motion_path: Path, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        _render(motion_path, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_sound_with_frames_is_warned_of(motion_path: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "speech.wav", np.full(16_000, 0.1), 16_000)
    heard = Told()
    _render(motion_path, tmp_path / "frames", sound=tmp_path / "speech.wav", reporter=heard)
    assert "no sound" in heard.warnings[-1]


@pytest.mark.parametrize(
    ("out", "options", "error", "says"),
    [
        ("x.gif", {}, UsageError, "gif"),
        ("x.mp4", {"shot": Shot(size=Size(64, 63))}, UsageError, "even"),
        ("x.mp4", {"shot": Shot(background="transparent")}, UsageError, "no transparency"),
        ("x.mp4", {"renderer": "povray"}, UsageError, "povray"),
        ("x.mp4", {"sound": Path("absent.wav")}, InputError, "absent.wav"),
        ("motion.npz", {}, UsageError, "npz"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    motion_path: Path, tmp_path: Path, out: str, options: dict[str, Any], error: type[TalkError], says: str
) -> None:
    with pytest.raises(error, match=says):
        _render(motion_path, tmp_path / out, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["motion.npz"]


def test_a_motion_for_another_head_is_refused(motion_path: Path, tmp_path: Path) -> None:
    motion = Motion(coeffs=np.zeros((3, 1), np.float32), fps=25.0, head="other", channels=("wink",))
    write_motion(tmp_path / "other.npz", motion)
    with pytest.raises(UsageError, match="channels of other"):
        _render(tmp_path / "other.npz", tmp_path / "x.mp4")
