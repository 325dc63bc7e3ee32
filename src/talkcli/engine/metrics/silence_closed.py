"""Silence: are the lips at rest while nobody speaks?

Axis names: `frames`. A measure of our own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.audio.envelope import frame_levels
from talkcli.engine.metrics.phone_frames import CLOSED_MM
from talkcli.engine.metrics.sync import frames_with_sound
from talkcli.engine.metrics.take import Share, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Speech

# A frame is silent when it is this far below the clip's speech level, its 95th percentile.
SILENCE_DB = -30.0
SPEECH_LEVEL_PERCENTILE = 95
SHORTEST_PAUSE_MS = 200


def silence_closed(gap_mm: Float[np.ndarray, "frames"], speech: Speech, fps: float) -> tuple[float, int]:
    """Return share of the frames in pauses whose lip gap is under 1 mm, and the number of such frames.

    `gap_mm` is above the gap of the head at rest. Undefined without a pause longer than 200 ms.
    """
    inside = pauses(speech, len(gap_mm), fps)
    if not inside.any():
        raise UndefinedMetricError(f"no pause longer than {SHORTEST_PAUSE_MS} ms in the sound")
    return float((gap_mm[inside] < CLOSED_MM).mean()), int(inside.sum())


def pauses(speech: Speech, num_frames: int, fps: float) -> Bool[np.ndarray, "frames"]:
    """Return frames in silent runs of more than 200 ms; silent is 30 dB or more below the clip's speech
    level.
    """
    levels = frame_levels(speech, num_frames, fps)
    loud = np.percentile(levels, SPEECH_LEVEL_PERCENTILE)
    silent = levels <= loud * 10 ** (SILENCE_DB / 20)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], silent.astype(np.int8), [0]))))
    inside = np.zeros(num_frames, dtype=bool)
    for start, end in edges.reshape(-1, 2):
        inside[start:end] = (end - start) * 1000 > SHORTEST_PAUSE_MS * fps
    return inside


def measure(take: Take, speech: Speech) -> Share:
    """Measure `silence_closed` of a take."""
    return Share(*silence_closed(take.gap_mm()[: frames_with_sound(take, speech)], speech, take.fps))
