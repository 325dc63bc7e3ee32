"""From phones to the mouth's motion: blending by dominance, contacts of lips and teeth, and rest in pauses.

Axis names: `steps` (100 Hz), `phones`, `coeffs` (ada's 53 channels).
Source: Edwards et al. (2016), JALI, for two things: blending never removes a contact, and jaw and lips have
separate gains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.phones import VOWELS
from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.articulators import ARTICULATORS, columns
from talkcli.engine.face.channels import ADA
from talkcli.engine.filters import gaussian_filter1d
from talkcli.engine.finish.contacts import touch
from talkcli.engine.finish.tracks import ease
from talkcli.engine.masks import runs
from talkcli.engine.rules.dominance import Target, blended
from talkcli.engine.rules.visemes import MICRO_PAUSE, OPENING, VISEMES, Viseme
from talkcli.engine.types import SILENCE, Alignment, Config, Phone

# Standard deviation, in seconds, of the Gaussian that smooths the level before it scales the opening: the
# opening follows the loudness of syllables, not every period of the voice.
_SWELL_S = 0.03


class SpeechMotionConfig(Config):
    """Settings of the mouth's motion; a speaker's style consists of the gains, which are factors around 1."""

    contact_hold_s: float = 0.046
    """Shortest duration of a full contact in seconds: longer than a frame at 25 fps (0.04 s), so that one
    frame shows it."""
    contact_reach_s: float = 0.045
    """Duration in seconds of the ramp into a contact."""
    contact_leave_s: float = 0.03
    """Duration in seconds of the ramp out of a contact."""
    pause_s: float = 0.16
    """Shortest silence within the sound, in seconds, in which the mouth comes to rest."""
    quiet_db: float = 30.0
    """Distance in dB below the 95th percentile of the sound's level; a lower level counts as silence."""
    settle_ahead_s: float = 0.05
    """Time in seconds before the start of a pause at which the mouth starts to close."""
    settle_s: float = 0.10
    """Duration in seconds of the closing of the mouth into a pause."""
    rise_s: float = 0.05
    """Time in seconds before the end of a pause at which the mouth starts to open; at the end, it is open."""
    smooth_s: float = 0.018
    """Standard deviation in seconds of the Gaussian low-pass over the blended shapes."""
    jaw_gain: float = 1.0
    """Factor on the jaw's channels."""
    lips_gain: float = 1.0
    """Factor on the channels that part and spread the lips."""
    round_gain: float = 1.0
    """Factor on the channels that round the lips."""
    loud_to_vowel: float = 0.03
    """Relative change of a vowel's opening per dB of its peak level above the median vowel of the clip."""
    loud_to_opening: float = 0.02
    """Relative change of every opening per dB of the momentary level above the clip's median vowel."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Factors on the openings of a whole clip, relative to speech of ordinary level.

    A shout moves mainly the jaw; quiet speech keeps the movement of its lips (Edwards et al. 2016).
    """

    jaw: float = 1.0
    """Factor on the jaw's opening."""
    lips: float = 1.0
    """Factor on the parting of the lips."""


@dataclass(frozen=True, kw_only=True)
class MouthTrack:
    """The mouth's motion at 100 Hz, and the state of the mouth that the emotion's motion must respect."""

    coeffs: Float[np.ndarray, "steps coeffs"]
    """Values of ada's channels; those outside the mouth are 0."""
    lips: Float[np.ndarray, "steps"]
    """Degree in [0, 1] of the contact of the two lips (p, b, m)."""
    teeth: Float[np.ndarray, "steps"]
    """Degree in [0, 1] of the contact of the lower lip with the upper teeth (f, v)."""
    rest: Float[np.ndarray, "steps"]
    """Degree in [0, 1] to which the mouth is at rest; 1 in pauses."""
    rounding: Float[np.ndarray, "steps"]
    """Rounding of the lips in [0, 1]."""

    @classmethod
    def resting(cls, num_steps: int) -> MouthTrack:
        """Return a mouth at rest throughout, for motion whose mouth comes from elsewhere."""
        zeros = np.zeros(num_steps)
        still = np.zeros((num_steps, len(ADA)))
        return cls(coeffs=still, lips=zeros, teeth=zeros, rest=np.ones(num_steps), rounding=zeros)


def speech_motion(
    alignment: Alignment,
    level_db: Float[np.ndarray, "steps"],
    effort: Effort,
    config: SpeechMotionConfig,
    visemes: Mapping[str, Viseme] = VISEMES,
) -> MouthTrack:
    """Return the motion of a mouth that says `alignment`.

    Args:
        alignment: Phones with their times; every symbol is in `visemes`.
        level_db: Level of the sound in dB at 100 Hz; its length is the length of the result.
        effort: Factors on the openings of the whole clip.
        config: Settings, among them the speaker's gains.
        visemes: Shapes of the phones.
    """
    time = np.arange(len(level_db)) / STEP_HZ
    usual = _usual_level(alignment.phones, level_db)
    targets = _targets(alignment.phones, level_db, usual, config, visemes)
    swell = _swell(level_db, usual, config)
    coeffs = np.zeros((len(time), len(ADA)))
    for articulator, names in ARTICULATORS.items():
        values = blended(time, targets, articulator) * _gain(articulator, config)
        if articulator in OPENING:
            values *= (swell * (effort.jaw if articulator == "jaw" else effort.lips))[:, None]
        for name, track in zip(names, values.T, strict=True):
            for column in columns(name):
                coeffs[:, column] = track
    coeffs = gaussian_filter1d(coeffs, config.smooth_s * STEP_HZ, axis=0, mode="nearest")
    rest = _rest(time, alignment, level_db, config)
    lips = _contact(time, alignment.phones, "lips", config)
    teeth = _contact(time, alignment.phones, "teeth", config) * (1 - lips)
    coeffs *= (1 - rest)[:, None]
    coeffs = touch(coeffs, lips, teeth)
    # Without the seal, a smile or a sneer would part resting lips.
    (seal,) = columns("lipSeal")
    coeffs[:, seal] = np.maximum(lips, rest)
    rounding = sum(coeffs[:, columns(name)[0]] for name in ARTICULATORS["round"])
    return MouthTrack(coeffs=coeffs, lips=lips, teeth=teeth, rest=rest, rounding=np.clip(rounding, 0, 1))


def _usual_level(phones: Sequence[Phone], level_db: Float[np.ndarray, "steps"]) -> float:
    """Return the median over the vowels of their peak level, in dB; 0 if there are no vowels."""
    levels = [_level(phone, level_db) for phone in phones if phone.symbol in VOWELS]
    return float(np.median(levels)) if levels else 0.0


def _targets(
    phones: Sequence[Phone],
    level_db: Float[np.ndarray, "steps"],
    usual_db: float,
    config: SpeechMotionConfig,
    visemes: Mapping[str, Viseme],
) -> list[Target]:
    """Return one target per phone and two per diphthong; the level of a vowel scales its opening.

    Args:
        phones: Phones in order of time.
        level_db: Level of the sound in dB at 100 Hz.
        usual_db: Level in dB at which a vowel's opening stays as the viseme has it.
        config: Settings of the mouth.
        visemes: Shapes of the phones.
    """
    targets = []
    for phone in phones:
        opening = 1.0
        if phone.symbol in VOWELS:
            louder = _level(phone, level_db) - usual_db
            opening = float(np.clip(1 + config.loud_to_vowel * louder, 0.6, 1.3))
        short = phone.symbol == SILENCE and phone.duration_s < config.pause_s
        viseme = MICRO_PAUSE if short else visemes[phone.symbol]
        targets += Target(viseme, phone.start_s, phone.end_s, opening).in_parts(visemes)
    return targets


def _swell(
    level_db: Float[np.ndarray, "steps"], usual_db: float, config: SpeechMotionConfig
) -> Float[np.ndarray, "steps"]:
    """Return the factor in [0.6, 1.2] by which the momentary level scales every opening."""
    louder = gaussian_filter1d(level_db, _SWELL_S * STEP_HZ, mode="nearest") - usual_db
    return np.clip(1 + config.loud_to_opening * louder, 0.6, 1.2)


def _level(phone: Phone, level_db: Float[np.ndarray, "steps"]) -> float:
    """Return the peak level of `phone` in dB; -80 for a phone behind the end of the sound."""
    inside = level_db[
        int(phone.start_s * STEP_HZ) : max(int(phone.end_s * STEP_HZ), int(phone.start_s * STEP_HZ) + 1)
    ]
    return float(inside.max(initial=-80.0))


def _gain(articulator: str, config: SpeechMotionConfig) -> float:
    gains = {"jaw": config.jaw_gain, "part": config.lips_gain, "spread": config.lips_gain}
    return gains.get(articulator, config.round_gain if articulator == "round" else 1.0)


def _contact(
    time: Float[np.ndarray, "steps"], phones: Sequence[Phone], kind: str, config: SpeechMotionConfig
) -> Float[np.ndarray, "steps"]:
    """Return the degree in [0, 1] of the contacts of `kind`, with smooth ramps before and after each.

    A contact is full for 70 % of its phone, and for `contact_hold_s` at least.
    """
    track = np.zeros(len(time))
    for phone in phones:
        if VISEMES[phone.symbol].contact != kind:
            continue
        half = max(phone.duration_s * 0.7, config.contact_hold_s) / 2
        # Slightly before the middle: an aligner counts the burst as part of a stop, and in the burst the lips
        # are open already.
        centre = phone.start_s + 0.45 * phone.duration_s
        away = time - centre
        ramp = np.where(away < 0, config.contact_reach_s, config.contact_leave_s)
        track = np.maximum(track, ease(1 - np.maximum(np.abs(away) - half, 0) / ramp))
    return track


def _rest(
    time: Float[np.ndarray, "steps"],
    alignment: Alignment,
    level_db: Float[np.ndarray, "steps"],
    config: SpeechMotionConfig,
) -> Float[np.ndarray, "steps"]:
    """Return the degree in [0, 1] to which the mouth is at rest.

    A pause at the start of the sound has no closing ramp, and one at the end has no opening ramp.

    Args:
        time: Times of the steps, in seconds.
        alignment: Phones with their times, silences included.
        level_db: Level of the sound in dB at each step.
        config: Settings of the mouth.
    """
    track = np.zeros(len(time))
    # The end of the last step, which may lie up to a step behind the end of the sound.
    end_s = len(time) / STEP_HZ
    for start, end in _pauses(alignment, level_db, config):
        settle = np.inf if start <= 0 else (time - start + config.settle_ahead_s) / config.settle_s
        rise = np.inf if end >= end_s - 1.5 / STEP_HZ else (end - time) / config.rise_s
        track = np.maximum(track, ease(np.broadcast_to(np.minimum(settle, rise), time.shape)))
    return track


def _pauses(
    alignment: Alignment, level_db: Float[np.ndarray, "steps"], config: SpeechMotionConfig
) -> list[tuple[float, float]]:
    """Return start and end, in seconds, of the pauses in which the mouth may rest.

    These are the silences of the alignment, and the stretches of the sound below the level of `quiet_db`,
    that last `pause_s` or longer; a silence of the alignment at either end of the sound may be shorter. The
    level matters because an aligner lets the last phone of a phrase run into the pause after it, and the
    first one begin in the pause before it.
    """
    end_s = len(level_db) / STEP_HZ
    pauses = [
        (phone.start_s, phone.end_s)
        for phone in alignment.pauses(0.0)
        if phone.duration_s >= config.pause_s or phone.start_s <= 0 or phone.end_s >= end_s - 1 / STEP_HZ
    ]
    quiet = level_db < np.percentile(level_db, 95) - config.quiet_db
    pauses += [
        (start / STEP_HZ, end / STEP_HZ)
        for start, end in runs(quiet)
        if (end - start) / STEP_HZ >= config.pause_s
    ]
    return pauses
