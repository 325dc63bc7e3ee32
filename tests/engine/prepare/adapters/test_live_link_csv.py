"""The tables of Live Link Face: read as they were made, or refused with the line."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.arkit import ada_coeffs
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD, JAW_SIDE_RAD
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.types import Motion
from tests.engine.data.mutations import survives
from tests.engine.prepare.adapters.live_link_tables import (
    HEADER,
    Table,
    cell,
    channel,
    jaw_at,
    read_live_link,
    renamed,
    save,
    table,
    timecode,
    without,
)


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


REFUSED: dict[str, tuple[Callable[[Table], Table], str]] = {
    "neurosync": (_neurosync, "that NeuroSync writes"),
    "curve missing": (lambda rows: without(rows, "JawOpen"), "line 1: column 'jawOpen' is missing"),
    "curves missing": (
        lambda rows: without(without(rows, "JawOpen"), "BrowInnerUp"),
        r"\(and 1 more\) is missing",
    ),
    "curve renamed": (renamed("JawOpen", "JawOpened"), "column 'jawopened' is none"),
    "rig's names": (renamed("EyeBlinkLeft", "eyeBlink_L"), "column 'eyeblink_l' is none"),
    "curve twice": (renamed("JawOpen", "JawLeft"), "column 'jawleft' occurs twice"),
    "time renamed": (renamed("Timecode", "Time"), "no column Timecode"),
    "no header": (lambda rows: rows[1:], "no column Timecode"),
    "nothing": (lambda rows: [], "no column Timecode"),
    "header only": (lambda rows: rows[:1], "holds 0 frames"),
    "one row": (lambda rows: rows[:2], "holds 1 frame;"),
    "half a second": (lambda rows: rows[:30], "too short to show its rate"),
    "cut row": (lambda rows: [*rows[:-1], rows[-1][:20]], "line 181: 20 columns, but the header has 63"),
    "long row": (lambda rows: [*rows[:-1], [*rows[-1], "0"]], "64 columns"),
    "comma decimals": (
        lambda rows: [rows[0], *([cell.replace(".", ",") for cell in row] for row in rows[1:])],
        "columns, but the header has 63",
    ),
    "20 fps": (_paced(20), "counts 20.0 frames a second"),
    "44 fps": (_paced(44), "counts 44.0 frames a second"),
    "backwards": (_swapped, "line 22: the timecode does not advance"),
    "stands still": (lambda rows: [*rows[:30], rows[29], *rows[30:]], "31: the timecode does not advance"),
    "gaps": (
        lambda rows: rows[:40] + rows[60:110] + rows[130:],
        r"line \d+: 0.35 s without a face .* has 0.83 s, less than 1 s",
    ),
    "hour's gap": (cell(100, "Timecode", "20:16:58:10.273"), "without a face|does not advance"),
    "mixed clocks": (_mixed, "mixes timecodes"),
    "all at rest": (
        lambda rows: [rows[0], *([row[0], "61", *["0.0"] * 61] for row in rows[1:])],
        "nothing moves in 180 frames",
    ),
    **{
        f"timecode {text!r}": (cell(31, "Timecode", text), "line 31: .* is no timecode")
        for text in (
            "", "abc", "19:16:58", "1.5", "25:00:00:00.0", "19:61:00:00.0", "19:16:60:00.0", "-1:16:58:10.0",
            "19:16:58:nan", "19:16:58:10.273.1", "\u0661\u0669:16:58:10", "19:16:58:1e3",
        )
    },
    **{
        f"value {text!r}": (cell(31, "JawOpen", text), "line 31: jawOpen is .* not a number from 0 to 1")
        for text in (
            "", "nan", "inf", "-inf", "1e999", "-0.6", "1.6", "42", "1e6", "0x1", "0_1", "\u0660.5", "a",
            "1e", "0.1 0.2", "True", "9" * 400,
        )
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "text", ["1.0000000001", "1.053", "1.2", "1.5", "-0.0000001", "-0.053", "-0.3", "-0.5"]
)
@pytest.mark.parametrize("name", ["JawOpen", "EyeLookInLeft", "TongueOut"])
def test_values_somewhat_beyond_are_clipped(tmp_path: Path, name: str, text: str) -> None:
    take = read_take(save(tmp_path / "a.csv", cell(31, name, text)(table())))
    limited = "1" if float(text) > 1 else "0"
    wanted = read_take(save(tmp_path / "b.csv", cell(31, name, limited)(table())))
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
    text = "\r\n".join(",".join(row) + ending for row in renamed("BlendshapeCount", spelling)(table()))
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


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "num_frames", "kept"),
    [
        ("arkit_csv/MySlate_165_iPhone_cal", 1855, ""),
        ("arkit_csv/MySlate_167_iPhone_cal", 1828, ""),
        ("iphone/alexdjulin/S07-001", 4058, ""),
        ("iphone/alexdjulin/S88-001", 2401, "17.10 to 57.09 s of 64.69 s"),
        ("iphone/alexdjulin/alex_rom_3", 8064, ""),
        ("iphone/alexdjulin/alex_rom_4", 7620, ""),
        ("iphone/alexdjulin/apfel", 1711, "19.53 to 48.03 s of 64.22 s"),
        ("iphone/alexdjulin/facial", 3826, ""),
        ("iphone/dwskillman/MySlate_1_iPhone_v1", 1219, ""),
        ("iphone/dwskillman/MySlate_1_iPhone_v2", 680, ""),
        ("iphone/neurosync_noaudio/MySlate_166_iPhone_cal", 1851, ""),
    ],
)
def test_all_real_recordings_are_read(shared_data: Path, name: str, num_frames: int, kept: str) -> None:
    take = read_take(shared_data / f"{name}.csv")
    assert (take.motion.fps, len(take.motion.coeffs)) == (60, num_frames)
    assert take.is_cut == bool(kept)
    assert kept in take.remarks.get("gap", "")


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


def test_damaged_recordings_are_refused_or_plausible(tmp_path: Path) -> None:
    path = save(tmp_path / "take.csv", table(seconds=1.5))

    def read(content: bytes) -> object:
        path.write_bytes(content)
        return read_live_link(path)

    def plausible(motion: object) -> bool:
        assert isinstance(motion, Motion)
        return bool(np.isfinite(motion.coeffs).all() and np.abs(motion.coeffs).max() <= 1)

    assert survives(read, path.read_bytes(), plausible=plausible) > 100
