"""What captured faces do: a small table of numbers that films and face trackers gave.

`examples/captured_faces.py` makes the table from prepared data sets (docs/captured.md). It holds aggregates
only: means, deviations, quartiles, and the factors that move the performer's visemes towards captured ones.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from talkcli.engine.types import Config

# What a data set is for: the performer follows `fitted` films; `held out` ones and `whole face` takes are
# reported only; `jaw and lips` is for the jaw against the lip gap.
Use = Literal["fitted", "held out", "jaw and lips", "whole face"]

TABLE = Path(__file__).parent / "assets" / "captured_faces.json"


class Gains(Config):
    """Factors on the hand-made shape of a phone that move it towards the captured one."""

    opening: float = 1.0
    """Factor on jaw pitch and on the channels that part the lips."""
    rounding: float = 1.0
    """Factor on the channels that round the lips; those that spread them are divided by it."""


class Spread(Config):
    """A value of every clip of a source."""

    clips: int
    """Number of clips."""
    quartiles: tuple[float, float, float]
    """First quartile, median and third quartile over clips."""


class CapturedSet(Config):
    """A data set that was read."""

    clips: int
    seconds: float
    use: Use


class PhoneValues(Config):
    """Values at the middles of the phones of one symbol, or of those beside one class of neighbours."""

    count: int
    """Number of phones."""
    mean: dict[str, float]
    """Mean by measure: `gap_mm`, `width_mm`, `jaw_rad`, and channels as shares of full scale."""
    sd: dict[str, float]
    """Standard deviation by measure."""


class Captured(Config):
    """The table."""

    sources: dict[str, CapturedSet]
    phones: dict[str, dict[str, PhoneValues]]
    """By source, then by ARPAbet symbol."""
    neighbours: dict[str, PhoneValues]
    """Of the fitted source, by `SYMBOL before CLASS` and `SYMBOL after CLASS`; counts of 5 and more."""
    windows_s: dict[str, dict[str, Spread]]
    """By source, then by measure and side (`gap_mm before`): time from the peak in a phone to the moment
    at which the measure is half way to its neighbour; `clips` counts phones."""
    jaw_of_gap: dict[str, tuple[float, float, float]]
    """By source: slope in radians per millimetre of lip gap, intercept in radians, Pearson's r."""
    whole_face: dict[str, dict[str, Spread]]
    """By source, then by measure: quartiles over clips."""
    gains: dict[str, Gains]
    """By ARPAbet symbol. The first part of OW is no phone of its own, so that it never follows films."""


@cache
def captured() -> Captured:
    """Return the table that belongs to this version of talk."""
    return Captured.model_validate_json(TABLE.read_text(encoding="utf-8"))
