"""What the landmarks of a clip say about coefficients: residuals in standard deviations, with derivatives.

Axis names: `frames`, `points` = 68 landmarks of the iBUG scheme and two irises, `moving` = channels in use.
Points that keep together (a lip and the lip facing it, two lids) are also measured by what parts them, far
more finely than where they are: a contact is seen, whatever the shape of the lips.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.types import Config
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.identity import SHUT_EYE, Identity, eye_opening, gaze
from talkcli.engine.video.pose import Similarity
from talkcli.engine.video.rig import NUM_IBUG, Rig
from talkcli.engine.video.solver import Measured

_PLACED = np.array([*at.CHIN, *at.BROWS, *at.NOSE, *at.MOUTH])
_LIPS_UPPER, _LIPS_LOWER = np.array(at.LIP_PAIRS).T
_LIDS_UPPER, _LIDS_LOWER = np.array([*at.LID_PAIRS["Right"], *at.LID_PAIRS["Left"]]).T


class Noise(Config):
    """Standard deviations in metres of what is measured.

    `point_m` landmarks across the line of sight, `depth_m` along it; `lips_m` what parts closed lips, with
    `lips_share` of an opening added; `lids_m` what parts the lids; `iris_m` the irises.
    """

    point_m: float = 2e-3
    chin_m: float = 4e-3
    brow_m: float = 2e-3
    nose_m: float = 4e-3
    depth_m: float = 8e-3
    lips_m: float = 1.5e-4
    lips_share: float = 0.06
    lids_m: float = 3e-4
    iris_m: float = 6e-4


class Evidence:
    """Residuals of coefficients against one clip, in standard deviations.

    Rows: x, y and depth, as the camera sees them, of brows, nose, lips and chin; what parts the lips; what
    parts the lids; where the irises are.
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
        self._rig, self._moving = rig, moving
        trust = confidence[:, None]
        inside = np.nan_to_num(inside)
        sight = np.diag([1.0, 1.0, noise.point_m / noise.depth_m])
        self._sight = sight @ place.rotation
        self._placed_at = (inside[:, :NUM_IBUG] - identity.offsets)[:, _PLACED]
        spread = np.full(NUM_IBUG, noise.point_m)
        spread[list(at.CHIN)], spread[list(at.BROWS)] = noise.chin_m, noise.brow_m
        spread[list(at.NOSE)] = noise.nose_m
        self._placed_weights = trust / spread[_PLACED]

        parted = (inside[:, _LIPS_UPPER, 1] - inside[:, _LIPS_LOWER, 1] - identity.gap_m).clip(min=0.0)
        touching = np.minimum(self._heights(rig.rest[None], _LIPS_UPPER, _LIPS_LOWER), 2e-3)
        self._lips_at = touching + parted
        self._lips_weights = trust / (noise.lips_m + noise.lips_share * parted)

        shares = (eye_opening(inside) - SHUT_EYE) / (identity.open_eyes - SHUT_EYE)
        shares = shares.clip(0.0, 1.6)
        open_gap = self._heights(rig.rest[None], _LIDS_UPPER, _LIDS_LOWER)
        self._lids_at = open_gap * shares.repeat(2, axis=1)
        self._lids_weights = np.broadcast_to(trust / noise.lids_m, self._lids_at.shape)

        look = gaze(inside) - np.array([0.0, identity.gaze_height_m])
        shown = (shares.min(axis=1) > 0.5)[:, None, None]
        self._iris_at = rig.rest[NUM_IBUG:, :2] + look[:, None]
        self._iris_weights = shown * trust[..., None] / noise.iris_m

    @staticmethod
    def _heights(points: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
        return points[..., upper, 1] - points[..., lower, 1]

    def __call__(self, values: Float[np.ndarray, "frames moving"]) -> Measured:
        coeffs = np.zeros((len(values), len(self._rig.head.channels)))
        coeffs[:, self._moving] = values
        points = self._rig.points(coeffs)
        step = np.where(coeffs < 0.5, 0.04, -0.04)
        slopes = self._rig.slopes(coeffs, points, self._moving, step)
        return self._rows(points, slopes)

    def _rows(
        self,
        points: Float[np.ndarray, "frames points 3"],
        slopes: Float[np.ndarray, "frames moving points 3"],
    ) -> Measured:
        frames, num = slopes.shape[:2]
        apart = points[:, _PLACED] - self._placed_at
        weights = self._placed_weights[..., None]
        residual = [weights * np.einsum("fxy,fpy->fpx", self._sight, apart)]
        slope = [weights[:, None] * np.einsum("fxy,fmpy->fmpx", self._sight, slopes[:, :, _PLACED])]
        for upper, lower, target, scale in (
            (_LIPS_UPPER, _LIPS_LOWER, self._lips_at, self._lips_weights),
            (_LIDS_UPPER, _LIDS_LOWER, self._lids_at, self._lids_weights),
        ):
            residual.append(scale * (self._heights(points, upper, lower) - target))
            slope.append(scale[:, None] * self._heights(slopes, upper, lower))
        if self._rig.has_irises:
            residual.append(self._iris_weights * (points[:, NUM_IBUG:, :2] - self._iris_at))
            slope.append(self._iris_weights[:, None] * slopes[:, :, NUM_IBUG:, :2])
        rows = np.concatenate([part.reshape(frames, -1) for part in residual], 1)
        return rows, np.concatenate([part.reshape(frames, num, -1) for part in slope], 2).transpose(0, 2, 1)
