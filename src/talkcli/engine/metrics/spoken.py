"""Frames in which somebody speaks, for variants that leave pauses out (UniLS: `s_lve`, `s_mhd`, `s_fdd`).

Axis names: `frames`. UniLS reads the spoken frames from its data; talk finds them in the sound: all frames
but those in pauses, as `silence_closed` defines them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from talkcli.engine.metrics.silence_closed import pauses
from talkcli.engine.metrics.sync import frames_with_sound
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Speech


def spoken_frames(take: Take, speech: Speech) -> Bool[np.ndarray, "frames"]:
    """Return which frames of a take have speech. Raises UndefinedMetricError when none has."""
    spoken = np.zeros(take.num_frames, dtype=bool)
    count = frames_with_sound(take, speech)
    spoken[:count] = ~pauses(speech, count, take.fps)
    if not spoken.any():
        raise UndefinedMetricError("nobody speaks in the sound")
    return spoken
