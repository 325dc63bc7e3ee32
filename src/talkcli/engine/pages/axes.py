"""Scales and axes of charts: from values to positions in an SVG, with round tick values.

Positions are in the SVG's own units, which are CSS pixels at its natural size; y points down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Scale:
    """A linear map from values to positions."""

    low: float
    """Value at `start`."""
    high: float
    """Value at `end`."""
    start: float
    """Position of the value `low`."""
    end: float
    """Position of the value `high`."""

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Return about `wanted` round values inside the scale."""
        raw = (self.high - self.low) / wanted
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [step * index for index in range(first, last + 1)]


def scale_of(values: Sequence[float], start: float, end: float, *, from_zero: bool = False) -> Scale:
    """Return the scale of all finite `values`, with a margin; of equal values too, and of none."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    bottom = low if from_zero and low == 0 else low - margin
    return Scale(bottom, high + margin, start, end)


# Width of half a letter of a tick, and how far ticks may stand out to the right of their axis.
_HALF_LETTER, _BEYOND = 3.5, 10.0


def short(value: float) -> str:
    """Return a tick's value in few characters."""
    return f"{value:.6g}" if abs(value) < 1e5 else f"{value:.2g}"


def x_axis(scale: Scale, y: float, name: str) -> str:
    """Return an axis at the height `y`, with ticks below it and its `name` below these."""
    parts = [f'<path class="axis" d="M{scale.start:.1f} {y:.1f}H{scale.end:.1f}"/>']
    for value in scale.ticks():
        at = scale(value)
        parts.append(f'<path class="axis" d="M{at:.1f} {y:.1f}v4"/>')
        text = short(value)
        # A long number at the end of the axis would be cut off.
        place = min(at, scale.end + _BEYOND - _HALF_LETTER * len(text))
        parts.append(
            f'<text class="soft" x="{place:.1f}" y="{y + 17:.1f}" text-anchor="middle">{text}</text>'
        )
    middle = (scale.start + scale.end) / 2
    parts.append(f'<text x="{middle:.1f}" y="{y + 34:.1f}" text-anchor="middle">{escape(name)}</text>')
    return "".join(parts)


def y_axis(scale: Scale, left: float, right: float, name: str) -> str:
    """Return an axis at `left` with rules up to `right`, and its `name` above it."""
    parts = []
    for value in scale.ticks():
        at = scale(value)
        parts.append(f'<path class="rule" d="M{left:.1f} {at:.1f}H{right:.1f}"/>')
        parts.append(
            f'<text class="soft" x="{left - 6:.1f}" y="{at + 4:.1f}" text-anchor="end">{short(value)}</text>'
        )
    parts.append(f'<text x="{left - 6:.1f}" y="{scale.end - 10:.1f}">{escape(name)}</text>')
    return "".join(parts)
