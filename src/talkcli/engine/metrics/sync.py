"""Synchrony of lips and sound: the correlation of lip opening and speech envelope, and its lag.

Axis names: `frames`. A measure of our own, in the manner of Chandrasekaran et al. 2009 (mouth opening against
the wideband envelope, see audio/envelope.py). For comparison: the jaw curves of the hand-made FACEGOOD
animation correlate with it at 0.66 to 0.82, one frame (33 ms) late.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.envelope import envelope
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Speech

# Largest lag in milliseconds, in either direction, at which talk looks for the best correlation.
LARGEST_LAG_MS = 80.0
# The same for `envelope_lag_ms`, which finds shifts that nobody would take for synchronous.
_WIDE_LAG_MS = 400.0


def sync_correlation(
    opening_mm: Float[np.ndarray, "frames"],
    speech: Speech,
    fps: float,
    largest_lag_ms: float = LARGEST_LAG_MS,
) -> tuple[float, float]:
    """Return Pearson's r of lip opening and envelope at the best lag, and that lag in milliseconds.

    A positive lag means that the lips are late.

    Args:
        opening_mm: Lip opening in millimetres.
        speech: Sound of the clip.
        fps: Frame rate of `opening_mm`.
        largest_lag_ms: Largest lag in either direction, in milliseconds.

    Raises:
        UndefinedMetricError: When the lips or the envelope do not move, and for less than a second.
    """
    loudness = envelope(speech, len(opening_mm), fps)
    if np.ptp(loudness) < 1e-9:
        raise UndefinedMetricError("the sound never changes")
    return best_correlation(opening_mm, loudness, fps, largest_lag_ms)


def best_correlation(
    late: Float[np.ndarray, "frames"],
    early: Float[np.ndarray, "frames"],
    fps: float,
    largest_lag_ms: float = LARGEST_LAG_MS,
) -> tuple[float, float]:
    """Return Pearson's r of two tracks at the best lag of `late` within +-`largest_lag_ms`, and that lag in
    milliseconds. Undefined where either stands still, or for less than a second.
    """
    if len(late) < fps:
        raise UndefinedMetricError("needs a second of motion or more")
    if min(np.ptp(late), np.ptp(early)) < 1e-9 or np.ptp(late) < 1e-6:
        raise UndefinedMetricError("the lips never move")
    reach = int(largest_lag_ms * fps / 1000 + 1e-6)
    # Sorted by size, so that the smaller lag wins a tie.
    lags = sorted(range(-reach, reach + 1), key=abs)
    by_lag = {lag: _pearson(late, early, lag) for lag in lags}
    best = max(lags, key=by_lag.__getitem__)
    return by_lag[best], best * 1000 / fps


def _pearson(opening: np.ndarray, loudness: np.ndarray, lag: int) -> float:
    late, early = (
        (opening[lag:], loudness[: len(loudness) - lag]) if lag >= 0 else (opening[:lag], loudness[-lag:])
    )
    late, early = late - late.mean(), early - early.mean()
    scale = np.sqrt((late @ late) * (early @ early))
    return float(late @ early / scale) if scale > 0 else -1.0


def measure_r(take: Take, speech: Speech) -> float:
    """Measure the best correlation of a take with its speech."""
    return sync_correlation(take.gap_mm()[: frames_with_sound(take, speech)], speech, take.fps)[0]


def measure_lag_ms(take: Take, speech: Speech) -> float:
    """Measure the lag of a take behind its speech, in milliseconds."""
    return sync_correlation(take.gap_mm()[: frames_with_sound(take, speech)], speech, take.fps)[1]


def measure_wide_lag_ms(take: Take, speech: Speech) -> float:
    """Measure the lag of a take behind its speech within 400 ms, in milliseconds."""
    gap_mm = take.gap_mm()[: frames_with_sound(take, speech)]
    return sync_correlation(gap_mm, speech, take.fps, _WIDE_LAG_MS)[1]


def frames_with_sound(take: Take, speech: Speech) -> int:
    """Return the number of frames up to the end of the sound; frames beyond it have neither speech nor a
    pause.
    """
    return min(take.num_frames, max(1, round(speech.duration_s * take.fps)))
