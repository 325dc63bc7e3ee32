"""Residuals between the landmarks of a clip and those of a head, in standard deviations, with derivatives.

Axis names: `frames`, `points` = 68 landmarks of the iBUG scheme and two irises, `moving` = channels in use.
Opposite points (upper and lower lip, upper and lower lid) also have residuals of the gap between them, with a
far smaller standard deviation than their positions have, so that the fit keeps contacts whatever the shape of
the lips.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.types import Config
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.differences import slopes_of
from talkcli.engine.video.identity import SHUT_EYE, Identity, eye_opening, gaze, interocular
from talkcli.engine.video.pose import Similarity
from talkcli.engine.video.rig import NUM_IBUG, Rig

# iBUG numbers of the landmarks whose positions are residuals.
_PLACED = np.array([*at.CHIN, *at.BROWS, *at.NOSE, *at.MOUTH])
# iBUG numbers of opposite points of the inner lips and of the lids; upper points in the first row.
_LIPS = np.array(at.LIP_PAIRS).T
_LIDS = np.array([*at.LID_PAIRS["Right"], *at.LID_PAIRS["Left"]]).T
# Greatest distance in metres of opposite landmarks of a head's closed lips, on each axis.
_MOST_AT_TOUCH_M = 2e-3
# Openings of an eye, as shares of the opening of the person's open eye:
#   _USUAL_EYE   range that counts as the usual opening
#   _WIDEST_EYE  greatest opening that the fit believes
#   _SEEN_IRIS   opening above which the iris is visible
#   _WINK        difference of the two eyes: up to the first value it is noise, from the second on a wink
_USUAL_EYE, _WIDEST_EYE, _SEEN_IRIS, _WINK = (0.92, 1.1), 1.6, 0.5, (0.4, 0.7)
# Visibility of a landmark:
#   _DEPTH_OF_FACE  depth of the head's centre behind the face, in distances of the outer eye corners
#   _SEEN_WELL      cosine between the landmark's outward direction and the line of sight for full visibility
#   _LEAST_SHOWN    weight of a hidden landmark
_DEPTH_OF_FACE, _SEEN_WELL, _LEAST_SHOWN = 0.8, 0.5, 0.05


class Noise(Config):
    """Standard deviations of the measurements."""

    point_m: float = 2e-3
    """Standard deviation of a landmark across the line of sight, in metres, unless a field below differs."""
    chin_m: float = 4e-3
    """Standard deviation of a landmark of the chin across the line of sight, in metres."""
    brow_m: float = 2e-3
    """Standard deviation of a landmark of the brows across the line of sight, in metres."""
    nose_m: float = 4e-3
    """Standard deviation of a landmark of the nose across the line of sight, in metres."""
    depth_m: float = 8e-3
    """Standard deviation of a landmark along the line of sight, in metres."""
    lips_m: float = 1.5e-4
    """Standard deviation of the gap between closed lips, in metres."""
    lips_share: float = 0.03
    """Share of the height of an open gap that is added to the standard deviation of the lips' gap."""
    lids_m: float = 3e-4
    """Standard deviation of the gap between the lids, in metres."""
    iris_m: float = 6e-4
    """Standard deviation of the position of an iris, in metres."""


class Evidence:
    """Residuals of coefficients against one clip, in standard deviations.

    The rows are x, y and depth, in the camera's directions, of the landmarks of chin, brows, nose and lips;
    the gaps between the lips; the gaps between the lids; and the positions of the irises.
    """

    def __init__(
        self,
        rig: Rig,
        identity: Identity,
        place: Similarity,
        inside: Float[np.ndarray, "frames 70 3"],
        confidence: Float[np.ndarray, "frames"],
        moving: Int[np.ndarray, "moving"],
        noise: Noise,
    ) -> None:
        """Prepare the target of every residual.

        Args:
            rig: Landmarks of the head as functions of the coefficients.
            identity: Neutral face of the person.
            place: Transform from the head into the picture, per frame.
            inside: Landmarks and irises of the clip in the head's frame, in metres.
            confidence: Confidence of the landmarks in [0, 1]; 0 in frames without landmarks.
            moving: Indices of the channels in use.
            noise: Standard deviations of the measurements.
        """
        self._rig, self._moving = rig, moving
        trust = confidence[:, None].astype(np.float64)

        self._sight = np.diag([1.0, 1.0, noise.point_m / noise.depth_m]) @ place.rotation
        spread = np.full(NUM_IBUG, noise.point_m)
        spread[list(at.CHIN)], spread[list(at.BROWS)] = noise.chin_m, noise.brow_m
        spread[list(at.NOSE)] = noise.nose_m
        shown = _shown(rig.rest[:NUM_IBUG], place)
        self._point_weights = (trust * shown[:, _PLACED] / spread[_PLACED])[..., None]
        target = (inside[:, :NUM_IBUG] - identity.offsets)[:, _PLACED]

        # Lips that touch must also meet in x and depth; open lips need not.
        parted = (_apart(inside, _LIPS)[..., 1] - identity.gap_m).clip(min=0.0)[..., None]
        self._lip_weights = (trust * shown[:, _LIPS[0]])[..., None] / (
            noise.lips_m + parted * [1.0, noise.lips_share, 1.0]
        )
        lips = _apart(rig.rest, _LIPS).clip(-_MOST_AT_TOUCH_M, _MOST_AT_TOUCH_M) + parted * [0.0, 1.0, 0.0]

        shares = _calm((eye_opening(inside) - SHUT_EYE) / (identity.open_eyes - SHUT_EYE))
        # An eye that the camera hardly sees takes the opening of the other eye.
        eyes = np.stack([shown[:, at.LID_CORNERS[side]].min(axis=1) for side in ("Right", "Left")], -1)
        shares = _together(eyes * shares + (1.0 - eyes) * shares[:, ::-1])
        named = "eyeBlinkLeft" in rig.head.channels
        self._lid_weights = trust / (noise.lids_m if named else noise.point_m)
        lids = _apart(rig.rest, _LIDS)[..., 1] * shares.repeat(2, axis=1)

        # A lowered lid hides the iris, so the weight of irises is 0 then.
        open_eyes = shares.min(axis=1, keepdims=True) > _SEEN_IRIS
        self._iris_weights = (trust * open_eyes / noise.iris_m)[..., None]
        look = (eyes[..., None] * gaze(inside)).sum(axis=1) / eyes.sum(axis=1, keepdims=True)
        look -= [0.0, identity.gaze_height_m]
        irises = rig.rest[NUM_IBUG:, :2] + look[:, None]

        self._target = self._weighed(target[:, None], lips[:, None], lids[:, None], irises[:, None])

    def residuals(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames rows"]:
        """See `solver.Problem`."""
        return (self._rows(self._rig.points(self._coeffs(values))[:, None]) - self._target)[:, 0]

    def slopes(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames rows moving"]:
        """See `solver.Problem`."""
        return slopes_of(self._rig.points, self._rows, self._coeffs(values), self._moving)

    def _coeffs(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames coeffs"]:
        coeffs = np.zeros((len(values), len(self._rig.head.channels)))
        coeffs[:, self._moving] = values
        return coeffs

    def _rows(
        self, points: Float[np.ndarray, "frames tried points 3"]
    ) -> Float[np.ndarray, "frames tried rows"]:
        return self._weighed(
            points[:, :, _PLACED],
            _apart(points, _LIPS),
            _apart(points, _LIDS)[..., 1],
            points[:, :, NUM_IBUG:, :2],
        )

    def _weighed(
        self,
        placed: Float[np.ndarray, "frames tried placed 3"],
        lips: Float[np.ndarray, "frames tried lips 3"],
        lids: Float[np.ndarray, "frames tried lids"],
        irises: Float[np.ndarray, "frames tried irises 2"],
    ) -> Float[np.ndarray, "frames tried rows"]:
        """Return all measurements in one row, divided by their standard deviations."""
        seen = placed @ self._sight.mT[:, None]
        parts = (
            self._point_weights[:, None] * seen,
            self._lip_weights[:, None] * lips,
            self._lid_weights[:, None] * lids,
            self._iris_weights[:, None] * irises,
        )
        return np.concatenate([part.reshape(*placed.shape[:2], -1) for part in parts], axis=-1)


def _shown(rest: Float[np.ndarray, "68 3"], place: Similarity) -> Float[np.ndarray, "frames 68"]:
    """Return the visibility of each landmark: 1 when it faces the camera, 0.05 when it is turned away."""
    behind = rest[17:].mean(axis=0) - [0.0, 0.0, _DEPTH_OF_FACE * interocular(rest[None])[0]]
    outwards = rest - behind
    outwards /= np.linalg.norm(outwards, axis=-1, keepdims=True)
    facing = np.einsum("fy,py->fp", place.rotation[:, 2], outwards)
    return (facing / _SEEN_WELL).clip(_LEAST_SHOWN, 1.0)


def _calm(shares: Float[np.ndarray, "frames 2"]) -> Float[np.ndarray, "frames 2"]:
    """Return the eye openings with a dead zone about the usual one, limited to `_WIDEST_EYE`."""
    low, high = _USUAL_EYE
    return np.where(shares < 1.0, (shares / low).clip(0.0, 1.0), (shares / high).clip(1.0, _WIDEST_EYE))


def _together(shares: Float[np.ndarray, "frames 2"]) -> Float[np.ndarray, "frames 2"]:
    """Return the mean opening for both eyes, unless they differ as much as in a wink."""
    differ = np.abs(shares[:, :1] - shares[:, 1:])
    low, high = _WINK
    wink = ((differ - low) / (high - low)).clip(0.0, 1.0)
    return wink * shares + (1.0 - wink) * shares.mean(axis=1, keepdims=True)


def _apart(
    points: Float[np.ndarray, "... points 3"], pairs: Int[np.ndarray, "2 pairs"]
) -> Float[np.ndarray, "... pairs 3"]:
    """Return the vector from the second point of each pair to the first."""
    between: np.ndarray = points[..., pairs[0], :] - points[..., pairs[1], :]
    return between
