"""What is left of a motion on another head: distances in millimetres, closures and blinks.

Axis names: `frames`, `points` as in `goals`. Distances are those of the target's landmarks from their goals,
in millimetres of the target. A frame counts as closed on the source when its lips stand less than 0.5 mm
farther apart than at rest, as open beyond 1.5 mm; on the target, whose size scales these numbers, the border
is 1 mm, as in talk's measures of closure. Blinks count likewise, in shares of the open eye.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.retarget.goals import LIPS, Goals, apart, lid_gaps
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.rig import NUM_IBUG

_CLOSED_MM, _BORDER_MM, _OPEN_MM = 0.5, 1.0, 1.5
# Shares of the opening of an eye at rest.
_SHUT, _BORDER, _AWAKE = 0.15, 0.25, 0.4
_LIP_POINTS = np.array(at.MOUTH)
_FACE_POINTS = np.array([*at.CHIN, *range(17, NUM_IBUG)])


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of `total` frames."""

    count: int
    total: int

    def __str__(self) -> str:
        if not self.total:
            return "none to count"
        return f"{100 * self.count / self.total:.1f} % ({self.count} of {self.total} frames)"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Root mean squares in millimetres, and shares of frames."""

    lips_mm: float
    face_mm: float
    at_rest_lips_mm: float
    """The same for a target that does not move: what any mapping must beat."""
    at_rest_face_mm: float
    closures: Share
    """Frames closed on the source that are closed on the target."""
    false_closures: Share
    """Frames open on the source that are closed on the target."""
    blinks: Share
    """Frames with an eye shut on the source that are shut on the target, both eyes counted."""
    false_blinks: Share

    def document(self) -> dict[str, Any]:
        """Return the values, ready for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the values as sentences."""
        return [
            f"lips: {self.lips_mm:.2f} mm (a still target: {self.at_rest_lips_mm:.2f} mm)",
            f"face: {self.face_mm:.2f} mm (a still target: {self.at_rest_face_mm:.2f} mm)",
            f"closures kept: {self.closures}; false closures: {self.false_closures}",
            f"blinks kept: {self.blinks}; false blinks: {self.false_blinks}",
        ]


def kept(wanted: Goals, reached: Float[np.ndarray, "frames others 3"]) -> Kept:
    """Return what a target whose points are at `reached` keeps of `wanted`."""
    num = wanted.points.shape[1]
    reached = reached[:, :num].astype(np.float64)
    still = np.broadcast_to(wanted.rest, reached.shape)
    gap_mm, goal_mm = _lip_gap_mm(wanted, apart(reached, LIPS)), _lip_gap_mm(wanted, wanted.lips)
    size = wanted.scale
    touches = gap_mm < _BORDER_MM * size
    # Two pairs of lids for each eye.
    opening = np.linalg.norm(lid_gaps(wanted.rest[None], wanted.rest)[0].reshape(2, 2), axis=1)
    now, goal = (
        np.maximum(gaps, 0.0).reshape(-1, 2, 2).mean(axis=2) / (opening / np.sqrt(2)).clip(min=1e-9)
        for gaps in (lid_gaps(reached, wanted.rest), wanted.lids)
    )
    return Kept(
        lips_mm=_rms_mm(reached, wanted, _LIP_POINTS),
        face_mm=_rms_mm(reached, wanted, _FACE_POINTS),
        at_rest_lips_mm=_rms_mm(still, wanted, _LIP_POINTS),
        at_rest_face_mm=_rms_mm(still, wanted, _FACE_POINTS),
        closures=_share(touches, goal_mm < _CLOSED_MM * size),
        false_closures=_share(touches, goal_mm > _OPEN_MM * size),
        blinks=_share(now < _BORDER, goal < _SHUT),
        false_blinks=_share(now < _BORDER, goal > _AWAKE),
    )


def _lip_gap_mm(wanted: Goals, gaps: Float[np.ndarray, "frames 3 3"]) -> Float[np.ndarray, "frames"]:
    """Return how much farther apart the lips are than at rest: the mean of the pairs."""
    rest = np.linalg.norm(apart(wanted.rest, LIPS), axis=-1)
    found: np.ndarray = (np.linalg.norm(gaps, axis=-1) - rest).mean(axis=-1) * 1000
    return found


def _rms_mm(reached: Float[np.ndarray, "frames points 3"], wanted: Goals, points: np.ndarray) -> float:
    squares = ((reached - wanted.points)[:, points] ** 2).sum(axis=-1)
    return float(np.sqrt(squares.mean()) * 1000)


def _share(found: Bool[np.ndarray, "..."], among: Bool[np.ndarray, "..."]) -> Share:
    return Share(count=int((found & among).sum()), total=int(among.sum()))
