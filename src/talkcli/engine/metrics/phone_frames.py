"""Which frames belong to a phone, and shares of phones.

Axis names: `frames`. Frame k is the state at the middle of its time, (k + 0.5) / fps seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment, Phone

# A gap under this is closed.
CLOSED_MM = 1.0
# What happens this long before or after a phone still belongs to it: one frame at 25 fps.
SLACK_S = 0.04
# Times of frames and phones are sums of fractions.
SAME_S = 1e-6


def between(start_s: float, end_s: float, num_frames: int, fps: float) -> slice:
    """Return frames whose middle lies in [`start_s`, `end_s`]; empty where there is none."""
    first = max(int(np.ceil((start_s - SAME_S) * fps - 0.5)), 0)
    last = min(int(np.floor((end_s + SAME_S) * fps - 0.5)), num_frames - 1)
    return slice(first, max(last + 1, first))


def reached_share(
    reached: Bool[np.ndarray, "frames"], phones: Iterable[Phone], fps: float
) -> tuple[float, int]:
    """Return share of `phones` with a `reached` frame within 40 ms of them, and how many were counted: those
    that have a frame. Undefined without any.
    """
    around = [between(phone.start_s - SLACK_S, phone.end_s + SLACK_S, len(reached), fps) for phone in phones]
    found = [bool(reached[frames].any()) for frames in around if frames.stop > frames.start]
    return share(found, "phone of that kind")


def share(found: Collection[bool], what: str) -> tuple[float, int]:
    """Return share of what is true in `found`, and their number. Undefined for none, naming `what` is
    missing.
    """
    if not found:
        raise UndefinedMetricError(f"no {what} in the words")
    return sum(found) / len(found), len(found)


def at_middles(
    track: Float[np.ndarray, "frames"], alignment: Alignment, symbols: Iterable[str], fps: float
) -> dict[str, list[float]]:
    """Return what `track` is at the middle of each phone, by symbol, on the line between the two nearest
    frames.

    Phones whose middle lies beyond the last frame are left out.
    """
    values: dict[str, list[float]] = {symbol: [] for symbol in symbols}
    middles = (np.arange(len(track)) + 0.5) / fps
    for phone in alignment.phones:
        at = (phone.start_s + phone.end_s) / 2
        if phone.symbol in values and at <= len(track) / fps:
            values[phone.symbol].append(float(np.interp(at, middles, track)))
    return values
