"""Recordings of Live Link Face: read as they were made, or left out with a reason."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.data.adapters.live_link import live_link_sources
from talkcli.engine.data.adapters.live_link_csv import read_take
from talkcli.engine.data.build import Plan, build
from talkcli.engine.data.clips import load_clips
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.arkit import ada_coeffs
from talkcli.engine.face.channels import ADA, ARKIT, JAW_OPEN_RAD, JAW_SIDE_RAD
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.pipelines.preprocess import preprocess
from talkcli.engine.types import Motion, Silent
from tests.engine.data.mutations import survives
from tests.engine.data.trees import Told

ROTATIONS = [f"{part}{axis}" for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll")]
# The app swaps two pairs of our order.
SWAPS = {"jawLeft": "jawRight", "mouthLeft": "mouthRight"}
APP_ORDER = [
    {**SWAPS, **{b: a for a, b in SWAPS.items()}}.get(name, name) for name in ARKIT
]  # fmt: skip
HEADER = ["Timecode", "BlendshapeCount", *(name[0].upper() + name[1:] for name in APP_ORDER), *ROTATIONS]
Table = list[list[str]]


def jaw_at(time_s: np.ndarray) -> np.ndarray:
    return 0.4 + 0.3 * np.sin(2 * np.pi * time_s)


def timecode(index: int, rate: int, *, start_s: int = 19 * 3600 + 16 * 60 + 58, first: int = 10) -> str:
    seconds, frames = divmod(start_s * rate + first + index, rate)
    hours, minutes = seconds // 3600 % 24, seconds // 60 % 60
    return f"{hours:02d}:{minutes:02d}:{seconds % 60:02d}:{frames:02d}.273"


def table(seconds: float = 3.0, rate: int = 60) -> Table:
    """A recording: the jaw opens once a second, the left lid is half closed, the chin goes left."""
    rows = [list(HEADER)]
    for index in range(round(seconds * rate)):
        values = dict.fromkeys(HEADER[2:], 0.0)
        values["JawOpen"] = float(jaw_at(np.array(index / rate)))
        values.update(EyeBlinkLeft=0.5, JawLeft=0.25, MouthRight=0.125, TongueOut=0.1, HeadYaw=-0.7)
        rows.append([timecode(index, rate), "61", *(f"{value:.10f}" for value in values.values())])
    return rows


def save(path: Path, rows: Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    return path


def save_sound(path: Path, seconds: float = 3.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(round(seconds * 48_000)) * 0.05), 48_000)


def read_live_link(path: Path) -> Motion:
    return read_take(path).motion


def channel(path: Path, name: str) -> np.ndarray:
    return read_live_link(path).coeffs[:, ADA.index(name)]


def test_the_heads_angles_are_its_pose(tmp_path: Path) -> None:
    pose = read_live_link(save(tmp_path / "take.csv", table())).pose
    assert pose is not None
    # The yaw of -0.7 is a turn to the subject's left.
    np.testing.assert_allclose(pose, np.tile([0, 0.7, 0], (180, 1)), atol=1e-5)


def test_a_head_that_was_not_recorded_has_no_pose(tmp_path: Path) -> None:
    rows = table()
    for row in rows[1:]:
        row[HEADER.index("HeadYaw")] = "0.0"
    assert read_live_link(save(tmp_path / "zeros.csv", rows)).pose is None
    assert read_live_link(save(tmp_path / "absent.csv", without(table(), "HeadRoll"))).pose is None


@pytest.mark.parametrize("cell", ["40.0", "-3.2", "nan", ""])
def test_a_heads_angle_that_is_none_leaves_the_take_out(tmp_path: Path, cell: str) -> None:
    rows = table()
    rows[7][HEADER.index("HeadPitch")] = cell
    with pytest.raises(InputError, match=r"line 8: headpitch is .* not an angle in radians"):
        read_live_link(save(tmp_path / "take.csv", rows))


def without(rows: Table, name: str) -> Table:
    column = rows[0].index(name)
    return [row[:column] + row[column + 1 :] for row in rows]


def sources(root: Path, reporter: Silent | None = None) -> list:
    return live_link_sources(
        root, speaker="me", emotion="happy", licence="mine", reporter=reporter or Silent()
    )


def test_arkit_turns_the_jaw() -> None:
    full = np.ones(2)
    coeffs = ada_coeffs({"jawOpen": full, "jawLeft": full, "jawRight": 0.5 * full, "mouthClose": full}, 2)
    assert coeffs.shape == (2, len(ADA))
    expected = {"jawPitch": JAW_OPEN_RAD, "jawYaw": JAW_SIDE_RAD / 2, "mouthClose": 1.0}
    for index, name in enumerate(ADA):
        np.testing.assert_allclose(coeffs[:, index], expected.get(name, 0.0), rtol=1e-6)
    with pytest.raises(ValueError, match="tuple"):
        ada_coeffs({"noSuchShape": full}, 2)


def test_columns_go_where_their_names_say(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", table())
    motion = read_live_link(path)
    assert (motion.fps, motion.head, len(motion.coeffs)) == (60.0, "ada", 180)
    expected = {"eyeBlinkLeft": 0.5, "jawYaw": 0.25 * JAW_SIDE_RAD, "mouthRight": 0.125, "tongueOut": 0.1}
    jaw = jaw_at(np.arange(180) / 60) * JAW_OPEN_RAD
    for index, name in enumerate(ADA):
        wanted = jaw if name == "jawPitch" else expected.get(name, 0.0)
        np.testing.assert_allclose(motion.coeffs[:, index], wanted, atol=1e-6, err_msg=name)


def test_the_order_and_spelling_of_columns_do_not_matter(tmp_path: Path) -> None:
    rows = table()
    order = list(range(len(HEADER)))
    random.Random(1).shuffle(order)
    shuffled = [[row[column] for column in order] for row in rows]
    shuffled[0] = [name.swapcase() for name in shuffled[0]]
    mixed, plain = save(tmp_path / "b.csv", shuffled), save(tmp_path / "a.csv", rows)
    np.testing.assert_array_equal(read_live_link(mixed).coeffs, read_live_link(plain).coeffs)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: without(rows, "TongueOut"),
        lambda rows: without(rows, "BlendshapeCount"),
        lambda rows: [row[:-9] for row in rows],
        lambda rows: [[cell if cell != "61" else " 61 " for cell in row] for row in rows],
        lambda rows: [*rows[:50], [], *rows[50:]],
        lambda rows: [["\ufeff" + rows[0][0], *rows[0][1:]], *rows[1:]],
        lambda rows: [[f'"{cell}"' for cell in row] for row in rows],
    ],
    ids=["no tongue", "no count", "no rotations", "spaces", "blank line", "byte order mark", "quotes"],
)
def test_harmless_differences(tmp_path: Path, change: Callable[[Table], Table]) -> None:
    expected = read_live_link(save(tmp_path / "a.csv", table())).coeffs
    found = read_live_link(save(tmp_path / "b.csv", change(table()))).coeffs
    tongue = ADA.index("tongueOut")
    np.testing.assert_array_equal(np.delete(found, tongue, 1), np.delete(expected, tongue, 1))


def test_thirty_frames_a_second(tmp_path: Path) -> None:
    motion = read_live_link(save(tmp_path / "a.csv", table(rate=30)))
    assert (motion.fps, len(motion.coeffs)) == (30.0, 90)


def test_frames_stand_where_their_timecode_says(tmp_path: Path) -> None:
    # Ten rows are missing, and midnight passes.
    rows = [HEADER, *(row for index, row in enumerate(table()[1:]) if not 40 <= index < 50)]
    indices = [index for index in range(180) if not 40 <= index < 50]
    for row, index in zip(rows[1:], indices, strict=True):
        row[0] = timecode(index, 60, start_s=24 * 3600 - 1)
    motion = read_live_link(save(tmp_path / "a.csv", rows))
    assert len(motion.coeffs) == 180
    jaw = motion.coeffs[:, ADA.index("jawPitch")]
    wanted = jaw_at(np.arange(180) / 60) * JAW_OPEN_RAD
    np.testing.assert_allclose(jaw[50:], wanted[50:], atol=1e-6)
    np.testing.assert_allclose(jaw[39:51], np.linspace(wanted[39], wanted[50], 12), atol=1e-6)


def test_frames_without_a_face_are_bridged(tmp_path: Path) -> None:
    rows = table()
    for row in rows[41:51]:
        row[1:] = ["0", *[""] * 61]
    # At the start, too: the sound runs already.
    rows[1][1:] = ["0"]
    jaw = channel(save(tmp_path / "a.csv", rows), "jawPitch")
    assert len(jaw) == 180
    assert jaw[0] == jaw[1]
    for row in rows[41:54]:
        row[1:] = ["0", *[""] * 61]
    with pytest.raises(InputError, match=r"line 41: 0.23 s without a face follow"):
        read_live_link(save(tmp_path / "b.csv", rows))


def test_subframes_place_frames(tmp_path: Path) -> None:
    rows = table()
    # A camera that is a little slow against the clock: every row comes 0.3 % late.
    for index, row in enumerate(rows[1:]):
        seconds, frames = divmod(120 + index * 1.003, 60)
        row[0] = f"01:00:{int(seconds):02d}:{frames:06.3f}"
        row[HEADER.index("JawOpen")] = f"{jaw_at(np.array(index * 1.003 / 60)):.10f}"
    jaw = channel(save(tmp_path / "a.csv", rows), "jawPitch")
    assert len(jaw) == 181
    np.testing.assert_allclose(jaw[:180], jaw_at(np.arange(180) / 60) * JAW_OPEN_RAD, atol=3e-4)


@pytest.mark.parametrize("rate", [30, 60])
def test_dropped_numbers_are_no_gap(tmp_path: Path, rate: int) -> None:
    rows = table(rate=rate)
    skipped = rate // 15
    for index, row in enumerate(rows[1:]):
        number = 58 * rate + index
        number += skipped if number >= 60 * rate else 0
        seconds, frames = divmod(number, rate)
        row[0] = f"10:0{3 + seconds // 60}:{seconds % 60:02d};{frames:02d}.000"
    motion = read_live_link(save(tmp_path / "a.csv", rows))
    assert motion.fps == pytest.approx(rate * 1000 / 1001)
    np.testing.assert_allclose(
        motion.coeffs[:, ADA.index("jawPitch")],
        jaw_at(np.arange(3 * rate) / rate) * JAW_OPEN_RAD,
        atol=1e-6,
    )


def _cell(line: int, name: str, text: str) -> Callable[[Table], Table]:
    def change(rows: Table) -> Table:
        rows[line - 1][rows[0].index(name)] = text
        return rows

    return change


def _neurosync(rows: Table) -> Table:
    emotions = ["Angry", "Disgusted", "Fearful", "Happy", "Neutral", "Sad", "Surprised"]
    return [rows[0] + emotions, *(row + ["0.0"] * 7 for row in rows[1:])]


def _paced(rate: int) -> Callable[[Table], Table]:
    """Rows counted at another rate."""

    def change(rows: Table) -> Table:
        for index, row in enumerate(rows[1:]):
            row[0] = timecode(index, rate)
        return rows

    return change


def _swapped(rows: Table) -> Table:
    rows[20][0], rows[21][0] = rows[21][0], rows[20][0]
    return rows


def _mixed(rows: Table) -> Table:
    rows[20][0] = rows[20][0][:8] + ";" + rows[20][0][9:]
    return rows


def _renamed(old: str, new: str) -> Callable[[Table], Table]:
    return lambda rows: [[new if name == old else name for name in rows[0]], *rows[1:]]


REFUSED: dict[str, tuple[Callable[[Table], Table], str]] = {
    "neurosync": (_neurosync, "that NeuroSync writes"),
    "curve missing": (lambda rows: without(rows, "JawOpen"), "line 1: column 'jawOpen' is missing"),
    "curves missing": (
        lambda rows: without(without(rows, "JawOpen"), "BrowInnerUp"),
        r"\(and 1 more\) is missing",
    ),
    "curve renamed": (_renamed("JawOpen", "JawOpened"), "column 'jawopened' is none"),
    "rig's names": (_renamed("EyeBlinkLeft", "eyeBlink_L"), "column 'eyeblink_l' is none"),
    "curve twice": (_renamed("JawOpen", "JawLeft"), "column 'jawleft' occurs twice"),
    "time renamed": (_renamed("Timecode", "Time"), "no column Timecode"),
    "no header": (lambda rows: rows[1:], "no column Timecode"),
    "nothing": (lambda rows: [], "no column Timecode"),
    "header only": (lambda rows: rows[:1], "holds 0 frames"),
    "one row": (lambda rows: rows[:2], "holds 1 frame,"),
    "half a second": (lambda rows: rows[:30], "too short to tell its rate"),
    "cut row": (lambda rows: [*rows[:-1], rows[-1][:20]], "line 181: 20 columns, the header has 63"),
    "long row": (lambda rows: [*rows[:-1], [*rows[-1], "0"]], "64 columns"),
    "comma decimals": (
        lambda rows: [rows[0], *([cell.replace(".", ",") for cell in row] for row in rows[1:])],
        "columns, the header has 63",
    ),
    "20 fps": (_paced(20), "counts 20.0 frames a second"),
    "44 fps": (_paced(44), "counts 44.0 frames a second"),
    "backwards": (_swapped, "line 22: the timecode does not move on"),
    "stands still": (lambda rows: [*rows[:30], rows[29], *rows[30:]], "line 31: the timecode does not move"),
    "gap": (lambda rows: rows[:60] + rows[80:], r"line 60: 0.35 s without a face"),
    "hour's gap": (_cell(100, "Timecode", "20:16:58:10.273"), "without a face|does not move on"),
    "mixed clocks": (_mixed, "mixes timecodes"),
    "all at rest": (
        lambda rows: [rows[0], *([row[0], "61", *["0.0"] * 61] for row in rows[1:])],
        "nothing moves in 180 frames",
    ),
    **{
        f"timecode {text!r}": (_cell(31, "Timecode", text), "line 31: .* is no timecode")
        for text in (
            "", "abc", "19:16:58", "1.5", "25:00:00:00.0", "19:61:00:00.0", "19:16:60:00.0", "-1:16:58:10.0",
            "19:16:58:nan", "19:16:58:10.273.1", "\u0661\u0669:16:58:10", "19:16:58:1e3",
        )
    },
    **{
        f"value {text!r}": (_cell(31, "JawOpen", text), "line 31: jawOpen is .* not a number from 0 to 1")
        for text in (
            "", "nan", "inf", "-inf", "1e999", "-0.6", "1.6", "42", "1e6", "0x1", "0_1", "\u0660.5", "a",
            "1e", "0.1 0.2", "True", "9" * 400,
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("rate", [24, 25, 30, 48, 50, 60, 72, 90, 96, 100, 120])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_rates_of_production(tmp_path: Path, rate: int, encoding: str) -> None:
    path = save(tmp_path / "a.csv", table(2.0, rate))
    path.write_bytes(path.read_text().encode(encoding))
    take = read_take(path)
    assert (take.motion.fps, len(take.motion.coeffs), take.remarks) == (rate, 2 * rate, {})
    jaw = jaw_at(np.arange(2 * rate) / rate) * JAW_OPEN_RAD
    np.testing.assert_allclose(take.motion.coeffs[:, ADA.index("jawPitch")], jaw, atol=1e-6)


@pytest.mark.parametrize("rate", [24, 25, 48, 50])
def test_only_rates_of_television_drop_numbers(tmp_path: Path, rate: int) -> None:
    rows = [
        [cell.replace(":", ";") if index == 0 else cell for index, cell in enumerate(row)]
        for row in table(2, rate)
    ]
    with pytest.raises(InputError, match=r"and drops some \(;\)"):
        read_take(save(tmp_path / "a.csv", rows))


@pytest.mark.parametrize(
    "text", ["1.0000000001", "1.053", "1.2", "1.5", "-0.0000001", "-0.053", "-0.3", "-0.5"]
)
@pytest.mark.parametrize("name", ["JawOpen", "EyeLookInLeft", "TongueOut"])
def test_values_somewhat_beyond_are_clipped(tmp_path: Path, name: str, text: str) -> None:
    take = read_take(save(tmp_path / "a.csv", _cell(31, name, text)(table())))
    limited = "1" if float(text) > 1 else "0"
    wanted = read_take(save(tmp_path / "b.csv", _cell(31, name, limited)(table())))
    np.testing.assert_array_equal(take.motion.coeffs, wanted.motion.coeffs)
    told = take.remarks.get("clipped", "")
    assert ("line 31" in told and "1 values" in told) == (abs(float(text) - 0.5) > 0.51), told


@pytest.mark.parametrize("text", ["51", "52", "", "0", "60", "61.0", "-61", "x", "9" * 100])
def test_the_columns_are_believed_rather_than_their_number(tmp_path: Path, text: str) -> None:
    rows = table()
    for row in rows[1:]:
        row[1] = text
    take = read_take(save(tmp_path / "a.csv", rows))
    whole = read_take(save(tmp_path / "b.csv", table()))
    np.testing.assert_array_equal(take.motion.coeffs, whole.motion.coeffs)
    assert "in 180 rows" in take.remarks["count"]
    assert len(take.remarks["count"]) < 120


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["", ",,"])
@pytest.mark.parametrize("spelling", ["BlendshapeCount", "BlendShapeCount", "blendshapecount"])
def test_as_spreadsheets_save_it(tmp_path: Path, delimiter: str, ending: str, spelling: str) -> None:
    text = "\r\n".join(",".join(row) + ending for row in _renamed("BlendshapeCount", spelling)(table()))
    path = tmp_path / "a.csv"
    path.write_text(text.replace(",", delimiter))
    assert len(read_live_link(path).coeffs) == 180


@pytest.mark.parametrize("name", REFUSED)
def test_damaged_recordings_are_refused(tmp_path: Path, name: str) -> None:
    change, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        read_live_link(save(tmp_path / "a.csv", change(table())))


@pytest.mark.parametrize("kind", ["huge cell", "open quote", "latin", "zip", "empty"])
def test_files_that_are_no_text_of_ours(tmp_path: Path, kind: str) -> None:
    text = "\n".join(",".join(row) for row in table())
    path = tmp_path / "a.csv"
    path.write_bytes(
        {
            "huge cell": (text + "\n" + "9" * 2_000_000).encode(),
            "open quote": text.replace("\n", '\n"', 1).encode(),
            "latin": (text + "\n\xe9").encode("latin-1"),
            "zip": b"PK\x03\x04" + bytes(range(256)) * 20,
            "empty": b"",
        }[kind]
    )
    with pytest.raises(InputError):
        read_live_link(path)


def test_flipped_and_cut_bytes_never_pass_for_other_motion(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.csv", table(1.5)).read_bytes()
    jaw, path = channel(tmp_path / "a.csv", "jawPitch"), tmp_path / "b.csv"
    chance = random.Random(7)
    refused = 0
    for trial in range(40):
        damaged = bytearray(whole)
        if trial % 2:
            damaged = damaged[: chance.randrange(len(whole))]
        else:
            damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            motion = read_live_link(path)
        except InputError:
            refused += 1
            continue
        found = motion.coeffs[:, ADA.index("jawPitch")]
        assert motion.fps == 60
        # A digit may change, and whole rows may be lost at the end: then the sound is longer.
        assert (np.abs(found - jaw[: len(found)]) > 1e-6).sum() <= 1, trial
        assert len(found) == len(jaw) or trial % 2
    assert refused > 20


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
        "Of one take x_cal.csv is read, x.csv, x_raw.csv, x_neutral.csv is not.",
        "Found: 1 take, 1 of them with sound.",
    ]
    assert told.warnings == ["Left out 1 CSV files without a column Timecode in the first line: labels.csv."]


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
    with pytest.raises(UsageError, match="--emotion joy"):
        run(root, out, emotion="joy")
    with pytest.raises(UsageError, match="need a name"):
        run(root, out, speaker=" ")
    with pytest.raises(UsageError, match="lies in"):
        run(root, root / "out")


@pytest.mark.data
@pytest.mark.parametrize(("take", "seconds"), [("165", 30.9), ("167", 30.45)])
def test_real_recordings(shared_data: Path, take: str, seconds: float) -> None:
    path = shared_data / "arkit_csv" / f"MySlate_{take}_iPhone_cal.csv"
    motion = read_live_link(path)
    assert motion.fps == 60
    assert motion.duration_s == pytest.approx(seconds, abs=0.06)
    assert np.isfinite(motion.coeffs).all()
    bounds = {"jawPitch": (0, JAW_OPEN_RAD), "jawYaw": (-JAW_SIDE_RAD, JAW_SIDE_RAD), "jawRoll": (0, 0)}
    for index, name in enumerate(ADA):
        lowest, highest = bounds.get(name, (0, 1))
        assert lowest <= motion.coeffs[:, index].min() <= motion.coeffs[:, index].max() <= highest, name
    for side in ("Left", "Right"):
        closed = motion.coeffs[:, ADA.index(f"eyeBlink{side}")] > 0.5
        assert 1 <= (np.diff(closed.astype(int)) == 1).sum() <= 40
    # The chin goes to the subject's right only: columns by name, not by our order.
    assert motion.coeffs[:, ADA.index("jawYaw")].min() < -0.1 * JAW_SIDE_RAD
    assert np.ptp(motion.coeffs[:, ADA.index("jawPitch")]) > 0


@pytest.mark.data
def test_real_recordings_lack_their_sound(shared_data: Path, tmp_path: Path) -> None:
    found = sources(shared_data / "arkit_csv")
    assert [source.id for source in found] == ["MySlate_165_iPhone", "MySlate_167_iPhone"]
    with pytest.raises(InputError, match=r"None of 2 clips.*no sound for MySlate_165_iPhone_cal\.csv"):
        build(found, tmp_path, Silent(), Plan(num_workers=0))


def test_damaged_recordings_are_refused_or_plausible(tmp_path: Path) -> None:
    path = save(tmp_path / "take.csv", table(seconds=1.5))

    def read(content: bytes) -> object:
        path.write_bytes(content)
        return read_live_link(path)

    def plausible(motion: object) -> bool:
        assert isinstance(motion, Motion)
        return bool(np.isfinite(motion.coeffs).all() and np.abs(motion.coeffs).max() <= 1)

    assert survives(read, path.read_bytes(), plausible=plausible) > 100
