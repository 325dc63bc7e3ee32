"""Jerkiness: how much of a motion is faster than speech is, against a real motion.

Axis names: `frames` at 25 fps, `verts`.
A measure of our own, in the manner of dimensionless jerk (Hogan & Sternad 2009): the third derivative, with
the part below 5 Hz left out, which is where syllables are, per speed. A motion that moves more, but in the
same manner, has the same; slow drift changes nothing; shivers of 0.2 mm add 40 % to hand-made animation.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.metrics.distance import Vertices
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import MODEL_FPS

# Rates differ in how fast they can shiver, so that all motions are compared at this one.
FPS = float(MODEL_FPS)
_LOWEST_HZ = 5.0
# Mean square speed, m2/s2: slower is standing still.
_STILL = 1e-10


def jerkiness(vertices: Vertices) -> float:
    """Return RMS of the vertices' jerk above 5 Hz over their RMS speed, in 1/s2. Metres, at 25 fps.

    Undefined for less than a second, and where nothing moves.
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
    """Return mean square of `values` without their frequencies under `lowest_hz`."""
    spectrum = np.fft.rfft(values, axis=0)
    spectrum[np.fft.rfftfreq(len(values), 1 / FPS) < lowest_hz] = 0
    return _mean_square(np.fft.irfft(spectrum, n=len(values), axis=0))


def measure_lips(take: Take) -> float:
    """Measure the jerkiness of the lips of a take."""
    return jerkiness(take.at(FPS).part("lips"))


def measure_face(take: Take) -> float:
    """Measure the jerkiness of the face of a take, without its eyes."""
    return jerkiness(take.at(FPS).part("face"))
