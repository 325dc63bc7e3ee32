"""Timecodes of production: HH:MM:SS:FF, where FF counts pictures in the second, perhaps with a fraction.

A semicolon says that numbers are skipped to keep up with the clock (29.97, 59.94 and 119.88 a second). With
colons the rate is the number that is counted to: 23.976 counts like 24, and is read as 24. Axis name: `rows`.
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
RATES = (24, 25, 30, 48, 50, 60, 72, 90, 96, 100, 120)
_DROPPING = (30, 60, 120)
_MINUTE_S, _DAY_S = 60, 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A timecode; `drops` when it skips numbers to keep up with the clock (a semicolon says so)."""

    seconds: int
    frames: float
    drops: bool
    where: str


def parse_stamp(text: str, where: str) -> Stamp:
    """Raises InputError, naming `where`, for what is no timecode."""
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


def read_clock(stamps: Sequence[Stamp], path: Path) -> tuple[float, Float[np.ndarray, "rows"]]:
    """Frames a second, and the seconds of every row since the first.

    Raises InputError for times that do not move on, clocks of two kinds, and rates that are not in `RATES`.
    """
    if len({stamp.drops for stamp in stamps}) > 1:
        raise InputError(f"{path} mixes timecodes with and without dropped frames (; and :).")
    seconds = np.array([stamp.seconds for stamp in stamps], dtype=np.float64)
    frames = np.array([stamp.frames for stamp in stamps])
    # Past midnight the clock begins anew.
    seconds = seconds + _DAY_S * np.cumsum(np.diff(seconds, prepend=seconds[0]) < -_DAY_S / 2)
    rate = _counted(seconds, frames, path)
    counted = seconds * rate + frames
    fps = float(rate)
    if stamps[0].drops:
        if rate not in _DROPPING:
            raise InputError(
                f"{path} counts {rate} frames a second and drops some (;): only 30, 60 and 120 do."
            )
        # Each minute but every tenth skips two numbers at 30, four at 60.
        minutes = seconds // _MINUTE_S
        counted = counted - rate // 15 * (minutes - minutes // 10)
        fps = rate * 1000 / 1001
    times = (counted - counted[0]) / fps
    backwards = np.flatnonzero(np.diff(times) <= 0)
    if len(backwards):
        raise InputError(f"{stamps[backwards[0] + 1].where}: the timecode does not move on.")
    return fps, times


def _counted(seconds: Float[np.ndarray, "rows"], frames: Float[np.ndarray, "rows"], path: Path) -> int:
    """The rate in which the timecode counts: how far it comes before a second is full."""
    turns = np.flatnonzero(np.diff(seconds) == 1)
    within = np.diff(frames)[np.diff(seconds) == 0]
    if not len(turns) or not len(within):
        raise InputError(f"{path} is too short to tell its rate: its timecode never starts a new second.")
    # Rows that are missing around a turn make it look smaller, never larger; no number reaches the rate.
    most = float((frames[turns] - frames[turns + 1]).max() + np.median(within))
    fitting = [rate for rate in RATES if abs(most - rate) <= 1 and frames.max() < rate]
    if not fitting:
        raise InputError(
            f"{path} counts {max(most, frames.max()):.1f} frames a second; read are "
            f"{', '.join(map(str, RATES))}."
        )
    return min(fitting, key=lambda rate: abs(most - rate))
