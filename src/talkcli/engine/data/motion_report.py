"""What is odd about a motion: values no face takes, and steps no face makes.

Axis names: `frames`, `coeffs`.
Thresholds of our own, per frame whatever the rate: recorded and performed faces stay below them.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.face.channels import JAW
from talkcli.engine.types import Motion

# FLAME's expression coefficients are in standard deviations.
LARGEST_EXPRESSION = 5.0
LARGEST_EXPRESSION_STEP = 3.0
# Named channels go from 0 to 1; capture systems overshoot by a little.
LARGEST_EXCESS = 0.05
LARGEST_NAMED_STEP = 0.8
LARGEST_JAW_RAD = 0.8
LARGEST_JAW_STEP_RAD = 0.2
# Lips that meet do so within a frame.
_SUDDEN = ("lipSeal",)


def out_of_range(motion: Motion) -> str | None:
    """The value furthest outside of what its channel may hold, in words; None when all are inside."""
    excess = np.stack(
        [_excess(name, column) for name, column in zip(motion.channels, motion.coeffs.T, strict=True)]
    )
    share = (excess > 0).any(axis=0).mean()
    if share == 0:
        return None
    channel, frame = np.unravel_index(np.argmax(excess), excess.shape)
    value = motion.coeffs[frame, channel]
    return f"{motion.channels[channel]} is {value:.3g} in frame {frame}; {100 * share:.1f} % of the frames"


def jumps(motion: Motion) -> str | None:
    """The largest step from one frame to the next that is too large, in words; None when there is none."""
    if len(motion.coeffs) < 2:
        return None
    limits = np.array(
        [_choose(name, LARGEST_EXPRESSION_STEP, LARGEST_JAW_STEP_RAD, LARGEST_NAMED_STEP)
         if name not in _SUDDEN else np.inf for name in motion.channels]
    )  # fmt: skip
    ratio = np.abs(np.diff(motion.coeffs.astype(np.float64), axis=0)) / limits
    if ratio.max() <= 1:
        return None
    frame, channel = np.unravel_index(np.argmax(ratio), ratio.shape)
    step = motion.coeffs[frame + 1, channel] - motion.coeffs[frame, channel]
    count = int((ratio > 1).any(axis=1).sum())
    return f"{motion.channels[channel]} moves by {step:+.3g} after frame {frame}; {count} such steps"


def _excess(name: str, values: np.ndarray) -> np.ndarray:
    """How far `values` lie outside of their channel's range, in units of the range's upper end."""
    largest = _choose(name, LARGEST_EXPRESSION, LARGEST_JAW_RAD, 1 + LARGEST_EXCESS)
    lowest = -LARGEST_EXCESS if largest == 1 + LARGEST_EXCESS else -largest
    return np.maximum(np.maximum(values - largest, lowest - values), 0) / largest


def _choose(name: str, expression: float, jaw: float, named: float) -> float:
    if name in JAW:
        return jaw
    return expression if name.startswith("expression") else named
