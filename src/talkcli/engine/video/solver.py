"""Solver for the coefficients of a whole clip: within bounds, pulled to rest, and smooth in time.

Axis names: `frames`, `moving` = channels in use, `rows` = residuals.
Source: Gauss-Newton with the projection of Bertsekas (1982), which leaves values at an active bound out of
the step. Only second differences couple frames, so the normal equations are a band matrix, and the cost grows
linearly with the number of frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import solveh_banded

# Weight that keeps a value at its active bound during a step.
_HELD = 1e9
# Greatest number of times that a step of a frame is halved.
_HALVINGS = 3


@dataclass(frozen=True)
class Prior:
    """Prior on the channels in use, in the channels' own units."""

    low: Float[np.ndarray, "moving"]
    """Lower bound of each channel."""
    high: Float[np.ndarray, "moving"]
    """Upper bound of each channel."""
    precision: Float[np.ndarray, "moving moving"]
    """Precision matrix (inverse covariance) of the quadratic pull to rest."""
    pull: Float[np.ndarray, "moving"]
    """Slope of the linear pull to rest, which lets few channels do the work of many."""
    bend: Float[np.ndarray, "moving"]
    """Standard deviation of each channel's second difference between frames."""


@runtime_checkable
class Problem(Protocol):
    """Residuals of a clip's measurements, in standard deviations."""

    def residuals(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames rows"]:
        """Return the residuals of `values` against the measurements."""

    def slopes(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames rows moving"]:
        """Return the derivatives of `residuals` with respect to `values`."""


def blocks(num_frames: int, core: int, margin: int) -> Iterator[tuple[slice, slice]]:
    """Yield each block of `core` frames, and the block with `margin` frames on either side, which are solved
    with it and then dropped: neighbours further away do not change a frame.
    """
    for start in range(0, num_frames, core):
        stop = min(start + core, num_frames)
        yield slice(start, stop), slice(max(0, start - margin), min(num_frames, stop + margin))


def solve(
    problem: Problem,
    start: Float[np.ndarray, "frames moving"],
    prior: Prior,
    drawn: Float[np.ndarray, "frames"],
    tied: Bool[np.ndarray, "triples"],
    passes: int,
    rounds: int = 1,
) -> Float[np.ndarray, "frames moving"]:
    """Return the values that minimise squared residuals, the pull to rest and squared second differences.

    Args:
        problem: Residuals of the clip and their derivatives.
        start: Values to start from.
        prior: Bounds, pull to rest and smoothness of each channel.
        drawn: Factor on the pull to rest of each frame; 1 leaves it as in `prior`.
        tied: Whether frames k to k + 2 belong to one shot, so that their second difference counts.
        passes: Number of Gauss-Newton passes.
        rounds: Number of times that a step is computed, each time with the values that went beyond their
            bounds put there, so that the others make up for them.
    """
    num_frames, num = start.shape
    diagonal = np.arange(num)
    stiff = _stiffness(num_frames, tied)
    current = start
    residual = problem.residuals(current)
    cost = _cost(current, residual, prior, drawn, tied)
    for _ in range(passes):
        slope = problem.slopes(current)
        gradient = np.einsum("frm,fr->fm", slope, residual)
        gradient += drawn[:, None] * (current @ prior.precision + prior.pull)
        gradient += _times_band(stiff, current) / prior.bend**2
        held = ((current <= prior.low) & (gradient > 0)) | ((current >= prior.high) & (gradient < 0))
        blocks = np.matmul(slope.transpose(0, 2, 1), slope)
        blocks += drawn[:, None, None] * prior.precision
        blocks[:, diagonal, diagonal] += stiff[0][:, None] / prior.bend**2
        blocks[:, diagonal, diagonal] += np.where(held, _HELD, 0.0)
        wanted = current - _step(blocks, stiff, prior, gradient)
        for _ in range(rounds - 1):
            beyond = ((wanted < prior.low) | (wanted > prior.high)) & ~held
            if not beyond.any():
                break
            held |= beyond
            # A held value steps just to its bound.
            way = current - np.clip(wanted, prior.low, prior.high)
            gradient[beyond] += _HELD * way[beyond]
            blocks[:, diagonal, diagonal] += np.where(beyond, _HELD, 0.0)
            wanted = current - _step(blocks, stiff, prior, gradient)
        wanted = np.clip(wanted, prior.low, prior.high)
        # Heads are not linear: a frame whose cost rises takes only half, a quarter or an eighth of its step.
        for _ in range(_HALVINGS):
            there = problem.residuals(wanted)
            cost_there = _cost(wanted, there, prior, drawn, tied)
            worse = cost_there > cost
            if not worse.any():
                break
            wanted[worse] = 0.5 * (wanted[worse] + current[worse])
        current, residual = wanted, problem.residuals(wanted)
        cost = _cost(current, residual, prior, drawn, tied)
    return current


def _step(
    blocks: Float[np.ndarray, "frames moving moving"],
    stiff: Float[np.ndarray, "3 frames"],
    prior: Prior,
    gradient: Float[np.ndarray, "frames moving"],
) -> Float[np.ndarray, "frames moving"]:
    """Return the solution of the normal equations."""
    band = _banded(blocks, stiff, prior.bend)
    found = solveh_banded(band, gradient.ravel(), lower=True, overwrite_ab=True, check_finite=False)
    step: np.ndarray = found.reshape(gradient.shape)
    return step


def _cost(
    values: Float[np.ndarray, "frames moving"],
    residual: Float[np.ndarray, "frames rows"],
    prior: Prior,
    drawn: Float[np.ndarray, "frames"],
    tied: Bool[np.ndarray, "triples"],
) -> Float[np.ndarray, "frames"]:
    """Return the cost of each frame; a second difference counts for the frame in its middle."""
    rest = (values @ prior.precision * values).sum(axis=1) + 2.0 * values @ prior.pull
    cost = (residual**2).sum(axis=1) + drawn * rest
    bends = np.diff(values, 2, axis=0) / prior.bend
    cost[1:-1] += tied * (bends**2).sum(axis=1)
    return cost


def _stiffness(num_frames: int, tied: Bool[np.ndarray, "triples"]) -> Float[np.ndarray, "3 frames"]:
    """Return the lower band of the sum of squared second differences; row k couples t with t + k."""
    stiff = np.zeros((3, num_frames))
    if num_frames < 3:
        return stiff
    on = tied.astype(float)
    for place, weight in enumerate((1.0, -2.0, 1.0)):
        for other in range(place, 3):
            stiff[other - place, place : place + len(on)] += weight * (1.0, -2.0, 1.0)[other] * on
    return stiff


def _times_band(
    stiff: Float[np.ndarray, "3 frames"], values: Float[np.ndarray, "frames moving"]
) -> Float[np.ndarray, "frames moving"]:
    out = stiff[0][:, None] * values
    for apart in (1, 2):
        weights = stiff[apart][:-apart, None]
        out[:-apart] += weights * values[apart:]
        out[apart:] += weights * values[:-apart]
    return out


def _banded(
    blocks: Float[np.ndarray, "frames moving moving"],
    stiff: Float[np.ndarray, "3 frames"],
    bend: Float[np.ndarray, "moving"],
) -> Float[np.ndarray, "bands unknowns"]:
    """Return the normal equations as LAPACK's lower band: row k holds the k-th diagonal below the main."""
    num_frames, num = blocks.shape[:2]
    band = np.zeros((2 * num + 1, num_frames, num))
    for below in range(num):
        band[below, :, : num - below] = np.diagonal(blocks, -below, axis1=1, axis2=2)
    for apart in (1, 2):
        band[apart * num, :-apart] += stiff[apart][:-apart, None] / bend**2
    return band.reshape(2 * num + 1, num_frames * num)
