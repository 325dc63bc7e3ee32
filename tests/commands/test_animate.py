"""`talk animate` from end to end with the embedded model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.audio.io import read_speech, write_wav
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.types import SPEECH_RATE_HZ, Silent, Speech
from tests.talk_process import talk

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def short_speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.3 s of the example: not a whole number of frames, nor of codes."""
    whole = read_speech(ROOT / "examples" / "hello.wav", Silent())
    path = tmp_path_factory.mktemp("speech") / "short.wav"
    write_wav(path, Speech(samples=whole.samples[: round(1.3 * SPEECH_RATE_HZ)]))
    return path


def test_motion_and_video_in_one_call(short_speech: Path, tmp_path: Path) -> None:
    result = talk(
        "animate",
        short_speech,
        "--sigma",
        0.1,
        "--size",
        128,
        "--out",
        "a.npz",
        "--out",
        "a.mp4",
        "--json",
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["outputs"] == ["a.npz", "a.mp4"]
    motion, meta = read_motion(tmp_path / "a.npz")
    # ceil(20800 samples / 640)
    assert len(motion.coeffs) == report["frames"] == 33
    assert motion.head == "ada"
    assert meta["sigma"] == 0.1
    assert meta["weights_sha256"] == report["weights_sha256"]
    assert (tmp_path / "a.mp4").read_bytes()[4:8] == b"ftyp"


def test_same_seed_same_bytes_and_other_seed_other_motion(short_speech: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        result = talk(
            "animate", short_speech, "--sigma", 0.1, "--seed", seed, "--out", f"{name}.npz", cwd=tmp_path
        )
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    first, other = (read_motion(tmp_path / name)[0].coeffs for name in ("a.npz", "c.npz"))
    assert np.abs(first - other).max() > 0.05


def test_without_sampling_the_seed_changes_only_what_is_laid_over(short_speech: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        talk("animate", short_speech, "--seed", seed, "--out", f"{seed}.npz", cwd=tmp_path)
    (first, meta), (other, _) = (read_motion(tmp_path / f"{seed}.npz") for seed in (0, 1))
    jaw = first.channels.index("jawPitch")
    np.testing.assert_allclose(first.coeffs[:, jaw], other.coeffs[:, jaw], atol=0.01)
    assert first.pose is not None and other.pose is not None
    assert np.abs(first.pose - other.pose).max() > 0.005
    assert {"smooth", "limit_lips", "idle", "blink", "head_motion", "brows"} <= set(meta["layers"])


def test_a_bare_motion_has_no_pose_and_no_layers(short_speech: Path, tmp_path: Path) -> None:
    layers = ("smooth", "contacts", "limit-lips", "idle", "blink", "head-motion", "brows", "tongue")
    options = (*(f"--no-{layer}" for layer in layers), "--verbose", "--emotion-from", short_speech)
    result = talk("animate", short_speech, *options, "--out", "a.npz", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    motion, meta = read_motion(tmp_path / "a.npz")
    assert motion.pose is None and meta["layers"] == [] and motion.coeffs.shape[1] == 53
    assert motion.coeffs[:, :50].min() >= 0 and motion.coeffs[:, :50].max() <= 1
    assert "Layers: none" in result.stderr and "Seed: 0" in result.stderr
    assert f"Licence of the weights: {meta['weights_licence']}" in " ".join(result.stderr.split())


def test_a_take_does_not_depend_on_how_many_are_drawn(short_speech: Path, tmp_path: Path) -> None:
    talk("animate", short_speech, "--sigma", 0.1, "--out", "one.npz", cwd=tmp_path)
    result = talk("animate", short_speech, "--sigma", 0.1, "--takes", 3, "--out", "many.npz", cwd=tmp_path)
    assert result.stdout.split() == ["many.take01.npz", "many.take02.npz", "many.take03.npz"]
    one = read_motion(tmp_path / "one.npz")[0].coeffs
    many = [read_motion(tmp_path / name)[0].coeffs for name in result.stdout.split()]
    np.testing.assert_array_equal(one, many[0])
    assert np.abs(many[1] - many[2]).max() > 0.05


def test_fps_resamples_the_motion_only(short_speech: Path, tmp_path: Path) -> None:
    talk("animate", short_speech, "--fps", 60, "--out", "fast.npz", cwd=tmp_path)
    motion, _ = read_motion(tmp_path / "fast.npz")
    assert motion.fps == 60
    assert motion.duration_s == pytest.approx(33 / 25, abs=1 / 60)


def test_emotion_from_another_file_changes_the_motion(short_speech: Path, tmp_path: Path) -> None:
    # Noise is not neutral to the embedded model; the example is.
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * SPEECH_RATE_HZ).astype(np.float32)
    write_wav(tmp_path / "other.wav", Speech(samples=noise))
    talk("animate", short_speech, "--out", "own.npz", cwd=tmp_path)
    result = talk(
        "animate", short_speech, "--emotion-from", "other.wav", "--out", "swapped.npz", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    own, swapped = (read_motion(tmp_path / f"{name}.npz")[0].coeffs for name in ("own", "swapped"))
    assert own.shape == swapped.shape
    assert np.abs(own - swapped).max() > 0.01


def test_takes_without_randomness_warn_even_when_quiet(short_speech: Path, tmp_path: Path) -> None:
    result = talk("animate", short_speech, "--takes", 2, "--out", "x.npz", "--quiet", cwd=tmp_path)
    assert result.returncode == 0
    assert "same performance" in result.stderr


def test_the_first_of_held_takes_is_drawn_as_ever(short_speech: Path, tmp_path: Path) -> None:
    options = ("--sigma", 0.1, "--tau", 0.5, "--takes", 2)
    free = talk("animate", short_speech, *options, "--out", "free.npz", cwd=tmp_path)
    assert free.returncode == 0, free.stderr
    held = talk("animate", short_speech, *options, "--hold-slow", "--out", "held.npz", cwd=tmp_path)
    takes = [read_motion(tmp_path / name)[0].coeffs for name in (*free.stdout.split(), *held.stdout.split())]
    np.testing.assert_array_equal(takes[0], takes[2])
    assert np.abs(takes[3] - takes[1]).max() > 0.01
    assert np.abs(takes[3] - takes[2]).max() > 0.01


def test_what_was_asked_for_is_in_the_file(short_speech: Path, tmp_path: Path) -> None:
    controls = ("--gumbel", "--always-pad", "--precision", "bf16", "--actor", 1)
    options = (*controls, "--no-limit-lips", "--no-idle")
    for name in ("a", "b"):
        result = talk("animate", short_speech, *options, "--out", f"{name}.npz", "--json", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    motion, meta = read_motion(tmp_path / "a.npz")
    # 32 whole frames, which the released demo makes 36.
    assert len(motion.coeffs) == 36
    wanted = {"gumbel": True, "always_pad": True, "precision": "bf16", "actor": "1"}
    assert {key: meta[key] for key in wanted} == wanted
    assert set(meta["layers"]) - {"contacts", "tongue"} == {"smooth", "blink", "head_motion", "brows"}
    assert json.loads(result.stdout)["layers"] == meta["layers"]
    assert json.loads(result.stdout)["actor"] == "1"


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        (["--out", "x.avi"], 2, ".avi"),
        (["--out", "x.npz", "--model", "nowhere.safetensors"], 3, "nowhere.safetensors"),
        (["--out", "x.npz", "--model", "."], 3, "best.safetensors"),
        (["--out", "x.npz", "--head", "flam"], 2, "flame"),
        (["--out", "x.npz", "--device", "cuda:99"], 6, "cuda:99"),
        (["--out", "x.npz", "--sigma", "nan"], 2, "sigma"),
        (["--out", "x.npz", "--emotion-from", "absent.wav"], 3, "absent.wav"),
        (["--out", "x.npz", "--emotion", "hapy"], 2, "happy"),
        (["--out", "x.npz", "--emotion", "happy:2"], 2, "from 0 to 1"),
        (["--out", "x.npz", "--emotion", "sad", "--emotion-from", "x.wav"], 2, "--emotion-from"),
        (["--out", "x.npz", "--out", "x.mp4", "--size", "65"], 2, "even"),
        (["--out", "x.npz", "--out", "x.mp4", "--renderer", "softwear"], 2, "software"),
        (["--out", "x.npz", "--out", "./x.npz"], 2, "twice"),
        (["--out", "x.npz", "--fps", "nan"], 2, "--fps"),
        (["--out", "x.npz", "--seed", str(2**64)], 2, "seed"),
        (["--out", "x.npz", "--actor", "Nobdy"], 2, "no actor Nobdy"),
        (["--out", "x.npz", "--precision", "fp16"], 2, "bf16"),
        (["--out", "x.npz", "--hold-slow", "--tau", "1"], 2, "--takes"),
        (["--out", "x.npz", "--hold-slow", "--takes", "2", "--tau-top", "1"], 2, "--tau-bottom"),
    ],
)
def test_unusable_options_write_nothing(
    options: list[str], exit_code: int, words: str, short_speech: Path, tmp_path: Path
) -> None:
    result = talk("animate", short_speech, *options, cwd=tmp_path)
    assert result.returncode == exit_code, result.stderr
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_processes_that_draw_and_encode_too(
    sent: signal.Signals, short_speech: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "talkcli",
        "animate",
        str(short_speech),
        "--takes",
        "50",
        "--out",
        "x.mp4",
    ]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        # One draws from the start; the other comes with the first video.
        children = _wait_for(lambda: found if len(found := _children_of(process.pid)) > 1 else None)
        process.send_signal(sent)
        said = process.communicate()[1]
    _wait_for(lambda: not any(Path(f"/proc/{child}/exe").exists() for child in children))
    if sent != signal.SIGKILL:
        assert process.returncode == 128 + sent
        assert "no half-written file is left" in said
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def _children_of(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def _wait_for(found: Callable[[], Any]) -> Any:
    for _ in range(6000):
        if result := found():
            return result
        time.sleep(0.02)
    raise AssertionError("it takes longer than two minutes")


def test_an_output_that_existed_survives_a_failure(short_speech: Path, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"mine")
    talk("animate", short_speech, "--head", "flam", "--out", "x.npz", cwd=tmp_path)
    assert (tmp_path / "x.npz").read_bytes() == b"mine"


def test_the_speech_is_never_overwritten(short_speech: Path, tmp_path: Path) -> None:
    speech = tmp_path / "clip.mp4"
    speech.write_bytes(short_speech.read_bytes())
    result = talk("animate", "clip.mp4", "--out", "../" + tmp_path.name + "/clip.mp4", cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert "also read" in result.stderr
    assert speech.read_bytes() == short_speech.read_bytes()
