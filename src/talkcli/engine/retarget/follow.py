"""Coefficients of a target head that follow goals: bounded least squares of all frames together.

Axis names: `frames`, `coeffs`, `moving` = channels in use, `rows` = residuals in standard deviations.
Smoothness is part of the same system as the gaps of lips and lids (`video/solver.py`). What touches has a
standard deviation far below that of positions, so that smoothing opens no closure.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from talkcli.engine.face.channels import ADA, CHANNELS, JAW, MOST_JAW_RAD, is_share, learned
from talkcli.engine.retarget.goals import LIPS, Goals, apart, lid_gaps
from talkcli.engine.types import Reporter
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.differences import slopes_of
from talkcli.engine.video.priors import prior_for
from talkcli.engine.video.rig import NUM_IBUG, Rig
from talkcli.engine.video.solver import Prior, blocks, solve

# Standard deviations in metres: of landmarks, of lips that touch, of lids, and of irises.
_POINT_M, _CHIN_M, _TOUCH_M, _LIDS_M, _IRIS_M = 1e-3, 2e-3, 4e-5, 1.5e-4, 3e-4
# Share of an open gap that is added to the standard deviation of lips and of lids.
_OF_GAP = 0.05
# Standard deviation of a channel about the value that its name asks for, as a share of full scale.
_NAMED = 0.2
# Spread of channels of which nobody knows a usual one, and their linear pull to rest, times the spread.
_SPREAD, _PULL = 0.7, 0.3
# Standard deviation of the second difference of such channels at 25 frames per second.
_BEND, _BEND_FPS = 0.4, 25.0
# Channels that move no landmark by more at full scale keep what their names ask for.
_MOVED_M = 1e-4
_PASSES, _ROUNDS = 5, 6
_BLOCK_FRAMES, _MARGIN_FRAMES = 256, 12
_PLACED = np.array([*at.CHIN, *range(17, NUM_IBUG)])


def follow(
    rig: Rig,
    wanted: Goals,
    fps: float | None,
    *,
    named: Float[np.ndarray, "frames coeffs"] | None = None,
    reporter: Reporter,
) -> Float[np.ndarray, "frames coeffs"]:
    """Return the coefficients with which the landmarks of `rig` reach `wanted`.

    Args:
        rig: Target head.
        wanted: Goals of every frame.
        fps: Frames per second; None where frames have nothing to do with each other.
        named: Coefficients that the names of the channels ask for; the solution stays near them. None: it
            stays near rest.
        reporter: Receiver of progress.
    """
    channels = rig.head.channels
    moving, prior = _prior(rig, fps or _BEND_FPS, named is not None)
    found = np.zeros((len(wanted.points), len(channels))) if named is None else named.astype(np.float64)
    if not len(moving):
        return found.astype(np.float32)
    start = found.copy()
    done = 0
    for core, wide in blocks(len(found), _BLOCK_FRAMES, _MARGIN_FRAMES):
        reporter.progress("retargeting", done, len(found))
        problem = _Problem(rig, wanted.part(wide), moving, start[wide], named is not None)
        tied = np.full(max(wide.stop - wide.start - 2, 0), fps is not None)
        first = start[wide][:, moving].clip(prior.low, prior.high)
        solved = solve(problem, first, prior, np.ones(len(first)), tied, _PASSES, _ROUNDS)
        found[core, moving] = solved[core.start - wide.start : core.stop - wide.start]
        done = core.stop
    reporter.progress("retargeting", done, len(found))
    return found.astype(np.float32)


class _Problem:
    """See `solver.Problem`. Rows: landmarks, gaps of lips, gaps of lids, irises, distance from the names."""

    def __init__(
        self,
        rig: Rig,
        wanted: Goals,
        moving: Int[np.ndarray, "moving"],
        around: Float[np.ndarray, "frames coeffs"],
        is_named: bool,
    ) -> None:
        self._rig, self._moving, self._around, self._is_named = rig, moving, around, is_named
        self._rest = wanted.rest
        spread = np.full(NUM_IBUG, _POINT_M)
        spread[list(at.CHIN)] = _CHIN_M
        self._points = 1.0 / spread[_PLACED][:, None]
        self._lips = 1.0 / (_TOUCH_M + _OF_GAP * wanted.parted)[..., None]
        self._lids = 1.0 / (_LIDS_M + _OF_GAP * wanted.lids.clip(min=0.0))
        # Numbers of points: a head has irises where its eyes turn.
        self._num = wanted.points.shape[1]
        self._target = self._weighed(wanted.points[:, None], wanted.lips[:, None], wanted.lids[:, None])

    def residuals(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames rows"]:
        """See `solver.Problem`."""
        rows = (self._rows(self._rig.points(self._coeffs(values))[:, None]) - self._target)[:, 0]
        if not self._is_named:
            return rows
        return np.concatenate([rows, (values - self._around[:, self._moving]) / _NAMED], axis=1)

    def slopes(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames rows moving"]:
        """See `solver.Problem`."""
        slopes = slopes_of(self._rig.points, self._rows, self._coeffs(values), self._moving)
        if not self._is_named:
            return slopes
        num = len(self._moving)
        beside = np.broadcast_to(np.eye(num) / _NAMED, (len(values), num, num))
        return np.concatenate([slopes, beside], axis=1)

    def _coeffs(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames coeffs"]:
        coeffs = self._around.copy()
        coeffs[:, self._moving] = values
        return coeffs

    def _rows(
        self, points: Float[np.ndarray, "frames tried points 3"]
    ) -> Float[np.ndarray, "frames tried rows"]:
        points = points[:, :, : self._num].astype(np.float64)
        return self._weighed(points, apart(points, LIPS), lid_gaps(points, self._rest))

    def _weighed(
        self,
        points: Float[np.ndarray, "frames tried points 3"],
        lips: Float[np.ndarray, "frames tried 3 3"],
        lids: Float[np.ndarray, "frames tried 4"],
    ) -> Float[np.ndarray, "frames tried rows"]:
        parts = (
            points[:, :, _PLACED] * self._points,
            lips * self._lips[:, None],
            lids * self._lids[:, None],
            points[:, :, NUM_IBUG:] / _IRIS_M,
        )
        return np.concatenate([part.reshape(*points.shape[:2], -1) for part in parts], axis=-1)


def _prior(rig: Rig, fps: float, is_named: bool) -> tuple[Int[np.ndarray, "moving"], Prior]:
    """Return the channels in use and what is known of them: that of films for heads whose channels talk
    knows, unless their names have values already.
    """
    channels = rig.head.channels
    seen = _seen(rig)
    if learned(channels) in CHANNELS.values() and not is_named:
        moving, prior = prior_for(channels, fps)
        return moving, prior
    moving = np.flatnonzero(seen)
    names = [channels[index] for index in moving]
    low = np.array([0.0 if is_share(name) else -MOST_JAW_RAD for name in names])
    high = np.array([1.0 if is_share(name) else MOST_JAW_RAD for name in names])
    spread = np.full(len(moving), _SPREAD)
    # The rows of the names hold such channels already.
    weight = 0.0 if is_named else 1.0
    return moving, Prior(
        low=low,
        high=high,
        precision=np.diag(weight / spread**2),
        pull=weight * _PULL / spread,
        bend=_BEND * spread * (_BEND_FPS / fps) ** 1.5,
    )


def _seen(rig: Rig) -> Bool[np.ndarray, "coeffs"]:
    """Return whether each channel moves a landmark or an iris."""
    opened = np.zeros((1, len(rig.head.channels)))
    if learned(rig.head.channels) == ADA:
        # `lipSeal` and `mouthClose` move an open mouth only.
        opened[0, rig.head.channels.index(JAW[0])] = 0.1
    tried = opened + np.eye(opened.shape[1])
    moved: np.ndarray = np.linalg.norm(rig.points(tried) - rig.points(opened), axis=-1).max(axis=1) > _MOVED_M
    return moved
