"""Closure precision and chance: are the lips closed only where the words close them?

Axis names: `frames`. Measures of our own. `bilabial_closure` is a recall, which a mouth that closes all the
time reaches as well; these two are its opponents.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.phones import BILABIALS
from talkcli.engine.masks import runs
from talkcli.engine.metrics.phone_frames import CLOSED_MM, SLACK_S, between, share
from talkcli.engine.metrics.take import Share, Take
from talkcli.engine.types import SILENCE, Alignment

# Length of the windows of `closure_chance`, in seconds: a typical p, b or m.
WINDOW_S = 0.06
# Distance of the windows' starts, in seconds: that of the steps of alignments.
_STEP_S = 0.01


def closure_precision(
    gap_mm: Float[np.ndarray, "frames"], alignment: Alignment, fps: float
) -> tuple[float, int]:
    """Return the share of shown closures that lie within 40 ms of a p, b, m or a silence, and their number.

    A shown closure is a run of frames whose lip gap is under 1 mm. Undefined without one, and without phones.
    """
    allowed = np.zeros(len(gap_mm), dtype=bool)
    for start_s, end_s in _closing(alignment):
        allowed[between(start_s - SLACK_S, end_s + SLACK_S, len(gap_mm), fps)] = True
    # Behind the last phone nothing is said.
    allowed[between(alignment.phones[-1].end_s - SLACK_S, len(gap_mm) / fps, len(gap_mm), fps)] = True
    return share(
        [bool(allowed[start:end].any()) for start, end in runs(gap_mm < CLOSED_MM)], "closure is shown"
    )


def closure_chance(
    gap_mm: Float[np.ndarray, "frames"], alignment: Alignment, fps: float
) -> tuple[float, int]:
    """Return the share of windows of 60 ms away from p, b, m and silence with a closed frame, and their
    number.

    Windows start every 10 ms and keep 40 ms from those phones: what `bilabial_closure` would find by chance.
    A window without the middle of a frame is not counted. Undefined without a window.
    """
    closed = gap_mm < CLOSED_MM
    end_s = min(len(gap_mm) / fps, alignment.phones[-1].end_s)
    starts = np.arange(0.0, end_s - WINDOW_S, _STEP_S)
    away = np.ones(len(starts), dtype=bool)
    for start_s, stop_s in _closing(alignment):
        away &= (starts + WINDOW_S <= start_s - SLACK_S) | (starts >= stop_s + SLACK_S)
    windows = [between(start, start + WINDOW_S, len(gap_mm), fps) for start in starts[away]]
    found = [bool(closed[frames].any()) for frames in windows if frames.stop > frames.start]
    return share(found, "window away from p, b, m and silence")


def _closing(alignment: Alignment) -> list[tuple[float, float]]:
    """Return start and end, in seconds, of the phones in which lips may be closed."""
    closing = BILABIALS | {SILENCE}
    return [(phone.start_s, phone.end_s) for phone in alignment.phones if phone.symbol in closing]


def measure_precision(take: Take, alignment: Alignment) -> Share:
    """Measure `closure_precision` of a take."""
    return Share(*closure_precision(take.gap_mm(), alignment, take.fps))


def measure_chance(take: Take, alignment: Alignment) -> Share:
    """Measure `closure_chance` of a take."""
    return Share(*closure_chance(take.gap_mm(), alignment, take.fps))
