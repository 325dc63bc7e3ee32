"""Values of a mouth at the middles of its phones, how early they are reached, and jaw against lips.

Axis names: `frames`, `ticks` (100 Hz), `values`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.phones import BILABIALS, LABIODENTALS, VOWELS
from talkcli.engine.face.captured import PhoneValues, Spread
from talkcli.engine.metrics.take import Take
from talkcli.engine.types import SILENCE, Alignment

# Measures and the channels of ada whose mean they are; gap and width come from the geometry.
_CHANNELS = {
    "jaw_rad": ("jawPitch",), "funnel": ("mouthFunnel",), "pucker": ("mouthPucker",),
    "lower_down": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "upper_up": ("mouthUpperUpLeft", "mouthUpperUpRight"),
}  # fmt: skip
# Classes of neighbours.
_ROUND = {"W", "R", "UW", "OW", "AO", "OY", "UH", "ER", "SH", "ZH", "CH", "JH"}
# Smallest number of phones that makes a row of the table of neighbours.
FEWEST = 5
# Measures whose windows count, and the smallest rise of each above both neighbours.
_RISES = {"gap_mm": 1.5, "narrow_mm": 1.5, "jaw_rad": 0.015}
# Longest time in seconds from the peak in a phone to its half-way moment.
_LONGEST_WINDOW_S = 0.3
_TICK_HZ = 100


@dataclass(frozen=True, kw_only=True)
class Said:
    """A take with the phones that are said in it."""

    take: Take
    alignment: Alignment


def tracks(take: Take) -> dict[str, Float[np.ndarray, "frames"]]:
    """Return the measures of a mouth over time, by their names in the table."""
    found = {"gap_mm": take.gap_mm(), "width_mm": take.width_mm()}
    for name, channels in _CHANNELS.items():
        found[name] = np.mean([take.channel(channel) for channel in channels], axis=0)
    return found


def neighbour_class(symbol: str) -> str:
    """Return the class of a phone as a neighbour: silence, closed, teeth, rounded, open, spread or tongue."""
    kinds = {"silence": {SILENCE}, "closed": BILABIALS, "teeth": LABIODENTALS, "rounded": _ROUND}
    for kind, symbols in kinds.items():
        if symbol in symbols:
            return kind
    if symbol in VOWELS:
        return "spread" if symbol in ("IY", "IH", "EY") else "open"
    return "tongue"


def phone_values(
    said: Iterable[Said],
) -> tuple[dict[str, PhoneValues], dict[str, PhoneValues]]:
    """Return the values at the middles of phones: by symbol, and by symbol with a class of neighbour.

    The second holds rows such as `AE after closed` and `AE before tongue`, of `FEWEST` phones or more.
    """
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    beside: dict[str, list[dict[str, float]]] = defaultdict(list)
    for one in said:
        found, phones = tracks(one.take), one.alignment.phones
        times = (np.arange(one.take.num_frames) + 0.5) / one.take.fps
        for index, phone in enumerate(phones):
            at = (phone.start_s + phone.end_s) / 2
            if at > times[-1]:
                continue
            row = {name: float(np.interp(at, times, track)) for name, track in found.items()}
            rows[phone.symbol].append(row)
            if index:
                beside[f"{phone.symbol} after {neighbour_class(phones[index - 1].symbol)}"].append(row)
            if index + 1 < len(phones):
                beside[f"{phone.symbol} before {neighbour_class(phones[index + 1].symbol)}"].append(row)
    enough = {name: these for name, these in beside.items() if len(these) >= FEWEST}
    return _summed(rows), _summed(enough)


def _summed(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, PhoneValues]:
    summed = {}
    for name in sorted(rows):
        values = {measure: np.array([row[measure] for row in rows[name]]) for measure in rows[name][0]}
        summed[name] = PhoneValues(
            count=len(rows[name]),
            mean={measure: rounded(track.mean()) for measure, track in values.items()},
            sd={measure: rounded(track.std()) for measure, track in values.items()},
        )
    return summed


def windows(said: Iterable[Said]) -> dict[str, Spread]:
    """Return quartiles over phones of the time in seconds at which a measure is half way to its neighbour.

    A phone counts for a measure where it holds a peak: from its highest moment the measure falls on both
    sides, by `_RISES` at least, to the next low within 0.3 s. Times count from that moment. `narrow_mm` is
    the narrowing of the mouth.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for one in said:
        ticks = np.arange(0, one.take.num_frames / one.take.fps, 1 / _TICK_HZ)
        times = (np.arange(one.take.num_frames) + 0.5) / one.take.fps
        measured = tracks(one.take)
        measured["narrow_mm"] = -measured["width_mm"]
        for name, least in _RISES.items():
            track = np.interp(ticks, times, measured[name])
            for phone in one.alignment.phones:
                first = min(int(phone.start_s * _TICK_HZ), len(track) - 1)
                top = first + int(track[first : int(phone.end_s * _TICK_HZ) + 1].argmax())
                halves = [_half_way(side, least) for side in (track[top::-1], track[top:])]
                if phone.symbol != SILENCE and all(half is not None for half in halves):
                    for side, half in zip(("before", "after"), halves, strict=True):
                        found[f"{name} {side}"].append(float(half or 0))
    return {name: spread(values) for name, values in sorted(found.items())}


def _half_way(track: Float[np.ndarray, "ticks"], least: float) -> float | None:
    """Return the time in seconds after which `track`, from its first value on, is half way to its next low.

    None where the low is less than `least` below the first value.
    """
    near = track[: round(_LONGEST_WINDOW_S * _TICK_HZ) + 1]
    rises = np.flatnonzero(np.diff(near) > 0)
    low = near[rises[0]] if len(rises) else near[-1]
    if near[0] - low < least:
        return None
    return float(np.argmax(near <= (near[0] + low) / 2)) / _TICK_HZ


def jaw_of_gap(takes: Iterable[Take]) -> tuple[float, float, float]:
    """Return slope (radians per millimetre), intercept (radians) and r of jaw pitch against lip gap."""
    pairs = [(take.gap_mm(), take.channel("jawPitch")) for take in takes]
    gap, jaw = (np.concatenate(list(parts)) for parts in zip(*pairs, strict=True))
    slope, intercept = np.polyfit(gap, jaw, 1)
    return rounded(slope, 5), rounded(intercept), rounded(np.corrcoef(gap, jaw)[0, 1])


def spread(values: Sequence[float]) -> Spread:
    """Return the quartiles of one or more values."""
    first, median, third = np.quantile(np.asarray(values), (0.25, 0.5, 0.75))
    return Spread(clips=len(values), quartiles=(rounded(first), rounded(median), rounded(third)))


def rounded(value: float | np.floating, digits: int = 4) -> float:
    """Return a number as the table writes it."""
    return round(float(value), digits)
