"""Takes of Live Link Face in folders: with their sound, or left out with a reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.clips import load_clips
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.pipelines.preprocess import preprocess
from talkcli.engine.prepare.adapters.live_link import live_link_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.types import Silent
from tests.engine.fakes import Told
from tests.engine.prepare.adapters.live_link_tables import (
    save,
    save_sound,
    table,
)


def sources(root: Path, reporter: Silent | None = None) -> list:
    return live_link_sources(
        root, speaker="me", emotion="happy", licence="mine", reporter=reporter or Silent()
    )


def test_sounds_are_found_by_name_or_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    # By its name; the version of the take does not count.
    save(root / "one" / "MySlate_1_iPhone_cal.csv", table())
    save_sound(root / "one" / "MySlate_1_iPhone.wav")
    # Alone in its folder.
    save(root / "t wo" / "take.csv", table())
    save_sound(root / "t wo" / "camera.flac")
    # Two takes, one sound of another name; several sounds; none.
    save(root / "three" / "a.csv", table())
    save(root / "three" / "b.csv", table())
    save_sound(root / "three" / "c.wav")
    save(root / "four" / "a.csv", table())
    save_sound(root / "four" / "b.wav")
    save_sound(root / "four" / "c.wav")
    save(root / "five" / "a.csv", table())
    save(root / "six" / "a.csv", table())
    save_sound(root / "six" / "a.wav", 4.0)
    found = sources(root)
    out = tmp_path / "out"
    built = build(found, out, Silent(), Plan(num_workers=0))
    assert [entry.id for entry in built.entries] == ["one/MySlate_1_iPhone", "t_wo/take"]
    reasons = {item.id: item.reason for item in built.dropped}
    assert set(reasons) == {"three/a", "three/b", "four/a", "five/a", "six/a"}
    assert "no sound for a.csv: a.wav" in reasons["three/a"]
    assert "1 of other names" in reasons["three/b"]
    assert "2 of other names" in reasons["four/a"]
    assert reasons["five/a"].endswith("which has none.")
    assert reasons["six/a"] == "Sound has 4.00 s, motion 3.00 s."
    clips = load_clips(out / "manifest.jsonl", None, Silent())
    assert [(clip.speaker, clip.emotion.label, len(clip.motion.coeffs)) for clip in clips] == [
        ("me", "happy", 75)
    ] * 2


def test_the_sound_is_cut_with_the_take(tmp_path: Path) -> None:
    rows = table(4.0)
    save(tmp_path / "a.csv", rows[:61] + rows[91:])
    save_sound(tmp_path / "a.wav", 4.0)
    (source,) = sources(tmp_path)
    made = source.recipe.make(source)
    speech, motion = made.speech, made.motion
    assert speech is not None and motion is not None
    assert (motion.duration_s, speech.duration_s) == (pytest.approx(2.5), pytest.approx(2.5))
    whole = read_speech(tmp_path / "a.wav", Silent())
    np.testing.assert_array_equal(speech.samples, whole.samples[24_000:])
    assert "Kept are 1.50 to 3.98 s" in made.report["gap"]
    # A sound of another take is found out before it is cut to any length.
    save_sound(tmp_path / "a.wav", 5.0)
    with pytest.raises(InputError, match=r"Sound has 5.00 s, the take 4.00 s"):
        source.recipe.make(source)


def test_the_sound_settles_a_rate_and_the_report_says_so(tmp_path: Path) -> None:
    # 0.8 s are no turn of a second.
    save(tmp_path / "a.csv", table(0.8))
    save_sound(tmp_path / "a.wav", 0.8)
    (source,) = sources(tmp_path)
    made = source.recipe.make(source)
    assert made.motion.fps == 60
    assert made.report == {
        "rate": "The timecode shows the end of a second never, which leaves its rate open; by the sound's "
        "length of 0.80 s it counts 60 frames a second."
    }


@pytest.mark.parametrize("suffix", ["m4a", "mov", "mp4"])
def test_the_sound_of_the_takes_video(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / "root" / "_cal.csv", table())
    save_sound(tmp_path / "sound.wav")
    sound = tmp_path / "root" / f"take.{suffix}"
    subprocess.run(
        [ffmpeg_binary(), "-nostdin", "-v", "error", "-i", str(tmp_path / "sound.wav"), str(sound)],
        check=True,
    )
    (source,) = sources(tmp_path / "root")
    assert source.id == "_cal"
    made = source.recipe.make(source)
    speech, motion = made.speech, made.motion
    assert speech is not None and motion is not None
    assert speech.duration_s == pytest.approx(motion.duration_s, abs=0.1)
    assert speech.samples.std() > 0.05


def test_the_calibrated_version_is_taken(tmp_path: Path) -> None:
    for version in ("_cal", "", "_raw", "_neutral"):
        save(tmp_path / f"x{version}.csv", table())
    save_sound(tmp_path / "x.wav")
    (tmp_path / "labels.csv").write_text("id,emotion\nx,happy\n")
    (tmp_path / "folder.csv").mkdir()
    told = Told()
    (source,) = sources(tmp_path, told)
    assert source.id == "x"
    assert [path.name for path in source.recipe.inputs] == ["x_cal.csv", "x.wav"]
    assert told.notes == [
        "One take has several files: x_cal.csv is read, x.csv, x_raw.csv, x_neutral.csv is not.",
        "Found: 1 take, 1 of them with sound.",
    ]
    assert told.warnings == ["Left out 1 CSV file without a column Timecode in the first line: labels.csv."]


def test_bad_arguments(tmp_path: Path) -> None:
    def run(root: Path, out: Path, **changes: str) -> None:
        arguments = {"speaker": "me", "emotion": "neutral", "licence": "mine", **changes}
        preprocess("live-link", root, out, Plan(num_workers=0), Silent(), **arguments)  # type: ignore[arg-type]

    out, root = tmp_path / "out", tmp_path / "root"
    with pytest.raises(InputError, match="does not exist"):
        run(root, out)
    root.mkdir()
    with pytest.raises(InputError, match="no CSV of Live Link Face"):
        run(root, out)
    with pytest.raises(UsageError, match="`emotion=joy`"):
        run(root, out, emotion="joy")
    with pytest.raises(UsageError, match="need a name"):
        run(root, out, speaker=" ")
    with pytest.raises(UsageError, match="lies in"):
        run(root, root / "out")


@pytest.mark.data
def test_real_recordings_lack_their_sound(shared_data: Path, tmp_path: Path) -> None:
    found = sources(shared_data / "arkit_csv")
    assert [source.id for source in found] == ["MySlate_165_iPhone", "MySlate_167_iPhone"]
    with pytest.raises(InputError, match=r"None of 2 clips.*no sound for MySlate_165_iPhone_cal\.csv"):
        build(found, tmp_path, Silent(), Plan(num_workers=0))
