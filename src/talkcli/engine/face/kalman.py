"""A Kalman filter (1960) of constant velocity, forward in time or, after Rauch, Tung and Striebel (1965), in
two passes.

Axis names: `frames`, `channels`. Each channel is a value and its speed; the speed changes by white noise, and
every frame measures the value with white noise. The estimate depends on the ratio of the two noises alone,
not on the unit of a channel, and one frequency states that ratio. Far from the ends of a clip and below half
the frame rate, the forward filter tracks with a natural frequency of that value, and overshoots after a step.
The two passes treat past and future alike, and leave half of an oscillation of that frequency.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, get_args

import numpy as np
from jaxtyping import Float
from pydantic import Field

# `forward` uses the frames so far, `both` all frames of the clip.
Passes = Literal["forward", "both"]
PASSES: tuple[Passes, ...] = get_args(Passes)
CornerHz = Annotated[float, Field(gt=0, le=1000)]
# Variance of the speed before the first frame, as a multiple of the variance of the noise of a measurement
# per squared frame: so large that the first two frames decide the speed.
_UNKNOWN_SPEED = 1e6


def kalman(
    values: Float[np.ndarray, "frames channels"], fps: float, *, corner_hz: float, passes: Passes
) -> Float[np.ndarray, "frames channels"]:
    """Return `values` filtered along time, in double precision.

    The first frame of the forward filter is as measured, and so is, to a millionth, the second.

    Args:
        values: Values of each channel; all must be finite.
        fps: Frames per second.
        corner_hz: Frequency in Hz that states the ratio of the noises; higher frequencies follow faster
            movements, and more of the noise.
        passes: Whether a second pass goes backwards.

    Raises:
        ValueError: For a rate or frequency that is not positive.
    """
    if not (0 < fps < math.inf and 0 < corner_hz < math.inf):
        raise ValueError(f"fps {fps} and corner_hz {corner_hz} must be positive")
    observed = np.asarray(values, np.float64)
    if len(observed) < 2:
        return observed
    # In units of one frame and of the noise of a measurement.
    moved = np.array([[1.0, 1.0], [0.0, 1.0]])
    strength = (2 * math.pi * corner_hz / fps) ** 4
    noise = strength * np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]])

    # States are values and speeds, as rows of two for all channels; covariances are the same for all.
    state = np.stack([observed[0], np.zeros_like(observed[0])])
    covariance = np.diag([1.0, _UNKNOWN_SPEED])
    states, covariances = [state], [covariance]
    for measured in observed[1:]:
        state, covariance = moved @ state, moved @ covariance @ moved.T + noise
        gain = covariance[:, :1] / (covariance[0, 0] + 1.0)
        state = state + gain * (measured - state[0])
        covariance = covariance - gain * covariance[:1]
        states.append(state)
        covariances.append(covariance)
    if passes == "both":
        for frame in range(len(states) - 2, -1, -1):
            expected = moved @ covariances[frame] @ moved.T + noise
            back = np.linalg.solve(expected, moved @ covariances[frame]).T
            states[frame] = states[frame] + back @ (states[frame + 1] - moved @ states[frame])
    return np.stack([state[0] for state in states])
