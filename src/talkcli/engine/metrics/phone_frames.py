"""Frames of phones, and shares of phones.

Axis names: `frames`. Frame k shows the moment (k + 0.5) / fps seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment, Phone

# Lip gap in millimetres, above that of the head at rest, below which lips count as closed.
CLOSED_MM = 1.0
# Time in seconds before and after a phone that still belongs to it: one frame at 25 fps.
SLACK_S = 0.04
# Tolerance in seconds when times are compared: those of frames and phones are sums of rounded fractions.
SAME_S = 1e-6


def between(start_s: float, end_s: float, num_frames: int, fps: float) -> slice:
    """Return the frames that show a moment in [`start_s`, `end_s`]; the slice is empty when there are none.

    Args:
        start_s: First moment in seconds.
        end_s: Last moment in seconds.
        num_frames: Number of frames of the motion.
        fps: Frame rate of the motion.
    """
    first = max(int(np.ceil((start_s - SAME_S) * fps - 0.5)), 0)
    last = min(int(np.floor((end_s + SAME_S) * fps - 0.5)), num_frames - 1)
    return slice(first, max(last + 1, first))


def reached_share(
    reached: Bool[np.ndarray, "frames"], phones: Iterable[Phone], fps: float
) -> tuple[float, int]:
    """Return the share of `phones` with a `reached` frame within 40 ms of them, and the number of phones
    counted.

    Args:
        reached: Whether the state that the metric asks for is reached in each frame.
        phones: Phones to count; phones without a frame are left out.
        fps: Frame rate of `reached`.

    Raises:
        UndefinedMetricError: When no phone has a frame.
    """
    around = [between(phone.start_s - SLACK_S, phone.end_s + SLACK_S, len(reached), fps) for phone in phones]
    found = [bool(reached[frames].any()) for frames in around if frames.stop > frames.start]
    return share(found, "phone of that kind")


def share(found: Collection[bool], what: str) -> tuple[float, int]:
    """Return the share of true values in `found`, and their number.

    Raises UndefinedMetricError when `found` is empty; its text says that there is no `what`.
    """
    if not found:
        raise UndefinedMetricError(f"no {what} in the words")
    return sum(found) / len(found), len(found)


def at_middles(
    track: Float[np.ndarray, "frames"], alignment: Alignment, symbols: Iterable[str], fps: float
) -> dict[str, list[float]]:
    """Return the value of `track` at the middle of each phone, by symbol; talk interpolates linearly between
    frames.

    Args:
        track: Value in each frame.
        alignment: Phones of the speech and their times. Phones whose middle lies beyond the last frame are
            left out.
        symbols: Symbols of the phones to read.
        fps: Frame rate of `track`.
    """
    values: dict[str, list[float]] = {symbol: [] for symbol in symbols}
    middles = (np.arange(len(track)) + 0.5) / fps
    for phone in alignment.phones:
        at = (phone.start_s + phone.end_s) / 2
        if phone.symbol in values and at <= len(track) / fps:
            values[phone.symbol].append(float(np.interp(at, middles, track)))
    return values
