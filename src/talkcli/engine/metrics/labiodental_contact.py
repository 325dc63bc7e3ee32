"""Labiodental contact: does the lower lip meet the upper teeth in f and v?

Axis names: `frames`, `lip` (vertices of the lower lip), `teeth` (vertices of the upper teeth).
A measure of our own, for heads that have teeth and a region `lower_lip`. Height alone would not do: closed
lips, and half of all s, have the lower lip above the edge of the teeth. Lips have a thickness, so that their
vertices never touch: ada's are 8.4 mm from the incisors at rest, 3.6 to 4.3 mm in a full contact, and over
6 mm in other sounds.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.audio.phones import LABIODENTALS
from talkcli.engine.metrics.phone_frames import reached_share
from talkcli.engine.metrics.take import Share, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment

# Of the distance at rest.
_NEAR = 0.6
# The incisors are the middle third of the row.
_MIDDLE = 1 / 6
_BLOCK_FRAMES = 64


def labiodental_contact(
    lower_lip: Float[np.ndarray, "frames lip 3"],
    lower_lip_at_rest: Float[np.ndarray, "lip 3"],
    upper_teeth: Float[np.ndarray, "teeth 3"],
    alignment: Alignment,
    fps: float,
) -> tuple[float, int]:
    """Return share of f and v with a frame of contact within the phone and 40 ms on either side; and their
    number.

    Contact: the lower lip, before the incisors, reaches at least as high as their edge, and the smallest
    distance of its vertices to theirs is at most 0.6 of what it is at rest. Any unit; y up. Undefined without
    an f or v.
    """
    phones = [phone for phone in alignment.phones if phone.symbol in LABIODENTALS]
    touching = contact(lower_lip, lower_lip_at_rest, upper_teeth)
    return reached_share(touching, phones, fps)


def contact(
    lower_lip: Float[np.ndarray, "frames lip 3"],
    lower_lip_at_rest: Float[np.ndarray, "lip 3"],
    upper_teeth: Float[np.ndarray, "teeth 3"],
) -> Bool[np.ndarray, "frames"]:
    """Find the frames in which the lower lip meets the upper teeth."""
    sideways = upper_teeth[:, 0] - upper_teeth[:, 0].mean()
    reach = np.ptp(sideways) * _MIDDLE
    incisors = upper_teeth[np.abs(sideways) <= reach]
    before = np.abs(lower_lip_at_rest[:, 0] - upper_teeth[:, 0].mean()) <= reach
    if not before.any():
        raise UndefinedMetricError("no vertex of the lower lip lies before the incisors")
    lip, rest = lower_lip[:, before], lower_lip_at_rest[None, before]
    high = lip[..., 1].max(axis=1) >= incisors[:, 1].min()
    return high & (_nearest(lip, incisors) <= _NEAR * _nearest(rest, incisors))


def _nearest(
    lip: Float[np.ndarray, "frames lip 3"], teeth: Float[np.ndarray, "teeth 3"]
) -> Float[np.ndarray, "frames"]:
    """Return the smallest distance of any two vertices."""
    blocks = [lip[start : start + _BLOCK_FRAMES] for start in range(0, len(lip), _BLOCK_FRAMES)]
    squares = [np.square(block[:, :, None] - teeth).sum(axis=-1).min(axis=(1, 2)) for block in blocks]
    return np.sqrt(np.concatenate(squares))


def measure(take: Take, alignment: Alignment) -> Share:
    """Measure `labiodental_contact` of a take."""
    teeth = take.upper_teeth()
    lip, at_rest = take.part("lower_lip"), take.at_rest("lower_lip")
    return Share(*labiodental_contact(lip, at_rest, teeth, alignment, take.fps))
