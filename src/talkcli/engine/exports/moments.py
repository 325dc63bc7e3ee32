"""Moments of a motion: a few frames that stand for all, and the motion of chosen frames alone.

Axis names: `frames`, `coeffs`, `chosen`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from talkcli.engine.types import AnyMotion, Motion, VertexMotion

# Level of eyeBlink, from 0 (open) to 1 (shut), below which the lids of a frame count as open.
_OPEN_LIDS = 0.25
_BLINK = "eyeBlinkLeft"


def moments(motion: AnyMotion, count: int) -> Int[np.ndarray, "chosen"]:
    """Return a frame of each of `count` equal parts of the motion: the first with open lids from its middle
    on, or the middle itself where the lids of the part stay shut or are unknown.

    There are fewer, one per frame, where the motion has fewer frames than `count`.
    """
    count = min(count, motion.num_frames)
    edges = np.arange(count + 1) * motion.num_frames // count
    middles = (edges[:-1] + edges[1:]) // 2
    if not isinstance(motion, Motion) or _BLINK not in motion.channels:
        return middles
    is_open = motion.coeffs[:, motion.channels.index(_BLINK)] < _OPEN_LIDS
    found = [np.flatnonzero(is_open[middle:end])[:1] for middle, end in zip(middles, edges[1:], strict=True)]
    return middles + [int(first[0]) if len(first) else 0 for first in found]


def at_moments(motion: AnyMotion, frames: Int[np.ndarray, "chosen"]) -> AnyMotion:
    """Return the motion of these frames alone, as if they followed each other."""
    if isinstance(motion, VertexMotion):
        return replace(motion, vertices=motion.vertices[frames])
    return replace(
        motion, coeffs=motion.coeffs[frames], pose=None if motion.pose is None else motion.pose[frames]
    )
