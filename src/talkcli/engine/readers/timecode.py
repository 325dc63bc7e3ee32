"""Production timecodes: HH:MM:SS:FF, where FF counts the frames in the second, perhaps with a fraction.

A semicolon marks drop-frame timecode, which skips numbers to keep up with the clock (29.97, 59.94 and 119.88
frames per second). With colons, the number to which the timecode counts is the rate: 23.976 counts like 24,
and only a sound recorded with it can distinguish the two. Axis name: `rows`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError

_FORM = re.compile(r"(\d\d)[:;](\d\d)[:;](\d\d)([:;])(\d{1,3}(?:\.\d{1,9})?)", re.ASCII)
# Frame rates that are read, as the timecode counts them, in frames per second.
RATES = (24, 25, 30, 48, 50, 60, 72, 90, 96, 100, 120)
# Rates that drop-frame timecode counts to.
_DROPPING = (30, 60, 120)
# Rates that television runs a thousandth slower than it counts them: 23.976 counts to 24.
_SLOWED = (24, 30, 48, 60, 120)
_SLOWER = 1000 / 1001
# Difference in frames per second below which a rate is the same: people write 29.97.
_SAME_RATE = 0.005
# Smallest drift in seconds that counts as one: sounds start and end within about a frame of their pictures.
_LEAST_DRIFT_S = 0.15
# Most frames by which the length of the sound may differ from that of the rows.
_MOST_ODD_FRAMES = 1.5
_MINUTE_S, _DAY_S = 60, 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A timecode."""

    seconds: int
    """Whole seconds since midnight."""
    frames: float
    """Number of the frame within the second."""
    drops: bool
    """Whether it is drop-frame timecode, which a semicolon marks."""
    where: str
    """File and row, for messages."""


def parse_stamp(text: str, where: str) -> Stamp:
    """Parse a timecode. Raises InputError, naming `where`, when `text` is none."""
    match = _FORM.fullmatch(text.strip())
    if match is None or int(match[1]) >= 24 or max(int(match[2]), int(match[3])) >= 60:
        raise InputError(f"{where}: {text[:40]!r} is no timecode HH:MM:SS:FF.")
    hours, minutes, seconds = (int(match[index]) for index in (1, 2, 3))
    return Stamp(
        seconds=(hours * 60 + minutes) * _MINUTE_S + seconds,
        frames=float(match[5]),
        drops=";" in text,
        where=where,
    )


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The times of all rows."""

    fps: float
    """Frames per second."""
    times: Float[np.ndarray, "rows"]
    """Seconds of every row since the first."""
    remark: str | None = None
    """What the length of the sound decided, in words; None if nothing."""


def read_clock(stamps: Sequence[Stamp], path: Path, sound_s: float | None = None) -> Clock:
    """Return the times of the rows by their timecodes.

    Args:
        stamps: The timecode of every row.
        path: The file, for messages.
        sound_s: Length in seconds of the sound recorded with the rows; it decides where the timecode leaves
            the rate open.

    Raises:
        InputError: The times do not advance, the timecodes are of two kinds, or the rate is not in `RATES`.
    """
    if len({stamp.drops for stamp in stamps}) > 1:
        raise InputError(f"{path} mixes timecodes with and without dropped frames (; and :).")
    seconds = np.array([stamp.seconds for stamp in stamps], dtype=np.float64)
    frames = np.array([stamp.frames for stamp in stamps])
    # At midnight the clock starts again at 0.
    seconds = seconds + _DAY_S * np.cumsum(np.diff(seconds, prepend=seconds[0]) < -_DAY_S / 2)
    rate, remark = _counted(seconds, frames, path, sound_s)
    counted = seconds * rate + frames
    fps = float(rate)
    if stamps[0].drops:
        if rate not in _DROPPING:
            raise InputError(
                f"{path} counts {rate} frames a second and drops some (;): only 30, 60 and 120 do."
            )
        # Every minute but each tenth skips rate / 15 numbers: two at 30, four at 60.
        minutes = seconds // _MINUTE_S
        counted = counted - rate // 15 * (minutes - minutes // 10)
        fps = rate * _SLOWER
    steps = np.diff(counted)
    backwards = np.flatnonzero(steps <= 0)
    if len(backwards):
        raise InputError(f"{stamps[backwards[0] + 1].where}: the timecode does not advance.")
    if sound_s is not None and not stamps[0].drops and rate in _SLOWED:
        # The last row lasts as long as the others.
        length_s = (counted[-1] - counted[0] + np.median(steps)) / rate
        drift_s = length_s / _SLOWER - length_s
        if drift_s >= _LEAST_DRIFT_S and abs(sound_s - length_s - drift_s) < drift_s / 4:
            fps = rate * _SLOWER
            remark = (
                f"The timecode counts {rate} frames a second, the sound's length fits {fps:.5g}; "
                f"at {rate} the motion would end {drift_s:.2f} s before the sound."
            )
    return Clock(fps=fps, times=(counted - counted[0]) / fps, remark=remark)


def _counted(
    seconds: Float[np.ndarray, "rows"],
    frames: Float[np.ndarray, "rows"],
    path: Path,
    sound_s: float | None,
) -> tuple[int, str | None]:
    """Return the rate to which the timecode counts, and what the sound decided, in words.

    The rate shows in how far the frames count before a second is full. A single full second may have lost
    rows around its end; there the length of the sound decides.
    """
    turns = np.flatnonzero(np.diff(seconds) == 1)
    within = np.diff(frames)[np.diff(seconds) == 0]
    if not len(within) or (not len(turns) and sound_s is None):
        raise InputError(f"{path} is too short to show its rate: its timecode never starts a new second.")
    step = float(np.median(within))
    # Rows that are missing where a second ends make the count look smaller, never larger. Frame numbers stay
    # below the rate.
    reached = frames[turns] - frames[turns + 1] + step
    most = float(reached.max(initial=0))
    fitting = [rate for rate in RATES if abs(most - rate) <= 1 and frames.max() < rate]
    usual = min(fitting, key=lambda rate: abs(most - rate), default=None)
    if sound_s is not None and (reached > most - 0.5).sum() < 2:
        open_rates = [rate for rate in RATES if frames.max() < rate and rate >= most - 1]
        span = seconds[-1] - seconds[0], frames[-1] - frames[0] + step
        heard = _heard(open_rates, usual, span, sound_s)
        if heard is not None and heard != usual:
            return heard, (
                f"The timecode shows the end of a second {'once' if len(turns) else 'never'}, which leaves "
                f"its rate open; by the sound's length of {sound_s:.2f} s it counts {heard} frames a second."
            )
    if usual is None and not len(turns):
        raise InputError(f"{path} is too short to show its rate, and the length of its sound fits no rate.")
    if usual is None:
        raise InputError(
            f"{path} counts {max(most, frames.max()):.1f} frames a second; the known rates are "
            f"{', '.join(map(str, RATES))}."
        )
    return usual, None


def _heard(rates: Sequence[int], usual: int | None, span: tuple[float, float], sound_s: float) -> int | None:
    """Return the one of `rates` at which `span`, whole seconds and frames, is as long as the sound.

    Return None where no rate fits, or where the best one fits less than twice as well as the `usual` one or,
    without a usual one, as each other rate.
    """
    wrong_s = {rate: abs(span[0] + span[1] / rate - sound_s) for rate in rates}
    best, *others = sorted(wrong_s, key=lambda rate: wrong_s[rate]) or [0]
    if not best or wrong_s[best] > _MOST_ODD_FRAMES / best:
        return None
    rivals = [usual] if usual is not None and usual != best else others if usual is None else []
    return best if all(wrong_s[best] < wrong_s[rival] / 2 for rival in rivals) else None


def counted_rate(fps: float) -> int | None:
    """Return the rate to which a timecode of `fps` counts; None where no timecode counts it.

    Rates that are a thousandth slower than one that drops numbers get drop-frame timecode.
    """
    for rate in RATES:
        if abs(fps - rate) < _SAME_RATE or (rate in _DROPPING and abs(fps - rate * _SLOWER) < _SAME_RATE):
            return rate
    return None


def written_rates() -> list[str]:
    """Return the frame rates that timecodes count, as people write them."""
    return [*map(str, RATES), *(f"{rate * _SLOWER:.2f}" for rate in _DROPPING)]


def timecode(index: int, fps: float) -> str:
    """Return the timecode of frame `index`, from 0, without a fraction; after a day it starts again.

    Raises ValueError for a rate that no timecode counts.
    """
    rate = counted_rate(fps)
    if rate is None:
        raise ValueError(f"no timecode counts {fps} frames a second")
    drops = abs(fps - rate) >= _SAME_RATE
    if drops:
        # A minute skips rate / 15 numbers at its start, except every tenth.
        skipped = rate // 15
        whole, rest = divmod(index, 10 * _MINUTE_S * rate - 9 * skipped)
        minutes = max(0, (rest - skipped) // (_MINUTE_S * rate - skipped))
        index += skipped * (9 * whole + minutes)
    seconds, frames = divmod(index, rate)
    seconds %= _DAY_S
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{clock}{';' if drops else ':'}{frames:02d}"
