"""Limit of the length of a sound: a longer file, or one that states a greater length, is refused."""

from __future__ import annotations

import math
import os

from talkcli.engine.errors import UsageError

# Variable that sets the limit, and the default in minutes. 4 hours at 16 kHz are 0.9 GB of samples; animating
# them takes about three times as much memory.
LONGEST_ENV, LONGEST_MINUTES = "TALK_MAX_MINUTES", 240.0


def longest_minutes() -> float:
    """Return the largest length of a sound in minutes.

    Raises:
        UsageError: when TALK_MAX_MINUTES is not a positive finite number.
    """
    given = os.environ.get(LONGEST_ENV, "")
    try:
        minutes = float(given or LONGEST_MINUTES)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < math.inf:
        raise UsageError(f"{LONGEST_ENV} is {given[:40]!r}; it must be a number of minutes above 0.")
    return minutes


def limit_sound(minutes: float | None) -> None:
    """Set the limit to `minutes` for this process and the processes that it starts; None changes nothing."""
    if minutes is not None:
        os.environ[LONGEST_ENV] = f"{minutes:g}"
