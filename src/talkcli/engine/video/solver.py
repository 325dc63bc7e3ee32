"""Coefficients of a whole clip at once: bounded, drawn to rest, smooth in time.

Axis names: `frames`, `moving` = channels in use, `rows` = things measured.
Source: Gauss-Newton with Bertsekas' projection (1982): what a bound holds is left out of the step. Frames are
tied by their second differences alone, so the normal equations are a band and cost grows with the frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import solveh_banded

_HELD = 1e9
_HALVINGS = 3


@dataclass(frozen=True)
class Prior:
    """Bounds of each moving channel; `precision` draws all towards rest with their squares, `pull` in
    proportion, so that few channels do the work of many; `bend` is how far a course bends between frames.
    """

    low: Float[np.ndarray, "moving"]
    high: Float[np.ndarray, "moving"]
    precision: Float[np.ndarray, "moving moving"]
    pull: Float[np.ndarray, "moving"]
    bend: Float[np.ndarray, "moving"]


@runtime_checkable
class Problem(Protocol):
    """What is measured of a clip, in standard deviations."""

    def residuals(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames rows"]:
        """Return how far `values` are from what was measured."""

    def slopes(self, values: Float[np.ndarray, "frames moving"]) -> Float[np.ndarray, "frames rows moving"]:
        """Return derivatives of `residuals`."""


def solve(
    problem: Problem,
    start: Float[np.ndarray, "frames moving"],
    prior: Prior,
    drawn: Float[np.ndarray, "frames"],
    tied: Bool[np.ndarray, "triples"],
    passes: int,
) -> Float[np.ndarray, "frames moving"]:
    """Return the least of residuals squared, departures from rest and bends.

    `drawn` says how much each frame is drawn to rest (1 is what `prior` says), `tied[k]` whether frames k to
    k + 2 belong together.
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
        band = _banded(blocks, stiff, prior.bend)
        step = solveh_banded(band, gradient.ravel(), lower=True, overwrite_ab=True, check_finite=False)
        wanted = np.clip(current - step.reshape(num_frames, num), prior.low, prior.high)
        # Heads bend: where a frame got worse, it goes only part of the way.
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


def _cost(
    values: Float[np.ndarray, "frames moving"],
    residual: Float[np.ndarray, "frames rows"],
    prior: Prior,
    drawn: Float[np.ndarray, "frames"],
    tied: Bool[np.ndarray, "triples"],
) -> Float[np.ndarray, "frames"]:
    """Return what is minimised, a bend counted for the frame in its middle."""
    rest = (values @ prior.precision * values).sum(axis=1) + 2.0 * values @ prior.pull
    cost = (residual**2).sum(axis=1) + drawn * rest
    bends = np.diff(values, 2, axis=0) / prior.bend
    cost[1:-1] += tied * (bends**2).sum(axis=1)
    return cost


def _stiffness(num_frames: int, tied: Bool[np.ndarray, "triples"]) -> Float[np.ndarray, "3 frames"]:
    """Lower band of the sum of squared second differences; row k couples frame t with t + k."""
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
    """Return the normal equations as LAPACK's lower band: row k holds what lies k below the diagonal."""
    num_frames, num = blocks.shape[:2]
    band = np.zeros((2 * num + 1, num_frames, num))
    for below in range(num):
        band[below, :, : num - below] = np.diagonal(blocks, -below, axis1=1, axis2=2)
    for apart in (1, 2):
        band[apart * num, :-apart] += stiff[apart][:-apart, None] / bend**2
    return band.reshape(2 * num + 1, num_frames * num)
