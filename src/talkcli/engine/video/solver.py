"""Coefficients of a whole clip at once: bounded, drawn to rest, smooth in time.

Axis names: `frames`, `moving` = channels in use, `rows` = things measured.
Source: Gauss-Newton with Bertsekas' projection (1982): what a bound holds is left out of the step. Frames are
tied by their second differences alone, so the normal equations are a band and cost grows with the frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import solveh_banded

# Residuals of every frame and their derivatives by the moving channels.
Measured = tuple[Float[np.ndarray, "frames rows"], Float[np.ndarray, "frames rows moving"]]

_HELD = 1e9


@dataclass(frozen=True)
class Prior:
    """Per moving channel: bounds, how far it readily goes (`spread`), and how far its course bends from one
    frame to the next (`bend`).
    """

    low: Float[np.ndarray, "moving"]
    high: Float[np.ndarray, "moving"]
    spread: Float[np.ndarray, "moving"]
    bend: Float[np.ndarray, "moving"]


def solve(
    measure: Callable[[Float[np.ndarray, "frames moving"]], Measured],
    start: Float[np.ndarray, "frames moving"],
    prior: Prior,
    tied: Bool[np.ndarray, "triples"],
    passes: int,
) -> Float[np.ndarray, "frames moving"]:
    """The least of residuals squared, departures from rest and bends.

    `tied[k]` says whether frames k to k + 2 belong together.
    """
    num_frames, num = start.shape
    current = start
    stiff = _stiffness(num_frames, tied)
    for _ in range(passes):
        residual, slope = measure(current)
        gradient = np.einsum("frm,fr->fm", slope, residual) + current / prior.spread**2
        gradient += _times_band(stiff, current) / prior.bend**2
        held = ((current <= prior.low) & (gradient > 0)) | ((current >= prior.high) & (gradient < 0))
        blocks = np.matmul(slope.transpose(0, 2, 1), slope)
        diagonal = np.arange(num)
        blocks[:, diagonal, diagonal] += 1.0 / prior.spread**2 + stiff[0][:, None] / prior.bend**2
        blocks[:, diagonal, diagonal] += np.where(held, _HELD, 0.0)
        band = _banded(blocks, stiff, prior.bend)
        wanted = solveh_banded(band, gradient.ravel(), lower=True, overwrite_ab=True, check_finite=False)
        current = np.clip(current - wanted.reshape(num_frames, num), prior.low, prior.high)
    return current


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
    """The normal equations as LAPACK's lower band: row k holds what lies k below the diagonal."""
    num_frames, num = blocks.shape[:2]
    band = np.zeros((2 * num + 1, num_frames, num))
    for below in range(num):
        band[below, :, : num - below] = np.diagonal(blocks, -below, axis1=1, axis2=2)
    for apart in (1, 2):
        band[apart * num, :-apart] += stiff[apart][:-apart, None] / bend**2
    return band.reshape(2 * num + 1, num_frames * num)
