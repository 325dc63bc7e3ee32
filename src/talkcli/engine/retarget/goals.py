"""Where the landmarks of a target head should be, frame by frame, so that it does what the source does.

Axis names: `frames`, `points` = 68 landmarks of the iBUG scheme, and two irises where both heads have them,
`pairs` = opposite points of the inner lips (3) or of the lids (4). Metres of the target.
Both heads at rest are laid over each other by the similarity of least squares (Umeyama 1991); what the source
moves from its rest, turned and scaled by it, is what the target should move from its own. Gaps between lips
and lids are goals of their own: lips that touch on the source as they do at rest should do so on the target,
and a lid that covers a share of its eye should cover that share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.face.overlay import overlay
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.rig import NUM_IBUG

LIPS = np.array(at.LIP_PAIRS).T
LIDS = np.array([*at.LID_PAIRS["Right"], *at.LID_PAIRS["Left"]]).T
# The contour of a face differs from scheme to scheme, so that heads are compared without it.
INNER = np.arange(17, NUM_IBUG)
# Most of a lid's opening at rest to which an eye can be wide.
_WIDEST = 2.0


@dataclass(frozen=True, kw_only=True)
class Goals:
    """Goals of a clip. `scale` is how many times as large the target is as the source."""

    points: Float[np.ndarray, "frames points 3"]
    lips: Float[np.ndarray, "frames 3 3"]
    """Upper lip less lower lip."""
    lids: Float[np.ndarray, "frames 4"]
    """Height of the gap between the lids, along its direction at rest."""
    rest: Float[np.ndarray, "points 3"]
    """The target at rest."""
    scale: float

    @property
    def parted(self) -> Float[np.ndarray, "frames 3"]:
        """Return how much farther apart than at rest each pair of points of the lips should be."""
        return np.linalg.norm(self.lips - apart(self.rest, LIPS), axis=-1)

    def part(self, frames: slice) -> Goals:
        """Return the goals of some frames."""
        return Goals(
            points=self.points[frames],
            lips=self.lips[frames],
            lids=self.lids[frames],
            rest=self.rest,
            scale=self.scale,
        )


def goals(
    moved: Float[np.ndarray, "frames points 3"],
    rest: Float[np.ndarray, "points 3"],
    target: Float[np.ndarray, "others 3"],
) -> Goals:
    """Return the goals for a head whose points rest at `target`, from points that rest at `rest`."""
    num = min(moved.shape[1], len(target))
    moved, rest, target = moved[:, :num].astype(np.float64), rest[:num], target[:num].astype(np.float64)
    laid = overlay(rest[INNER], target[INNER])
    way = laid.vectors(moved - rest)
    lips = apart(way, LIPS)
    # Lips pressed beyond their touch at rest still touch.
    lips[..., 1] = lips[..., 1].clip(min=0.0)
    opening = lid_gaps(moved, rest) / np.linalg.norm(apart(rest, LIDS), axis=-1).clip(min=1e-6)
    lids = np.linalg.norm(apart(target, LIDS), axis=-1) * opening.clip(0.0, _WIDEST)
    return Goals(
        points=target + way, lips=apart(target, LIPS) + lips, lids=lids, rest=target, scale=laid.scale
    )


def apart(
    points: Float[np.ndarray, "... points 3"], pairs: Int[np.ndarray, "2 pairs"]
) -> Float[np.ndarray, "... pairs 3"]:
    """Return the way from the second point of each pair to the first."""
    between: np.ndarray = points[..., pairs[0], :] - points[..., pairs[1], :]
    return between


def lid_gaps(
    points: Float[np.ndarray, "... points 3"], rest: Float[np.ndarray, "points 3"]
) -> Float[np.ndarray, "... 4"]:
    """Return the gaps between the lids along their directions at rest, which keep a sign where lids cross."""
    open_ = apart(rest, LIDS)
    open_ = open_ / np.linalg.norm(open_, axis=-1, keepdims=True).clip(min=1e-9)
    return (apart(points, LIDS) * open_).sum(axis=-1)
