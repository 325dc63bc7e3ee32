"""How much sound of one file is read, before a file that claims or makes too much is refused."""

from __future__ import annotations

import math
import os

from talkcli.engine.errors import UsageError

# 4 hours at 16 kHz are 0.9 GB of samples; what animates them takes about three times that.
LONGEST_ENV, LONGEST_MINUTES = "TALK_MAX_MINUTES", 240.0


def longest_minutes() -> float:
    """Return the most minutes of sound that are read. Raises UsageError when TALK_MAX_MINUTES is no such
    number.
    """
    given = os.environ.get(LONGEST_ENV, "")
    try:
        minutes = float(given or LONGEST_MINUTES)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < math.inf:
        raise UsageError(f"{LONGEST_ENV} is {given[:40]!r}, a number of minutes above 0 is needed.")
    return minutes


def limit_sound(minutes: float | None) -> None:
    """Read up to `minutes` of sound from here on (None: as before), in processes to be started too."""
    if minutes is not None:
        os.environ[LONGEST_ENV] = f"{minutes:g}"
