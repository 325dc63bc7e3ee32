"""Mouths against a real one: do opening and width follow those of the person who spoke?

Axis names: `frames`. Measures of our own. The opponent of the correlation is the logarithm of the sound's
energy, which already follows real mouths (r 0.75 to 0.87 on hand-made curves, about 0.2 on films of quick
talk): a generator that knows less than loudness stays below it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.envelope import envelope
from talkcli.engine.metrics.sync import LARGEST_LAG_MS, best_correlation, frames_with_sound
from talkcli.engine.metrics.take import Take
from talkcli.engine.types import Speech

# Smallest level in the logarithm, in dB below the loudest frame: below it a room is heard, not speech.
_FLOOR_DB = 60.0


def log_energy(speech: Speech, num_frames: int, fps: float) -> Float[np.ndarray, "frames"]:
    """Return the level of the sound at each frame in dB, at least 60 dB below its loudest frame."""
    level = 20 * np.log10(np.maximum(envelope(speech, num_frames, fps), 1e-9))
    return np.maximum(level, level.max() - _FLOOR_DB)


def measure_opening_r(take: Take, beside: tuple[Take, Speech]) -> float:
    """Measure the correlation of the lip gap with the true one at the best lag within 80 ms."""
    true, speech = beside
    count = frames_with_sound(take, speech)
    return best_correlation(take.gap_mm()[:count], true.gap_mm()[:count], take.fps, LARGEST_LAG_MS)[0]


def measure_width_r(take: Take, beside: tuple[Take, Speech]) -> float:
    """Measure the correlation of the mouth width with the true one at the best lag within 80 ms."""
    true, speech = beside
    count = frames_with_sound(take, speech)
    return best_correlation(take.width_mm()[:count], true.width_mm()[:count], take.fps, LARGEST_LAG_MS)[0]


def measure_energy_r(take: Take, beside: tuple[Take, Speech]) -> float:
    """Measure the correlation of the log energy of the sound with the true lip gap at the best lag."""
    true, speech = beside
    count = frames_with_sound(take, speech)
    loudness = log_energy(speech, count, take.fps)
    return best_correlation(loudness, true.gap_mm()[:count], take.fps, LARGEST_LAG_MS)[0]


def measure_gain(take: Take, beside: tuple[Take, Speech]) -> float:
    """Measure by how much the lip gap correlates better with the true one than log energy does."""
    return measure_opening_r(take, beside) - measure_energy_r(take, beside)
