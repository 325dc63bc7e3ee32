"""Identity of a person: the landmarks of the neutral face, in the head's frame and size.

Axis names: `frames`, `points` = 68 landmarks of the iBUG scheme.
The fit must not take a difference in shape for an expression that lasts the whole clip. So the neutral face
comes from the clip itself: the mouth from frames where it is closed and still, brows and nose from their
median positions, the eyes from frames where they are open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.video import correspondence as at
from talkcli.engine.video.pose import Similarity, similarity
from talkcli.engine.video.rig import NUM_IBUG, Rig

# Greatest gap of closed lips, as a share of the distance of the outer eye corners.
CLOSED_GAP = 0.006
# Ratio of height to width of a shut eye; it is not 0 because MediaPipe's lids do not quite meet.
SHUT_EYE = 0.08
# Share of the frames, those with the least open lips, that can show the mouth at rest.
_REST_SHARE = 0.15
# Percentile of an eye's opening over a clip that counts as open.
_OPEN_EYE_PERCENTILE = 80
# iBUG numbers of the landmarks for the mouth at rest, for placing a known person, and for placing a new one.
_MOUTH_AND_CHIN = np.array([*at.CHIN, *at.MOUTH])
_STILL = np.array([*at.NOSE, *at.EYE_CORNERS])
_FOR_PLACING = np.array([*at.CHIN, *at.BROWS, *at.NOSE, *at.EYE_CORNERS, *at.MOUTH])


@dataclass(frozen=True)
class Identity:
    """Neutral face of a person, relative to a head."""

    rest: Float[np.ndarray, "68 3"]
    """Landmarks of the person's neutral face, in metres in the head's frame."""
    offsets: Float[np.ndarray, "68 3"]
    """Differences between the person's landmarks and the head's own, in metres."""
    gap_m: float
    """Measured gap between the person's closed lips, in metres."""
    open_eyes: Float[np.ndarray, "2"]
    """Ratio of height to width of the open right and left eye."""
    gaze_height_m: float
    """Height of the irises above the corners of the eyes when the person looks ahead, in metres."""


def lip_gap(points: Float[np.ndarray, "frames points 3"]) -> Float[np.ndarray, "frames"]:
    """Return the height of the inner lips' upper points above the lower ones, in a head's frame (mean of
    three pairs).
    """
    upper, lower = np.array(at.LIP_PAIRS).T
    gap: np.ndarray = (points[:, upper, 1] - points[:, lower, 1]).mean(axis=-1)
    return gap


def eye_opening(points: Float[np.ndarray, "frames points 3"]) -> Float[np.ndarray, "frames 2"]:
    """Return the ratio of height to width of the right and the left eye, in a head's frame."""
    found = []
    for side in ("Right", "Left"):
        upper, lower = np.array(at.LID_PAIRS[side]).T
        one, other = at.LID_CORNERS[side]
        height = (points[:, upper, 1] - points[:, lower, 1]).mean(axis=-1)
        found.append(height / np.linalg.norm(points[:, one] - points[:, other], axis=-1))
    return np.stack(found, -1)


def gaze(points: Float[np.ndarray, "frames 70 3"]) -> Float[np.ndarray, "frames eyes 2"]:
    """Return the offset of each iris from the midpoint of its eye's corners, to the subject's left and up."""
    return np.stack(
        [
            points[:, NUM_IBUG + eye, :2] - points[:, list(at.LID_CORNERS[side]), :2].mean(axis=1)
            for eye, side in enumerate(("Right", "Left"))
        ],
        axis=1,
    )


def interocular(points: Float[np.ndarray, "frames points axes"]) -> Float[np.ndarray, "frames"]:
    """Return the distance between the outer corners of the eyes, in the unit of `points`."""
    one, other = at.OUTER_EYE_CORNERS
    return np.linalg.norm(points[:, one] - points[:, other], axis=-1)


def find_identity(
    steady: Float[np.ndarray, "frames 70 3"], rig: Rig, person: Identity | None = None
) -> tuple[Identity, Similarity]:
    """Return the identity of the person in a clip, and the transform from `steady`'s frame to the head's.

    Args:
        steady: Landmarks and irises without the motion of the head.
        rig: Landmarks of the head.
        person: Identity that is known already, for which only the transform is found.
    """
    like = rig.rest[:NUM_IBUG]
    usual = np.median(steady[:, :NUM_IBUG], axis=0)
    if person is not None:
        return person, _placed(usual, person.rest, _STILL)
    place = _placed(usual, like, _FOR_PLACING)
    inside = place.forth(steady)
    closed_m = CLOSED_GAP * float(interocular(place.forth(usual[None]))[0])
    rest = np.median(inside[:, :NUM_IBUG], axis=0)
    mouth = _weighted_median(inside[:, _MOUTH_AND_CHIN], _rest_weights(inside, closed_m))
    # Closed lips may be pursed, so the width of the mouth is half from these frames, half from all frames.
    mouth[:, 0] = 0.5 * (mouth[:, 0] + rest[_MOUTH_AND_CHIN, 0])
    rest[_MOUTH_AND_CHIN] = mouth
    gap_m = float(lip_gap(rest[None])[0])
    if gap_m > closed_m:
        # The clip shows no closed mouth: the head's mouth is opened as far before the two are compared.
        _, opened = rig.opened_jaw()
        like = opened[int(np.abs(lip_gap(opened) - gap_m).argmin())]
        gap_m = 0.0

    closer = _placed(rest, like, _FOR_PLACING)
    place = closer.then(place)
    inside = closer.forth(inside)
    offsets = closer.forth(rest[None])[0] - like
    identity = Identity(
        rest=rig.rest[:NUM_IBUG] + offsets,
        offsets=offsets,
        gap_m=gap_m * float(closer.scale[0]),
        open_eyes=np.percentile(eye_opening(inside), _OPEN_EYE_PERCENTILE, axis=0),
        gaze_height_m=float(np.median(gaze(inside)[..., 1])),
    )
    return identity, place


def _placed(
    person: Float[np.ndarray, "68 3"], head: Float[np.ndarray, "68 3"], by: Int[np.ndarray, "chosen"]
) -> Similarity:
    """Return the best similarity from a person's landmarks to a head's, fitted to the landmarks `by`."""
    return similarity(person[by], head[None, by], np.ones(len(by)))


def _rest_weights(
    inside: Float[np.ndarray, "frames points 3"], closed_m: float
) -> Float[np.ndarray, "frames"]:
    """Return weights of frames for the mouth at rest: above 0 for (nearly) closed lips, higher when still."""
    gap = lip_gap(inside)
    chosen = gap <= max(closed_m, float(np.quantile(gap, _REST_SHARE)))
    speed = np.linalg.norm(np.gradient(inside[:, _MOUTH_AND_CHIN], axis=0), axis=-1).mean(axis=-1)
    usual = np.median(speed[chosen]) + 1e-9
    return np.where(chosen, 1.0 / (1.0 + (speed / usual) ** 2), 0.0)


def _weighted_median(
    values: Float[np.ndarray, "frames points 3"], weights: Float[np.ndarray, "frames"]
) -> Float[np.ndarray, "points 3"]:
    order = np.argsort(values, axis=0)
    reached = np.cumsum(weights[order], axis=0)
    middle = (reached < 0.5 * weights.sum()).sum(axis=0)
    return np.take_along_axis(values, np.take_along_axis(order, middle[None], axis=0), axis=0)[0]
