"""When the frames of a take of Live Link Face were: rates, gaps, dropped numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from tests.engine.prepare.adapters.live_link_tables import (
    HEADER,
    Table,
    channel,
    jaw_at,
    read_live_link,
    save,
    table,
    timecode,
)

Lose = Callable[[Table, int, int], Table]


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
    assert "0.23 s without a face follow line 41." in read_take(save(tmp_path / "b.csv", rows)).remarks["gap"]


def unseen(rows: Table, first: int, last: int) -> Table:
    return [[row[0], "0"] if first < number <= last + 1 else row for number, row in enumerate(rows)]


def unrecorded(rows: Table, first: int, last: int) -> Table:
    return [row for number, row in enumerate(rows) if not first < number <= last + 1]


@pytest.mark.parametrize("lose", [unseen, unrecorded])
def test_of_a_take_with_gaps_the_longest_stretch_is_kept(tmp_path: Path, lose: Lose) -> None:
    # Frames 60 to 99 and 300 to 329 are lost; among those that are kept a short gap.
    rows = lose(lose(lose(table(6.0), 300, 329), 200, 204), 60, 99)
    take = read_take(save(tmp_path / "a.csv", rows))
    assert (take.is_cut, take.start_s, take.whole_s) == (True, pytest.approx(100 / 60), pytest.approx(6.0))
    assert len(take.motion.coeffs) == 200
    assert take.motion.pose is not None and len(take.motion.pose) == 200
    wanted = jaw_at(np.arange(100, 300) / 60) * JAW_OPEN_RAD
    jaw = take.motion.coeffs[:, ADA.index("jawPitch")]
    np.testing.assert_allclose(np.delete(jaw, slice(100, 105)), np.delete(wanted, slice(100, 105)), atol=1e-6)
    np.testing.assert_allclose(jaw[99:106], np.linspace(wanted[99], wanted[105], 7), atol=1e-6)
    assert take.remarks == {
        "gap": "Kept are 1.67 to 4.98 s of 5.98 s, the longest stretch of 3; 0.68 s without a face "
        "follow line 61."
    }


def test_a_face_that_comes_late_and_goes_early(tmp_path: Path) -> None:
    take = read_take(save(tmp_path / "a.csv", unseen(unseen(table(), 0, 19), 150, 179)))
    assert (take.start_s, len(take.motion.coeffs)) == (pytest.approx(20 / 60), 130)
    whole = read_take(save(tmp_path / "b.csv", unseen(unseen(table(), 0, 9), 170, 179)))
    assert (whole.is_cut, whole.start_s, len(whole.motion.coeffs)) == (False, 0, 180)


def test_what_never_moves_in_the_part_that_is_kept_is_refused(tmp_path: Path) -> None:
    rows = unseen(table(), 40, 59)
    for row in rows[61:]:
        row[2:] = ["0.0"] * 61
    with pytest.raises(InputError, match="nothing moves"):
        read_take(save(tmp_path / "a.csv", rows))


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
