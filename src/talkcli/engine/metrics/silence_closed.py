"""Closed in silence: the share of frames in pauses whose lips are closed.

Axis names: `frames`. A measure of our own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.audio.envelope import frame_levels
from talkcli.engine.masks import runs
from talkcli.engine.metrics.phone_frames import CLOSED_MM
from talkcli.engine.metrics.sync import frames_with_sound
from talkcli.engine.metrics.take import Share, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Speech

# Level in dB relative to the speech level of the clip, at and below which a frame is silent.
SILENCE_DB = -30.0
# Percentile of a clip's frame levels that is its speech level.
SPEECH_LEVEL_PERCENTILE = 95
# Duration in milliseconds that a silent run must exceed to be a pause.
SHORTEST_PAUSE_MS = 200


def silence_closed(gap_mm: Float[np.ndarray, "frames"], speech: Speech, fps: float) -> tuple[float, int]:
    """Return the share of frames in pauses whose lip gap is under 1 mm, and the number of frames in pauses.

    Args:
        gap_mm: Mean distance of the inner-lip landmark pairs in millimetres, minus that of the head at rest.
        speech: Sound of the clip.
        fps: Frame rate of `gap_mm`.

    Raises:
        UndefinedMetricError: When no pause exceeds 200 ms.
    """
    inside = pauses(speech, len(gap_mm), fps)
    if not inside.any():
        raise UndefinedMetricError(f"no pause longer than {SHORTEST_PAUSE_MS} ms in the sound")
    return float((gap_mm[inside] < CLOSED_MM).mean()), int(inside.sum())


def pauses(speech: Speech, num_frames: int, fps: float) -> Bool[np.ndarray, "frames"]:
    """Return for each frame whether it lies in a pause: a silent run of more than 200 ms.

    Silent means 30 dB or more below the clip's speech level.

    Args:
        speech: Sound of the clip.
        num_frames: Number of frames of the motion.
        fps: Frame rate of the motion.
    """
    levels = frame_levels(speech, num_frames, fps)
    loud = np.percentile(levels, SPEECH_LEVEL_PERCENTILE)
    silent = levels <= loud * 10 ** (SILENCE_DB / 20)
    inside = np.zeros(num_frames, dtype=bool)
    for start, end in runs(silent):
        inside[start:end] = (end - start) * 1000 > SHORTEST_PAUSE_MS * fps
    return inside


def measure(take: Take, speech: Speech) -> Share:
    """Measure `silence_closed` of a take."""
    return Share(*silence_closed(take.gap_mm()[: frames_with_sound(take, speech)], speech, take.fps))
