"""A person's identity: the landmarks at rest, in the head's frame and size.

Axis names: `frames`, `points` = 68 landmarks of the iBUG scheme.
A difference in shape must not read as an expression that lasts all clip. So the person's rest is looked for
in the clip itself: the mouth where it is closed and still, brows and nose where they mostly are, the eyes
where they are open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.video import correspondence as at
from talkcli.engine.video.pose import Similarity, similarity
from talkcli.engine.video.rig import NUM_IBUG, Rig

# Lips this near, as a share of the distance of the outer eye corners, are taken for closed.
CLOSED_GAP = 0.006
# Height over width of an eye that is shut; MediaPipe's lids do not quite meet.
SHUT_EYE = 0.08
_REST_SHARE = 0.15
_OPEN_EYE_PERCENTILE = 80
_MOUTH_AND_CHIN = np.array([*at.CHIN, *at.MOUTH])
_STILL = np.array([*at.NOSE, *at.EYE_CORNERS])
_FOR_PLACING = np.array([*at.CHIN, *at.BROWS, *at.NOSE, *at.EYE_CORNERS, *at.MOUTH])


@dataclass(frozen=True)
class Identity:
    """`rest` are the person's landmarks with a neutral face, in metres in the head's frame; `offsets` what
    they are beyond the head's own. `gap_m` is what separates the person's lips when they are closed,
    `open_eyes` height over width of the right and the left eye when open, `gaze_height_m` the irises' height
    over the corners of the eyes when looking ahead.
    """

    rest: Float[np.ndarray, "68 3"]
    offsets: Float[np.ndarray, "68 3"]
    gap_m: float
    open_eyes: Float[np.ndarray, "2"]
    gaze_height_m: float


def lip_gap(points: Float[np.ndarray, "frames points 3"]) -> Float[np.ndarray, "frames"]:
    """Return how far the inner lips' upper points are above the lower ones (mean of three, in a head's
    frame).
    """
    upper, lower = np.array(at.LIP_PAIRS).T
    gap: np.ndarray = (points[:, upper, 1] - points[:, lower, 1]).mean(axis=-1)
    return gap


def eye_opening(points: Float[np.ndarray, "frames points 3"]) -> Float[np.ndarray, "frames 2"]:
    """Return height over width of the right and the left eye, in a head's frame."""
    found = []
    for side in ("Right", "Left"):
        upper, lower = np.array(at.LID_PAIRS[side]).T
        one, other = at.LID_CORNERS[side]
        height = (points[:, upper, 1] - points[:, lower, 1]).mean(axis=-1)
        found.append(height / np.linalg.norm(points[:, one] - points[:, other], axis=-1))
    return np.stack(found, -1)


def gaze(points: Float[np.ndarray, "frames 70 3"]) -> Float[np.ndarray, "frames eyes 2"]:
    """Return how far either iris is to the subject's left of, and above, the middle of its eye's corners."""
    return np.stack(
        [
            points[:, NUM_IBUG + eye, :2] - points[:, list(at.LID_CORNERS[side]), :2].mean(axis=1)
            for eye, side in enumerate(("Right", "Left"))
        ],
        axis=1,
    )


def interocular(points: Float[np.ndarray, "frames points axes"]) -> Float[np.ndarray, "frames"]:
    """Return distance of the outer corners of the eyes."""
    one, other = at.OUTER_EYE_CORNERS
    return np.linalg.norm(points[:, one] - points[:, other], axis=-1)


def find_identity(
    steady: Float[np.ndarray, "frames 70 3"], rig: Rig, person: Identity | None = None
) -> tuple[Identity, Similarity]:
    """Return the person of a clip, and how the frame of `steady` lies in the head's.

    `steady` are landmarks and irises without the motion of the head. A `person` who is known already is only
    placed.
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
    # Closed lips may be pursed: how wide they are is also asked of all other frames.
    mouth[:, 0] = 0.5 * (mouth[:, 0] + rest[_MOUTH_AND_CHIN, 0])
    rest[_MOUTH_AND_CHIN] = mouth
    gap_m = float(lip_gap(rest[None])[0])
    if gap_m > closed_m:
        # A clip without a closed mouth: the head opens as far before the two are compared.
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
    """Return how a person's landmarks lie best on a head's, `by` some of them."""
    return similarity(person[by], head[None, by], np.ones(len(by)))


def _rest_weights(
    inside: Float[np.ndarray, "frames points 3"], closed_m: float
) -> Float[np.ndarray, "frames"]:
    """Return which frames show the mouth at rest: closed ones, else the least open; still ones above all."""
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
