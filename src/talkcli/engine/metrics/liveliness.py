"""How much a face moves besides its words: head, brows, lids, and the difference of its sides.

Axis names: `frames`. Measures of our own, to be held against the same numbers of real faces
(docs/metrics.md); none of them is better because it is larger.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from talkcli.engine.masks import runs
from talkcli.engine.metrics.phone_frames import CLOSED_MM
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError

# Pairs of channels that a left and a right side have, by the beginning of their names. Eyes look to one side
# together, so that their channels differ by design.
_SIDED = ("brow", "cheekSquint", "eyeSquint", "eyeWide", "mouth", "noseSneer")
# A blink is a run of frames in which the smaller of both lids' closures exceeds this share.
BLINK = 0.5


def measure_head_speed(take: Take) -> float:
    """Measure the mean speed at which the head turns, in degrees per second."""
    turns = Rotation.from_rotvec(take.pose())
    if len(turns) < 2:
        raise UndefinedMetricError("needs two frames or more")
    return float(np.degrees((turns[:-1].inv() * turns[1:]).magnitude()).mean() * take.fps)


def measure_brow_sd(take: Take) -> float:
    """Measure the standard deviation of `browInnerUp` over time."""
    return float(take.channel("browInnerUp").std())


def measure_gap_mean(take: Take) -> float:
    """Measure the mean lip gap, in millimetres."""
    return float(take.gap_mm().mean())


def measure_closed_share(take: Take) -> float:
    """Measure the share of frames whose lip gap is under 1 mm."""
    return float((take.gap_mm() < CLOSED_MM).mean())


def measure_asymmetry(take: Take) -> float:
    """Measure the mean absolute difference of left and right channels, over pairs that move at all."""
    pairs = [
        (take.channel(name), take.channel(name.removesuffix("Left") + "Right"))
        for name in take.channel_names()
        # mouthLeft and mouthRight are directions of one mouth.
        if name.startswith(_SIDED) and name.endswith("Left") and name != "mouthLeft"
    ]
    moving = [np.abs(left - right).mean() for left, right in pairs if max(np.ptp(left), np.ptp(right)) > 0]
    if not moving:
        raise UndefinedMetricError("no channel with two sides moves")
    return float(np.mean(moving))


def measure_blink_rate(take: Take) -> float:
    """Measure the number of blinks per minute."""
    lids = np.minimum(take.channel("eyeBlinkLeft"), take.channel("eyeBlinkRight"))
    return float(len(runs(lids > BLINK)) * 60 * take.fps / take.num_frames)
