"""From phones to the mouth's motion: dominance blending, contacts that are reached, and rest in pauses.

Axis names: `steps` at 100 Hz, `phones`, `coeffs` = ada's 53 numbers.
Source: Edwards et al. (2016), JALI, for contacts that are not blended away and for keeping jaw and lips
apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from talkcli.engine.audio.phones import VOWELS
from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.articulators import ARTICULATORS, columns
from talkcli.engine.face.channels import ADA
from talkcli.engine.finish.contacts import touch
from talkcli.engine.rules.dominance import Target, blended
from talkcli.engine.rules.visemes import MICRO_PAUSE, OPENING, VISEMES
from talkcli.engine.types import SILENCE, Alignment, Config, Phone

# The opening follows the syllables' loudness, not every period of the voice.
_SWELL_S = 0.03


class SpeechMotionConfig(Config):
    """Times in seconds; gains are factors around 1 that make a speaker's style."""

    contact_hold_s: float = 0.046
    """Shortest contact: longer than a frame at 25 fps, so that one frame shows it."""
    contact_reach_s: float = 0.045
    """Time in seconds in which the lips reach a contact."""
    contact_leave_s: float = 0.03
    """Time in seconds in which the lips leave a contact."""
    pause_s: float = 0.16
    """Shortest silence in seconds in which the mouth comes to rest."""
    quiet_db: float = 30.0
    """Level in dB below the loud parts of the sound, under which it counts as silence."""
    settle_ahead_s: float = 0.05
    """Time in seconds before the end of the last sound at which the mouth starts to close."""
    settle_s: float = 0.10
    """Time in seconds in which the mouth closes."""
    rise_s: float = 0.05
    """Time in seconds before the next sound at which the mouth starts to open."""
    smooth_s: float = 0.018
    """Standard deviation of the final low-pass."""
    jaw_gain: float = 1.0
    lips_gain: float = 1.0
    round_gain: float = 1.0
    loud_to_vowel: float = 0.03
    """Relative change of a vowel's opening per dB of its peak above a clip's usual vowel."""
    loud_to_opening: float = 0.02
    """Relative change of any opening per dB that the moment is below or above it."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How far jaw and lips open, as factors on ordinary talk: a shout is in the jaw, a murmur keeps its lips
    (Edwards et al. 2016).
    """

    jaw: float = 1.0
    lips: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MouthTrack:
    """The mouth at 100 Hz, and what else moves the face needs to know of it.

    `lips` and `teeth` are 1 where these must touch, `rest` is 1 in pauses, `rounding` in [0, 1].
    """

    coeffs: Float[np.ndarray, "steps coeffs"]
    lips: Float[np.ndarray, "steps"]
    teeth: Float[np.ndarray, "steps"]
    rest: Float[np.ndarray, "steps"]
    rounding: Float[np.ndarray, "steps"]

    @classmethod
    def resting(cls, num_steps: int) -> MouthTrack:
        """Return a mouth that does nothing."""
        zeros = np.zeros(num_steps)
        still = np.zeros((num_steps, len(ADA)))
        return cls(coeffs=still, lips=zeros, teeth=zeros, rest=np.ones(num_steps), rounding=zeros)


def speech_motion(
    alignment: Alignment, level_db: Float[np.ndarray, "steps"], effort: Effort, config: SpeechMotionConfig
) -> MouthTrack:
    """Return the mouth saying `alignment`; `level_db` is the loudness at 100 Hz."""
    time = np.arange(len(level_db)) / STEP_HZ
    usual = _usual_level(alignment.phones, level_db)
    targets = _targets(alignment.phones, level_db, usual, config)
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
    # A smile or a sneer would part resting lips.
    (seal,) = columns("lipSeal")
    coeffs[:, seal] = np.maximum(lips, rest)
    rounding = sum(coeffs[:, columns(name)[0]] for name in ARTICULATORS["round"])
    return MouthTrack(coeffs=coeffs, lips=lips, teeth=teeth, rest=rest, rounding=np.clip(rounding, 0, 1))


def _usual_level(phones: Sequence[Phone], level_db: Float[np.ndarray, "steps"]) -> float:
    """Return the median peak of the vowels, in dB; 0 without vowels."""
    levels = [_level(phone, level_db) for phone in phones if phone.symbol in VOWELS]
    return float(np.median(levels)) if levels else 0.0


def _targets(
    phones: Sequence[Phone], level_db: Float[np.ndarray, "steps"], usual_db: float, config: SpeechMotionConfig
) -> list[Target]:
    """Return one target a phone, two a diphthong; a vowel's opening follows its own loudness."""
    targets = []
    for phone in phones:
        opening = 1.0
        if phone.symbol in VOWELS:
            louder = _level(phone, level_db) - usual_db
            opening = float(np.clip(1 + config.loud_to_vowel * louder, 0.6, 1.3))
        short = phone.symbol == SILENCE and phone.duration_s < config.pause_s
        viseme = MICRO_PAUSE if short else VISEMES[phone.symbol]
        targets += Target(viseme, phone.start_s, phone.end_s, opening).in_parts()
    return targets


def _swell(
    level_db: Float[np.ndarray, "steps"], usual_db: float, config: SpeechMotionConfig
) -> Float[np.ndarray, "steps"]:
    """Return how the opening breathes with the loudness, whatever is said."""
    louder = gaussian_filter1d(level_db, _SWELL_S * STEP_HZ, mode="nearest") - usual_db
    return np.clip(1 + config.loud_to_opening * louder, 0.6, 1.2)


def _level(phone: Phone, level_db: Float[np.ndarray, "steps"]) -> float:
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
    """Return 1 throughout each contact of `kind`, at least for `contact_hold_s`, with smooth ramps."""
    track = np.zeros(len(time))
    for phone in phones:
        if VISEMES[phone.symbol].contact != kind:
            continue
        half = max(phone.duration_s * 0.7, config.contact_hold_s) / 2
        # Aligners count the burst to a stop, and then its lips are open already.
        centre = phone.start_s + 0.45 * phone.duration_s
        away = time - centre
        ramp = np.where(away < 0, config.contact_reach_s, config.contact_leave_s)
        track = np.maximum(track, _ease(1 - np.maximum(np.abs(away) - half, 0) / ramp))
    return track


def _rest(
    time: Float[np.ndarray, "steps"],
    alignment: Alignment,
    level_db: Float[np.ndarray, "steps"],
    config: SpeechMotionConfig,
) -> Float[np.ndarray, "steps"]:
    """Return 1 where the mouth has come to rest; the sound's two ends count as long pauses."""
    track = np.zeros(len(time))
    # The sound's last step may be a part of one.
    end_s = len(time) / STEP_HZ
    for start, end in _pauses(alignment, level_db, config):
        settle = np.inf if start <= 0 else (time - start + config.settle_ahead_s) / config.settle_s
        rise = np.inf if end >= end_s - 1.5 / STEP_HZ else (end - time) / config.rise_s
        track = np.maximum(track, _ease(np.broadcast_to(np.minimum(settle, rise), time.shape)))
    return track


def _pauses(
    alignment: Alignment, level_db: Float[np.ndarray, "steps"], config: SpeechMotionConfig
) -> list[tuple[float, float]]:
    """Return where the mouth may rest: long silences of the alignment, and long quiet stretches of the sound.

    Aligners let a last phone run into the pause behind it, and a first one begin in the pause before it.
    """
    end_s = len(level_db) / STEP_HZ
    pauses = [
        (phone.start_s, phone.end_s)
        for phone in alignment.pauses(0.0)
        if phone.duration_s >= config.pause_s or phone.start_s <= 0 or phone.end_s >= end_s - 1 / STEP_HZ
    ]
    quiet = level_db < np.percentile(level_db, 95) - config.quiet_db
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    pauses += [
        (start / STEP_HZ, end / STEP_HZ)
        for start, end in edges.reshape(-1, 2)
        if (end - start) / STEP_HZ >= config.pause_s
    ]
    return pauses


def _ease(x: Float[np.ndarray, "steps"]) -> Float[np.ndarray, "steps"]:
    """Return 0 below 0, 1 above 1, and a smooth step (zero slope at both ends) between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
