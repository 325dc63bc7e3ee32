"""Blinks and gaze: what eyes do while their owner talks.

Axis names: `steps` at 100 Hz, `coeffs` = ada's 53 numbers.
Source: Bentivoglio et al. (1997) for blink rates in conversation; Trutoiu et al. (2011) for the fast close
and the slower opening; Lee, Badler & Badler (2002), Eyes Alive, for gaze that jumps and then holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.channels import ADA, NUM_COEFFS
from talkcli.engine.types import Phone

_CLOSE_S, _SHUT_S, _OPEN_S = 0.09, 0.05, 0.20
_SHORTEST_GAP_S = 0.8
# A blink falls on a pause this much more often than its share of the time.
_PAUSE_PULL_S = 0.6
_FIXATION_S = (0.5, 2.2)
_SACCADE_S = 0.02
# Of the channels' full scale; about 3 and 2 degrees.
_GAZE_SIDE, _GAZE_UP = 0.10, 0.07


def blinks(
    num_steps: int, pauses: Sequence[Phone], per_minute: float, rng: np.random.Generator
) -> Float[np.ndarray, "steps"]:
    """Lid closure in [0, 1]: log-normal intervals, drawn to the starts of pauses."""
    track = np.zeros(num_steps)
    time = np.arange(num_steps) / STEP_HZ
    mean_s = 60 / per_minute
    at = rng.uniform(0, mean_s)
    while at < num_steps / STEP_HZ:
        near = [pause.start_s for pause in pauses if abs(pause.start_s - at) < _PAUSE_PULL_S]
        start = near[0] + rng.uniform(-0.05, 0.1) if near else at
        pace = rng.uniform(0.85, 1.2)
        closing = (time - start) / (_CLOSE_S * pace)
        opening = (start + (_CLOSE_S + _SHUT_S + _OPEN_S) * pace - time) / (_OPEN_S * pace)
        shape = np.clip(np.minimum(closing, opening), 0, 1)
        track = np.maximum(track, shape * shape * (3 - 2 * shape))
        # exp of a normal with this shift has the mean asked for.
        gap = rng.lognormal(np.log(mean_s) - 0.5 * 0.5**2, 0.5)
        at = max(at, start) + max(gap, _SHORTEST_GAP_S)
    return track


def gaze(num_steps: int, rng: np.random.Generator) -> Float[np.ndarray, "steps coeffs"]:
    """Small jumps around the viewer's face, each held for a while; both eyes together."""
    side, up = np.zeros(num_steps), np.zeros(num_steps)
    at = 0
    while at < num_steps:
        end = at + max(1, round(rng.uniform(*_FIXATION_S) * STEP_HZ))
        side[at:end] = np.clip(rng.normal(0, _GAZE_SIDE), -0.3, 0.3)
        up[at:end] = np.clip(rng.normal(-0.02, _GAZE_UP), -0.2, 0.2)
        at = end
    side, up = (gaussian_filter1d(track, _SACCADE_S * STEP_HZ, mode="nearest") for track in (side, up))
    coeffs = np.zeros((num_steps, NUM_COEFFS))
    for name, values in {
        "eyeLookOutLeft": side, "eyeLookInRight": side, "eyeLookInLeft": -side, "eyeLookOutRight": -side,
        "eyeLookUpLeft": up, "eyeLookUpRight": up, "eyeLookDownLeft": -up, "eyeLookDownRight": -up,
    }.items():  # fmt: skip
        coeffs[:, ADA.index(name)] = np.maximum(values, 0)
    return coeffs


def shut(
    coeffs: Float[np.ndarray, "steps coeffs"], closure: Float[np.ndarray, "steps"]
) -> Float[np.ndarray, "steps coeffs"]:
    """`coeffs` with lids at least as closed as `closure`; what pulls lids apart lets go meanwhile."""
    shutting = coeffs.copy()
    for side in ("Left", "Right"):
        blink = ADA.index(f"eyeBlink{side}")
        shutting[:, blink] += (1 - np.clip(shutting[:, blink], 0, 1)) * closure
        for name in ("eyeWide", "eyeSquint"):
            shutting[:, ADA.index(f"{name}{side}")] *= 1 - closure
    return shutting
