"""The tongue: its tip at the ridge behind the upper teeth (l, t, d, n) or between the teeth (th), its back at
the palate (k, g, ng), from phones with times or from the probabilities of a phone front-end.

Axis names: `frames`, `steps` (50 Hz), `coeffs` (ada's 53 channels), `lingual` = 4 (sounds of the tongue, as
in `LINGUALS`), `tongue` = 3 (degrees of the channels `TONGUE`), `wider` = 56 (`ADA`, then `TONGUE`).
Source: Cohen & Massaro (1993): every sound has a target of its own, which fades in before it and out after
it, so that the targets of neighbours overlap. A target here is a gesture that reaches its place whatever the
neighbours ask for, as a contact of the lips does (Edwards et al. 2016). Vowels have no gesture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.audio.phones import LINGUALS
from talkcli.engine.face.articulators import columns
from talkcli.engine.face.channels import TONGUE
from talkcli.engine.finish.tracks import ease
from talkcli.engine.masks import runs
from talkcli.engine.types import Phone

# Steps per second of the probabilities.
STEP_HZ = 50
# Probability above which a step belongs to one of the sounds of a channel, for each of `TONGUE`; chosen on
# LJSpeech, for the largest harmonic mean of recall and precision (docs/layers.md).
_HEARD = (0.3, 0.2, 0.4)
# Shortest time in seconds in which a gesture is complete: longer than a frame at 25 fps, so that one frame
# shows it.
_HOLD_S = 0.046
# Opening of the jaw in radians below which the tip has no room between the teeth, and from which it has
# enough; the second is the opening that the rules give th.
_SHUT_RAD, _PARTED_RAD = 0.02, 0.045
_TIP, _BETWEEN, _BACK = range(len(TONGUE))
assert TONGUE == ("tongueTipUp", "tongueBetween", "tongueBackUp")


@dataclass(frozen=True, kw_only=True)
class Gesture:
    """How the tongue makes a sound."""

    channel: int
    """Place of its channel in `TONGUE`."""
    held: float
    """Share of the sound's duration in which the gesture is complete."""
    centre: float
    """Middle of that time, as a share of the sound's duration."""
    reach_s: float
    """Duration in seconds of the way to it."""
    leave_s: float
    """Duration in seconds of the way back."""


# The gesture of each of `LINGUALS`. An l is held as long as it sounds. An aligner counts the burst as a part
# of a stop, and in the burst the tongue has left: it taps, slightly before the middle.
_GESTURES = (
    Gesture(channel=_TIP, held=1.0, centre=0.5, reach_s=0.09, leave_s=0.08),
    Gesture(channel=_TIP, held=0.5, centre=0.45, reach_s=0.06, leave_s=0.06),
    Gesture(channel=_BETWEEN, held=0.7, centre=0.5, reach_s=0.09, leave_s=0.08),
    Gesture(channel=_BACK, held=0.6, centre=0.45, reach_s=0.08, leave_s=0.07),
)


def tongue_of_phones(
    phones: Iterable[Phone], num_frames: int, fps: float
) -> Float[np.ndarray, "frames tongue"]:
    """Return the degrees in [0, 1] of the tongue's channels for phones with their times."""
    sounds = [
        (sound, phone.start_s, phone.end_s)
        for phone in phones
        for sound, symbols in enumerate(LINGUALS)
        if phone.symbol in symbols
    ]
    return _degrees(sounds, num_frames, fps)


def tongue_of_shares(
    shares: Float[np.ndarray, "steps lingual"], num_frames: int, fps: float
) -> Float[np.ndarray, "frames tongue"]:
    """Return the degrees in [0, 1] of the tongue's channels for the probability of each of `LINGUALS`.

    Sounds of one channel count together, since a front-end often cannot tell them apart.
    """
    sounds = []
    for channel, enough in enumerate(_HEARD):
        alike = [sound for sound, gesture in enumerate(_GESTURES) if gesture.channel == channel]
        heard = shares[:, alike].sum(axis=1) > enough
        likeliest = shares[:, alike].argmax(axis=1)
        for place, sound in enumerate(alike):
            spoken = runs(heard & (likeliest == place))
            sounds += [(sound, start / STEP_HZ, end / STEP_HZ) for start, end in spoken]
    return _degrees(sounds, num_frames, fps)


def part_teeth(
    coeffs: Float[np.ndarray, "frames coeffs"],
    degrees: Float[np.ndarray, "frames tongue"],
    held: Bool[np.ndarray, "frames"],
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs` with the jaw opened for the tip between the teeth, unless the lips are in contact.

    Args:
        coeffs: Motion of ada.
        degrees: Degrees of the tongue's channels.
        held: Mask of the frames that show a contact of lips or teeth; they stay.
    """
    (jaw,), (seal,) = columns("jawPitch"), columns("lipSeal")
    parted = coeffs.copy()
    missing = np.maximum(_PARTED_RAD - coeffs[:, jaw], 0)
    parted[:, jaw] += missing * degrees[:, _BETWEEN] * (1 - np.clip(coeffs[:, seal], 0, 1)) * ~held
    return parted


def with_tongue(
    coeffs: Float[np.ndarray, "frames coeffs"], degrees: Float[np.ndarray, "frames tongue"]
) -> Float[np.ndarray, "frames wider"]:
    """Return `coeffs`, and after them the channels of the tongue.

    The tip comes between the teeth as far as jaw and lips leave room. As far as a gesture goes, it replaces
    `tongueOut`, with which models and rules without these channels show the tongue.
    """
    (jaw,), (seal,), (out,) = (columns(name) for name in ("jawPitch", "lipSeal", "tongueOut"))
    room = ease((coeffs[:, jaw] - _SHUT_RAD) / (_PARTED_RAD - _SHUT_RAD))
    shown = degrees.copy()
    shown[:, _BETWEEN] = _without_return(degrees[:, _BETWEEN], room * (1 - np.clip(coeffs[:, seal], 0, 1)))
    shown[:, _TIP] *= 1 - shown[:, _BETWEEN]
    wider = np.concatenate([coeffs, shown.astype(coeffs.dtype)], axis=1)
    wider[:, out] *= 1 - shown.max(axis=1)
    return wider


def _without_return(
    degrees: Float[np.ndarray, "frames"], room: Float[np.ndarray, "frames"]
) -> Float[np.ndarray, "frames"]:
    """Return `degrees` times `room`, without a second peak in a gesture: a tip that had to go stays away."""
    inner = degrees[1:-1]
    valleys = np.flatnonzero((inner < degrees[:-2]) & (inner <= degrees[2:])) + 1
    shown = degrees * room
    for one in np.split(shown, valleys):
        peak = int(one.argmax())
        one[peak:] = np.minimum.accumulate(one[peak:])
        one[: peak + 1] = np.minimum.accumulate(one[peak::-1])[::-1]
    return shown


def _degrees(
    sounds: Sequence[tuple[int, float, float]], num_frames: int, fps: float
) -> Float[np.ndarray, "frames tongue"]:
    """Return the largest degree of the gestures of `sounds` in each frame.

    Args:
        sounds: Place in `LINGUALS`, start and end in seconds of each sound.
        num_frames: Number of frames.
        fps: Frames per second.
    """
    degrees = np.zeros((num_frames, len(TONGUE)))
    for sound, start_s, end_s in sounds:
        gesture, duration_s = _GESTURES[sound], end_s - start_s
        half = max(duration_s * gesture.held, _HOLD_S) / 2
        centre = start_s + gesture.centre * duration_s
        first = max(int((centre - half - gesture.reach_s) * fps), 0)
        last = min(int((centre + half + gesture.leave_s) * fps) + 1, num_frames)
        away = (np.arange(first, last) + 0.5) / fps - centre
        ramp = np.where(away < 0, gesture.reach_s, gesture.leave_s)
        track = degrees[first:last, gesture.channel]
        np.maximum(track, ease(1 - np.maximum(np.abs(away) - half, 0) / ramp), out=track)
    return degrees
