"""Every format keeps time with the sound: after 59 of 60 seconds it is off by less than a frame.

The mouth opens, the picture lights up and the sound clicks at 59 s. Each file is read by a parser that shares
no code with its writer.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.exports.formats import FORMATS, export
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.render.video import write_video
from talkcli.engine.types import Silent, Speech
from tests.engine.exports.pieces import OPENS_S, ReadGlb, opening

RATES = (25.0, 29.97, 30.0, 60.0)
_SECONDS = 60.0
_HALF = 0.2


def _table(path: Path) -> tuple[list[str], np.ndarray]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, np.array(rows)


def _end(times: np.ndarray) -> float:
    """The end of the last frame."""
    return float(2 * times[-1] - times[-2])


def _first(times: np.ndarray, values: np.ndarray, above: float) -> float:
    return float(times[np.flatnonzero(values > above)[0]])


def _live_link(path: Path) -> tuple[float, float]:
    header, rows = _table(path)
    stamps = [[float(part) for part in re.split("[:;]", stamp)] for stamp in rows[:, 0]]
    drops = ";" in rows[0, 0]
    rate = 1 + round(max(stamp[3] for stamp in stamps))
    counted = np.array(
        [((hour * 60 + minute) * 60 + second) * rate + frame for hour, minute, second, frame in stamps]
    )
    fps = rate / 1.001 if drops else rate
    jaw = rows[:, header.index("JawOpen")].astype(float)
    # 60 s have no minute that drops numbers: the first is the second one.
    assert counted.max() < 60 * rate
    return _first(counted / fps, jaw, _HALF), len(rows) / fps


def _audio2face(path: Path) -> tuple[float, float]:
    header, rows = _table(path)
    times = rows[:, header.index("timeCode")].astype(float)
    return _first(times, rows[:, header.index("blendShapes.JawOpen")].astype(float), _HALF), _end(times)


def _arkit(path: Path) -> tuple[float, float]:
    document = json.loads(path.read_text())
    jaw = document["names"].index("jawOpen")
    times = np.array([frame["time"] for frame in document["frames"]])
    values = np.array([frame["weights"][jaw] for frame in document["frames"]])
    return _first(times, values, _HALF), document["metadata"]["frame_count"] / document["metadata"]["fps"]


def _weights_json(path: Path) -> tuple[float, float]:
    document = json.loads(path.read_text())
    weights = np.array(document["frames"])[:, document["visemes"].index("aa")]
    times = np.arange(len(weights)) / document["fps"]
    (cue,) = [cue for cue in document["cues"] if cue["viseme"] == "aa"]
    assert abs(cue["start"] - _first(times, weights, _HALF)) < 1 / document["fps"] + 1e-6
    return cue["start"], document["duration"]


def _weights_csv(path: Path) -> tuple[float, float]:
    header, rows = _table(path)
    times = rows[:, header.index("time")].astype(float)
    return _first(times, rows[:, header.index("aa")].astype(float), _HALF), _end(times)


def _microsoft_json(path: Path) -> tuple[float, float]:
    document = json.loads(path.read_text())
    events = document["visemes"]
    assert [event["audio_offset"] / 1e4 for event in events] == [event["offset_ms"] for event in events]
    assert [event["viseme_id"] for event in events][::2] == [0, 0]
    return events[1]["offset_ms"] / 1000, events[-1]["audio_offset"] / 1e7


def _microsoft_csv(path: Path) -> tuple[float, float]:
    header, rows = _table(path)
    assert header[:3] == ["audio_offset", "offset_ms", "viseme_id"]
    return int(rows[1, 0]) / 1e7, float(rows[-1, 1]) / 1000


def _rhubarb_json(path: Path) -> tuple[float, float]:
    document = json.loads(path.read_text())
    assert document["mouthCues"][0]["value"] == "X"
    return document["mouthCues"][1]["start"], document["metadata"]["duration"]


def _rhubarb_tsv(path: Path) -> tuple[float, float]:
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    assert [shape for _, shape in rows][::2] == ["X", "X"]
    return float(rows[1][0]), float(rows[-1][0])


def _vrma(path: Path) -> tuple[float, float]:
    file = ReadGlb(path)
    times, weights = file.expression("custom", "jawOpen")
    vowel_times, vowel = file.expression("preset", "aa")
    assert abs(_first(vowel_times, vowel, _HALF) - _first(times, weights, _HALF)) < 0.05
    return _first(times, weights, _HALF), _end(times)


_CURVES: dict[str, Callable[[Path], tuple[float, float]]] = {
    ".csv": _live_link,
    ".a2f.csv": _audio2face,
    ".json": _arkit,
    ".oculus.json": _weights_json,
    ".oculus.csv": _weights_csv,
    ".vrm.json": _weights_json,
    ".vrm.csv": _weights_csv,
    ".microsoft.json": _microsoft_json,
    ".microsoft.csv": _microsoft_csv,
    ".rhubarb.json": _rhubarb_json,
    ".rhubarb.tsv": _rhubarb_tsv,
    ".vrma": _vrma,
}
# Formats without time, or whose time is tested with what they hold (test_meshes.py, test_curve_files.py).
_ELSEWHERE = {".npz", ".flame.npz", ".obj", ".ply", ".pc2", ".mdd", "folder"}
# Formats whose tests stand in files of their own.
_OF_OTHERS = {".glb", ".vrm", ".usd", ".usda", ".usdc", ".usdz", ".html"}
_FILMS = (".mp4", ".webm", ".mov", ".gif")


def test_every_format_is_timed_somewhere() -> None:
    assert {*_CURVES, *_FILMS, *_ELSEWHERE, *_OF_OTHERS} >= set(FORMATS)


@pytest.mark.parametrize("said", [False, True], ids=["shapes", "phones"])
@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("suffix", _CURVES)
def test_curves_and_visemes_keep_time(suffix: str, fps: float, said: bool, tmp_path: Path) -> None:
    if said and not FORMATS[suffix].phones:
        pytest.skip("phones make no difference to this format")
    out = tmp_path / f"face{suffix}"
    export(out, opening(fps, said=said))
    opens_s, length_s = _CURVES[suffix](out)
    # Times of Rhubarb are hundredths.
    assert abs(opens_s - OPENS_S) <= 1 / fps + 0.005
    assert abs(length_s - _SECONDS) <= 1 / fps + 0.005


@pytest.mark.parametrize("fps", [29.97, 60.0])
def test_live_link_is_read_back_at_its_rate(fps: float, tmp_path: Path) -> None:
    export(tmp_path / "face.csv", opening(fps))
    take = read_take(tmp_path / "face.csv")
    assert take.motion.fps == pytest.approx(fps, rel=2e-6)
    assert take.motion.num_frames == round(_SECONDS * fps)
    assert not take.remarks


def _lit(frames: int, fps: float) -> Iterator[np.ndarray]:
    for index in range(frames):
        yield np.full((16, 16, 3), 255 * (index + 0.5 > OPENS_S * fps), np.uint8)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("suffix", _FILMS)
def test_films_keep_time_with_their_sound(suffix: str, fps: float, tmp_path: Path) -> None:
    out, frames, rate_hz = tmp_path / f"face{suffix}", round(_SECONDS * fps), 16_000
    samples = np.zeros(int(_SECONDS * rate_hz), np.float32)
    samples[int(OPENS_S * rate_hz) :] = 0.5 * np.sin(np.arange(rate_hz) * 0.5)
    speech = Speech(samples=samples, rate_hz=rate_hz)
    write_video(
        out,
        _lit(frames, fps),
        num_frames=frames,
        fps=fps,
        size=(16, 16),
        speech=speech,
        metadata={},
        reporter=Silent(),
    )
    shown = _shown(out)
    lights_s = _first(np.array([time for time, _ in shown]), np.array([grey for _, grey in shown]), 128)
    # A GIF counts hundredths of a second.
    assert abs(lights_s - OPENS_S) <= 1 / fps + 0.005
    assert abs(shown[-1][0] + 1 / fps - _SECONDS) <= 1 / fps + 0.01
    if suffix == ".gif":
        return
    decoded = np.frombuffer(
        _ffmpeg("-i", str(out), "-f", "f32le", "-ar", str(rate_hz), "-ac", "1", "-"), np.float32
    )
    assert abs(int(np.flatnonzero(np.abs(decoded) > 0.2)[0]) / rate_hz - OPENS_S) < 0.01
    assert abs(len(decoded) / rate_hz - _SECONDS) <= 1 / fps


def _shown(path: Path) -> list[tuple[float, float]]:
    """When each picture is shown in seconds, and its mean grey, as ffmpeg decodes them."""
    log = _ffmpeg(
        "-i",
        str(path),
        "-an",
        "-vf",
        "format=gray,showinfo",
        "-fps_mode",
        "passthrough",
        "-f",
        "null",
        "-",
        log=True,
    )
    found = re.findall(r"pts_time:([\d.]+).*?mean:\[(\d+)", log.decode())
    return [(float(time), float(grey)) for time, grey in found]


def _ffmpeg(*arguments: str, log: bool = False) -> bytes:
    done = subprocess.run([ffmpeg_binary(), "-nostdin", *arguments], capture_output=True, check=True)
    return done.stderr if log else done.stdout
