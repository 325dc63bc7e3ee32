"""Times of networks: how long one call takes, and our loop over frames against the published one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from torch import Tensor


def seconds_of(work: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Return the wall-clock seconds that `work` takes, and what it returns."""
    started_s = time.perf_counter()
    made = work()
    return time.perf_counter() - started_s, made


def compare_loops(
    ours: Callable[[], Tensor], published: Callable[[], Tensor], *, frames: int, rounds: int
) -> dict[str, Any]:
    """Return the seconds of a loop over `frames`, ours (the median of `rounds`) and as published (once), how
    many times as fast ours is, and the largest difference of a value, relative to their standard deviation.
    """
    own = [seconds_of(ours) for _ in range(rounds)]
    their_s, theirs = seconds_of(published)
    own_s = statistics.median(each for each, _ in own)
    return {
        "frames": frames,
        "seconds": own_s,
        "published_seconds": their_s,
        "times_faster": their_s / own_s,
        "largest_difference": float((own[0][1] - theirs).abs().max() / theirs.std()),
    }
