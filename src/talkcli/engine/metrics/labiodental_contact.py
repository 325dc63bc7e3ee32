"""Labiodental contact: the share of f and v in which the lower lip meets the upper teeth.

Axis names: `frames`, `lip` (vertices of the lower lip), `teeth` (vertices of the upper teeth). A measure of
our own, for heads with teeth and a region `lower_lip`. Height alone does not show a contact: the lower lip is
above the edge of the teeth in closed lips too, and in half of all s. Lips have a thickness, so their vertices
never touch teeth. On ada their distance from the incisors is 6.8 mm at rest, 1.4 mm in a full contact, and
5.0 mm or more in the poses of other sounds.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.audio.phones import LABIODENTALS
from talkcli.engine.metrics.phone_frames import reached_share
from talkcli.engine.metrics.take import Share, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment

# Largest distance of lower lip and incisors in a contact, as a share of their distance at rest. On ada it is
# 4.1 mm, which lies between full contacts and other sounds (see above).
_NEAR = 0.6
# Half the width of the incisors, as a share of the width of the row: the incisors are its middle third.
_MIDDLE = 1 / 6
# Number of frames whose distances are in memory at once.
_BLOCK_FRAMES = 64


def labiodental_contact(
    lower_lip: Float[np.ndarray, "frames lip 3"],
    lower_lip_at_rest: Float[np.ndarray, "lip 3"],
    upper_teeth: Float[np.ndarray, "teeth 3"],
    alignment: Alignment,
    fps: float,
) -> tuple[float, int]:
    """Return the share of f and v in which the lower lip meets the upper teeth, and the number of these
    phones.

    The lip meets the teeth when `contact` finds a frame within the phone and 40 ms on either side. Vertices
    may have any unit, the same for all; y points up.

    Args:
        lower_lip: Vertices of the lower lip over time.
        lower_lip_at_rest: The same vertices of the face at rest.
        upper_teeth: Vertices of the upper teeth.
        alignment: Phones of the speech and their times.
        fps: Frame rate of `lower_lip`.

    Raises:
        UndefinedMetricError: When no frame belongs to an f or v, or when no lip vertex lies before the
            incisors.
    """
    phones = [phone for phone in alignment.phones if phone.symbol in LABIODENTALS]
    touching = contact(lower_lip, lower_lip_at_rest, upper_teeth)
    return reached_share(touching, phones, fps)


def contact(
    lower_lip: Float[np.ndarray, "frames lip 3"],
    lower_lip_at_rest: Float[np.ndarray, "lip 3"],
    upper_teeth: Float[np.ndarray, "teeth 3"],
) -> Bool[np.ndarray, "frames"]:
    """Return for each frame whether the lower lip meets the upper teeth.

    It does so when its part before the incisors reaches at least as high as their edge, and its smallest
    distance from them is at most 0.6 times that of the face at rest. Vertices may have any unit, the same for
    all; y points up.

    Args:
        lower_lip: Vertices of the lower lip over time.
        lower_lip_at_rest: The same vertices of the face at rest.
        upper_teeth: Vertices of the upper teeth.

    Raises:
        UndefinedMetricError: When no vertex of the lower lip lies before the incisors.
    """
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
    """Return the smallest distance of a lip vertex from a tooth vertex in each frame."""
    blocks = [lip[start : start + _BLOCK_FRAMES] for start in range(0, len(lip), _BLOCK_FRAMES)]
    squares = [np.square(block[:, :, None] - teeth).sum(axis=-1).min(axis=(1, 2)) for block in blocks]
    return np.sqrt(np.concatenate(squares))


def measure(take: Take, alignment: Alignment) -> Share:
    """Measure `labiodental_contact` of a take."""
    teeth = take.upper_teeth()
    lip, at_rest = take.part("lower_lip"), take.at_rest("lower_lip")
    return Share(*labiodental_contact(lip, at_rest, teeth, alignment, take.fps))
