"""Clocks of takes: what the timecode says, and what a sound of known length adds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.readers.timecode import (
    Clock,
    Stamp,
    counted_rate,
    parse_stamp,
    read_clock,
    timecode,
    written_rates,
)


def stamps(numbers: Iterable[int], rate: int) -> list[Stamp]:
    """Stamps of a clock that counts `rate` a second, from noon."""
    found = []
    for number in numbers:
        seconds, frames = divmod(number, rate)
        text = f"12:{seconds // 60:02d}:{seconds % 60:02d}:{frames:02d}"
        found.append(parse_stamp(text, f"take.csv, line {number}"))
    return found


def clock(numbers: Iterable[int], rate: int, sound_s: float | None = None) -> Clock:
    return read_clock(stamps(numbers, rate), Path("take.csv"), sound_s)


# The number 24 of the only second that ends was not recorded: it may have been counted to 24 or to 25.
LOST_24 = [*range(24), *range(25, 49)]


@pytest.mark.parametrize(("sound_s", "rate"), [(None, 24), (1.96, 25), (2.0, 24), (1.98, 24), (3.0, 24)])
def test_the_sound_tells_24_from_25(sound_s: float | None, rate: int) -> None:
    found = clock(LOST_24, 25, sound_s)
    assert found.fps == rate
    assert (found.remark is not None) == (rate == 25)
    if found.remark:
        assert "once" in found.remark and "1.96 s" in found.remark and "25" in found.remark


def test_a_turn_that_lost_too_much_is_read_with_its_sound() -> None:
    numbers = [*range(10, 29), *range(34, 49)]
    with pytest.raises(InputError, match=r"counts 28\.0 frames a second"):
        clock(numbers, 30)
    found = clock(numbers, 30, 1.3)
    assert found.fps == 30
    np.testing.assert_allclose(found.times, (np.array(numbers) - 10) / 30)
    with pytest.raises(InputError, match=r"counts 28\.0 frames a second"):
        clock(numbers, 30, 5.0)


def test_many_turns_need_no_sound() -> None:
    # A sound of any length changes nothing: it may be the one that is wrong.
    for sound_s in (0.5, 4.7, 5.0, 60.0):
        found = clock(range(125), 25, sound_s)
        assert (found.fps, found.remark) == (25, None)


def test_less_than_a_second_is_read_with_its_sound() -> None:
    with pytest.raises(InputError, match="too short to show its rate: its timecode never"):
        clock(range(10, 58), 60)
    assert clock(range(10, 58), 60, 0.8).fps == 60
    assert clock(range(10, 30), 60, 20 / 60).fps == 60
    with pytest.raises(InputError, match="length of its sound fits no rate"):
        clock(range(10, 58), 60, 0.7)


@pytest.mark.parametrize(("rate", "slower"), [(24, 23.976), (30, 29.97), (60, 59.94)])
def test_a_long_sound_tells_the_rates_of_television(rate: int, slower: float) -> None:
    numbers = range(240 * rate)
    for sound_s in (240.24, 240.20):
        found = clock(numbers, rate, sound_s)
        assert found.fps == pytest.approx(slower, abs=1e-3)
        assert found.times[-1] == pytest.approx((240 * rate - 1) * 1.001 / rate)
        assert found.remark is not None
        assert f"{slower:.5g}" in found.remark and "0.24 s before the sound" in found.remark
    for length_s in (None, 240.0, 240.1, 239.76, 240.5, 200.0):
        found = clock(numbers, rate, length_s)
        assert (found.fps, found.remark) == (rate, None), length_s
    # A minute drifts by less than sounds and pictures end apart.
    assert clock(range(60 * rate), rate, 60.06).fps == rate


def test_only_rates_of_television_are_slowed() -> None:
    assert clock(range(240 * 25), 25, 240.24).fps == 25
    assert clock(range(240 * 50), 50, 240.24).fps == 50


def test_drop_frame_timecode_skips_the_numbers_that_the_standard_skips() -> None:
    # Numbers that exist: all but 0 and 1 of each minute that is no tenth.
    exist = [
        (minute, second, number)
        for minute in range(22)
        for second in range(60)
        for number in range(30)
        if not (minute % 10 and second == 0 and number < 2)
    ]
    written = [timecode(index, 29.97) for index in range(len(exist))]
    assert written == [f"00:{minute:02d}:{second:02d};{number:02d}" for minute, second, number in exist]
    assert timecode(107_892, 30_000 / 1001) == "01:00:00;00"


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97, 30.0, 59.94, 60.0, 120.0])
def test_written_timecodes_are_read_at_their_rate(fps: float) -> None:
    first, count = round(58 * fps), round(5 * fps)
    found = read_clock(
        [parse_stamp(timecode(first + index, fps), f"row {index}") for index in range(count)],
        Path("take.csv"),
    )
    assert found.fps == pytest.approx(fps, rel=1e-5)
    np.testing.assert_allclose(found.times, np.arange(count) / found.fps, atol=1e-9)


def test_rates_that_no_timecode_counts() -> None:
    assert [counted_rate(fps) for fps in (12.5, 23.976, 29.9, 240.0)] == [None] * 4
    # Rounding errors of a rate are none of the clock.
    assert [counted_rate(fps) for fps in (59.9999999, 29.97, 60000 / 1001, 119.88)] == [60, 30, 60, 120]
    assert [timecode(61, fps) for fps in (59.9999999, 60.0, 59.94)] == ["00:00:01:01"] * 2 + ["00:00:01;01"]
    assert set(written_rates()) >= {"60", "29.97", "59.94", "119.88"}
    with pytest.raises(ValueError, match=r"12\.5"):
        timecode(0, 12.5)
    assert timecode(24 * 3600 * 25 + 1, 25.0) == "00:00:00:01"
