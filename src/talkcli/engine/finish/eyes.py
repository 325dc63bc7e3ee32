"""Blinks and gaze: what eyes do while their owner talks.

Axis names: `steps` at 100 Hz, `frames`, `coeffs` = ada's 53 numbers.
Source: Bentivoglio et al. (1997) for blink rates in conversation; Trutoiu et al. (2011) for the fast close
and the slower opening; Lee, Badler & Badler (2002), Eyes Alive, for gaze that jumps and then holds. That eyes
turn against the head, and so stay with the viewer, is the vestibulo-ocular reflex.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d, grey_opening

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.ada.head import EYE_TURN_RAD
from talkcli.engine.face.channels import ADA
from talkcli.engine.finish.phrasing import Phrasing
from talkcli.engine.finish.tracks import middles, num_steps
from talkcli.engine.types import Phone

_CLOSE_S, _SHUT_S, _OPEN_S = 0.09, 0.05, 0.20
_SHORTEST_GAP_S = 0.8
_PER_MINUTE = 17.0
# A blink falls on the start of a pause, or else on an accent, that is this near to when it is due.
_PAUSE_PULL_S, _ACCENT_PULL_S = 0.6, 0.25
_FIXATION_S = (0.5, 2.2)
_SACCADE_S = 0.02
# Of the channels' full scale; about 2 and 1.5 degrees, so that eyes stay on the viewer's face.
_GAZE_SIDE, _GAZE_UP = 0.065, 0.05
# A motion's own blinks are closures shorter than this; what of them stays is no more than a flutter.
_OWN_BLINK_S, _FLUTTER = 0.5, 0.15
# Channels that turn each eye to the subject's left, to the right, up and down.
_LOOKS = {
    "Left": ("eyeLookOutLeft", "eyeLookInLeft", "eyeLookUpLeft", "eyeLookDownLeft"),
    "Right": ("eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeLookDownRight"),
}


def lay_eyes(
    coeffs: Float[np.ndarray, "frames coeffs"],
    pose: Float[np.ndarray, "frames 3"] | None,
    heard: Phrasing,
    fps: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs` with eyes that blink, look about and stay with the viewer when the head turns by
    `pose`.

    Blinks that are there already go first: they would be doubled. Both eyes look the same way after it.
    """
    steps, at = num_steps(len(coeffs), fps), middles(len(coeffs), fps)
    accents = [accent.time_s for accent in heard.accents]
    closure = blinks(steps, heard.pauses, _PER_MINUTE, rng, accents)[at]
    looking = (track[at] for track in glances(steps, rng))
    eyes = without_blinks(coeffs, fps)
    side, up = (own + more for own, more in zip(_direction(eyes), looking, strict=True))
    if pose is not None:
        side, up = side - pose[:, 1] / EYE_TURN_RAD, up + pose[:, 0] / EYE_TURN_RAD
    _look(eyes, side, up)
    return shut(eyes, closure)


def blinks(
    num_steps: int,
    pauses: Sequence[Phone],
    per_minute: float,
    rng: np.random.Generator,
    accents_s: Sequence[float] = (),
) -> Float[np.ndarray, "steps"]:
    """Return lid closure in [0, 1]: log-normal intervals, drawn to the starts of pauses and to accents."""
    track = np.zeros(num_steps)
    starts_s, accented_s = np.array([pause.start_s for pause in pauses]), np.array(accents_s)
    mean_s = 60 / per_minute
    at = rng.uniform(0, mean_s)
    while at < num_steps / STEP_HZ:
        near, stressed = _near(starts_s, at, _PAUSE_PULL_S), _near(accented_s, at, _ACCENT_PULL_S)
        start = at if stressed is None else stressed
        start = start if near is None else near + rng.uniform(-0.05, 0.1)
        pace = rng.uniform(0.85, 1.2)
        first = max(int(start * STEP_HZ), 0)
        time = np.arange(first, min(first + STEP_HZ, num_steps)) / STEP_HZ
        closing = (time - start) / (_CLOSE_S * pace)
        opening = (start + (_CLOSE_S + _SHUT_S + _OPEN_S) * pace - time) / (_OPEN_S * pace)
        shape = np.clip(np.minimum(closing, opening), 0, 1)
        track[first : first + STEP_HZ] = np.maximum(
            track[first : first + STEP_HZ], shape * shape * (3 - 2 * shape)
        )
        # exp of a normal with this shift has the mean asked for.
        gap = rng.lognormal(np.log(mean_s) - 0.5 * 0.5**2, 0.5)
        at = max(at, start) + max(gap, _SHORTEST_GAP_S)
    return track


def gaze(num_steps: int, rng: np.random.Generator) -> Float[np.ndarray, "steps coeffs"]:
    """Return `glances` as coefficients; both eyes look the same way."""
    coeffs = np.zeros((num_steps, len(ADA)))
    _look(coeffs, *glances(num_steps, rng))
    return coeffs


def glances(
    num_steps: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "steps"], Float[np.ndarray, "steps"]]:
    """Draw small jumps around the viewer's face, each held for a while: how far the eyes look to the
    subject's left and up, of their whole range.
    """
    side, up = np.zeros(num_steps), np.zeros(num_steps)
    at = 0
    while at < num_steps:
        end = at + max(1, round(rng.uniform(*_FIXATION_S) * STEP_HZ))
        side[at:end] = np.clip(rng.normal(0, _GAZE_SIDE), -3 * _GAZE_SIDE, 3 * _GAZE_SIDE)
        up[at:end] = np.clip(rng.normal(-0.02, _GAZE_UP), -3 * _GAZE_UP, 3 * _GAZE_UP)
        at = end
    side, up = (gaussian_filter1d(track, _SACCADE_S * STEP_HZ, mode="nearest") for track in (side, up))
    return side, up


def shut(
    coeffs: Float[np.ndarray, "steps coeffs"], closure: Float[np.ndarray, "steps"]
) -> Float[np.ndarray, "steps coeffs"]:
    """Return `coeffs` with lids at least as closed as `closure`; what pulls lids apart lets go meanwhile."""
    shutting = coeffs.copy()
    for side in ("Left", "Right"):
        blink = ADA.index(f"eyeBlink{side}")
        shutting[:, blink] += (1 - np.clip(shutting[:, blink], 0, 1)) * closure
        for name in ("eyeWide", "eyeSquint"):
            shutting[:, ADA.index(f"{name}{side}")] *= 1 - closure
    return shutting


def without_blinks(
    coeffs: Float[np.ndarray, "frames coeffs"], fps: float
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs` without the short closures of their lids; lids that are low for longer stay so."""
    open_eyed = coeffs.copy()
    width = 2 * round(_OWN_BLINK_S * fps / 2) + 1
    for side in ("Left", "Right"):
        lid = open_eyed[:, ADA.index(f"eyeBlink{side}")]
        np.minimum(lid, grey_opening(lid, (width,)) + _FLUTTER, out=lid)
    return open_eyed


def _near(times_s: Float[np.ndarray, "times"], at: float, reach_s: float) -> float | None:
    """Return the first of `times_s`, which are in order, within `reach_s` of `at`."""
    first = int(np.searchsorted(times_s, at - reach_s, side="right"))
    return float(times_s[first]) if first < len(times_s) and times_s[first] < at + reach_s else None


def _direction(
    coeffs: Float[np.ndarray, "frames coeffs"],
) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]]:
    """Return how far the eyes look to the subject's left and up, the mean of both."""
    left, right, up, down = (
        np.mean([coeffs[:, ADA.index(name)] for name in names], axis=0)
        for names in zip(*_LOOKS.values(), strict=True)
    )
    return left - right, up - down


def _look(
    coeffs: Float[np.ndarray, "frames coeffs"],
    side: Float[np.ndarray, "frames"],
    up: Float[np.ndarray, "frames"],
) -> None:
    """Turn both eyes `side`wards and `up`, in place."""
    for names in _LOOKS.values():
        for name, values in zip(names, (side, -side, up, -up), strict=True):
            coeffs[:, ADA.index(name)] = np.maximum(values, 0)
