"""Jerkiness: the part of a motion that is faster than speech, relative to a real motion.

Axis names: `frames` at 25 fps, `verts`. A measure of our own, in the manner of dimensionless jerk (Hogan &
Sternad 2009): the third derivative above 5 Hz, per speed; syllables lie below 5 Hz. A motion made larger
keeps its value, and slow drift hardly changes it. White noise of 0.2 mm on every vertex adds 41 % to
hand-made animation (docs/metrics.md has more such tests).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.metrics.distance import Vertices
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import MODEL_FPS

# Frame rate in frames per second at which all motions are compared: jerk depends on the frame rate.
FPS = float(MODEL_FPS)
# Lowest frequency in Hz of the jerk that counts: syllables lie below it.
_LOWEST_HZ = 5.0
# Mean square speed per coordinate, in m2/s2, below which a motion counts as standing still.
_STILL = 1e-10


def jerkiness(vertices: Vertices) -> float:
    """Return the RMS of the vertices' jerk above 5 Hz divided by their RMS speed, in 1/s2.

    `vertices` are in metres, at 25 fps. Raises UndefinedMetricError for less than a second, and when nothing
    moves.
    """
    if len(vertices) < FPS:
        raise UndefinedMetricError("needs a second of motion or more")
    track = vertices.reshape(len(vertices), -1).astype(np.float64)
    speed = np.diff(track, axis=0) * FPS
    power = _mean_square(speed)
    if power < _STILL:
        raise UndefinedMetricError("nothing moves")
    return float(np.sqrt(_power_above(np.diff(speed, n=2, axis=0) * FPS**2, _LOWEST_HZ) / power))


def _mean_square(values: Float[np.ndarray, "frames numbers"]) -> float:
    return float(np.square(values).mean())


def _power_above(values: Float[np.ndarray, "frames numbers"], lowest_hz: float) -> float:
    """Return the mean square of `values` without their frequencies under `lowest_hz`."""
    spectrum = np.fft.rfft(values, axis=0)
    spectrum[np.fft.rfftfreq(len(values), 1 / FPS) < lowest_hz] = 0
    return _mean_square(np.fft.irfft(spectrum, n=len(values), axis=0))


def measure_lips(take: Take) -> float:
    """Measure `jerkiness` of the lips of a take."""
    return jerkiness(take.at(FPS).part("lips"))


def measure_face(take: Take) -> float:
    """Measure `jerkiness` of the face of a take, without the eye region."""
    return jerkiness(take.at(FPS).part("face"))
