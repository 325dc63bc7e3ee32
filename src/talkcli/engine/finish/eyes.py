"""Blinks and gaze of a talking face.

Axis names: `steps` (100 Hz), `frames`, `coeffs` (ada's 53 channels), `times`.
Source: Bentivoglio et al. (1997) for the blink rate at rest; Trutoiu et al. (2011) for lids that close fast
and open more slowly; Lee, Badler & Badler (2002), Eyes Alive, for gaze that jumps and then holds. The eyes
turn against the head and so stay with the viewer: this is the vestibulo-ocular reflex.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.ada.head import EYE_TURN_RAD
from talkcli.engine.face.channels import ADA
from talkcli.engine.filters import gaussian_filter1d, grey_opening
from talkcli.engine.finish.phrasing import Phrasing
from talkcli.engine.finish.tracks import middles, num_steps
from talkcli.engine.types import Phone

# Durations in seconds of the three parts of a blink: closing, closed, opening. Each blink scales them by a
# factor from 0.85 to 1.2; even then the lids are closed for longer than a frame at 25 fps (0.04 s).
_CLOSE_S, _SHUT_S, _OPEN_S = 0.09, 0.05, 0.20
# Shortest interval in seconds that the blink process draws between two blinks.
_SHORTEST_GAP_S = 0.8
# Mean number of blinks per minute: between the rates that Bentivoglio et al. (1997) give for rest, 17, and
# for conversation, 26.
_PER_MINUTE = 22.0
# Distances in seconds from the time when a blink is due, within which the start of a pause, or else an
# accent, attracts it.
_PAUSE_PULL_S, _ACCENT_PULL_S = 0.6, 0.25
# Shortest and longest duration in seconds of a fixation.
_FIXATION_S = (0.5, 2.2)
# Standard deviation in seconds of the Gaussian that smooths a jump of the gaze.
_SACCADE_S = 0.02
# Standard deviations of the gaze sideways and upwards, as shares of the channels' full scale: about 2 and 1.5
# degrees, so that the eyes stay on the viewer's face.
_GAZE_SIDE, _GAZE_UP = 0.065, 0.05
# Longest duration in seconds of a closure that counts as a blink of the motion's own, and the closure in
# [0, 1], beyond that of the lid before and after, that `without_blinks` leaves of it: no more than a flutter.
_OWN_BLINK_S, _FLUTTER = 0.5, 0.15
# Channels of each eye that turn it to the subject's left, to the subject's right, up and down.
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
    """Return `coeffs` with eyes that blink, look about and stay with the viewer when the head turns.

    The function first removes blinks that the motion already has, because they would be doubled. It adds the
    glances to the mean direction of the two eyes, so that both then look the same way.

    Args:
        coeffs: Motion of ada.
        pose: Rotation of the head, axis-angle in radians; None for a head that does not turn.
        heard: Phrasing of the speech, whose pauses and accents attract blinks.
        fps: Frames per second of the motion.
        rng: Generator of blinks and glances.
    """
    steps, at = num_steps(len(coeffs), fps), middles(len(coeffs), fps)
    accents = [accent.time_s for accent in heard.accents]
    closure = blinks(steps, heard.pauses, _PER_MINUTE, rng, accents)[at]
    looking = (track[at] for track in glances(steps, rng))
    eyes = without_blinks(coeffs, fps)
    side, up = (own + more for own, more in zip(direction(eyes), looking, strict=True))
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
    """Return the closure of the lids in [0, 1]: blinks at log-normal intervals.

    The start of a pause that is near attracts a blink; if there is none, an accent that is near does. Because
    of this and of the shortest interval, the rate is slightly below `per_minute`.

    Args:
        num_steps: Number of steps of the result (100 Hz).
        pauses: Pauses in order of time.
        per_minute: Mean number of blinks per minute.
        rng: Generator of times and durations.
        accents_s: Times of the accents in seconds, ascending.
    """
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
        # A log-normal variable of deviation 0.5 has the mean `mean_s` with this mean of its logarithm.
        gap = rng.lognormal(np.log(mean_s) - 0.5 * 0.5**2, 0.5)
        at = max(at, start) + max(gap, _SHORTEST_GAP_S)
    return track


def gaze(num_steps: int, rng: np.random.Generator) -> Float[np.ndarray, "steps coeffs"]:
    """Return the motion of `glances` as coefficients of ada, all others 0; both eyes look the same way."""
    coeffs = np.zeros((num_steps, len(ADA)))
    _look(coeffs, *glances(num_steps, rng))
    return coeffs


def glances(
    num_steps: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "steps"], Float[np.ndarray, "steps"]]:
    """Draw a gaze that jumps about on the viewer's face and holds each direction for 0.5 to 2.2 s.

    Returns:
        Direction to the subject's left, and direction upwards, as shares of the channels' full scale (-1 to
        1).
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
    """Return `coeffs` with lids at least as closed as `closure`, which is in [0, 1].

    `eyeWide` and `eyeSquint` fade out by the same degree, because lids meet only without them.
    """
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
    """Return `coeffs`, at `fps` frames per second, without blinks; lids that are low for longer stay low."""
    open_eyed = coeffs.copy()
    width = 2 * round(_OWN_BLINK_S * fps / 2) + 1
    for side in ("Left", "Right"):
        lid = open_eyed[:, ADA.index(f"eyeBlink{side}")]
        np.minimum(lid, grey_opening(lid, width) + _FLUTTER, out=lid)
    return open_eyed


def _near(times_s: Float[np.ndarray, "times"], at: float, reach_s: float) -> float | None:
    """Return the first of the ascending `times_s` that lies within `reach_s` seconds of `at`; None without
    one.
    """
    first = int(np.searchsorted(times_s, at - reach_s, side="right"))
    return float(times_s[first]) if first < len(times_s) and times_s[first] < at + reach_s else None


def direction(
    coeffs: Float[np.ndarray, "frames coeffs"],
) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]]:
    """Return the mean direction of the two eyes: to the subject's left, and up, as shares of full scale."""
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
    """Turn both eyes in `coeffs` to `side` (the subject's left) and `up`, in place."""
    for names in _LOOKS.values():
        for name, values in zip(names, (side, -side, up, -up), strict=True):
            coeffs[:, ADA.index(name)] = np.maximum(values, 0)
