"""The emotion's share of the motion: a FACS pose whose amplitude follows the phrases, and accents on stress.

Axis names: `steps` (100 Hz), `coeffs` (ada's 53 channels), `inside` (the steps of one phone), `vowels`.
Source: Ekman & Friesen's prototypes for the poses; Ekman (1984) for onset, apex and offset; Cavé et al.
(1996) for brow accents on pitch peaks. Beside these the amplitude varies slowly, as in acted speech.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.phones import VOWELS
from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.channels import ADA, JAW, is_mouth
from talkcli.engine.face.expressions import EMOTION_POSES
from talkcli.engine.filters import gaussian_filter1d
from talkcli.engine.rules.speech_motion import MouthTrack
from talkcli.engine.types import Alignment, Config, Emotion, Phone

# What an accent of strength 1 adds to each channel, by emotion, as shares of the channel's full scale; an
# emotion without a row takes that of neutral. A name without a side stands for both sides.
_ACCENTS: Mapping[str, Mapping[str, float]] = {
    "neutral": {"browInnerUp": 0.22, "browOuterUp": 0.25},
    "happy": {"browInnerUp": 0.25, "browOuterUp": 0.35, "cheekSquint": 0.15},
    "sad": {"browInnerUp": 0.20, "eyeBlink": 0.12},
    "angry": {"browDown": 0.25, "eyeWide": 0.30, "noseSneer": 0.15},
    "disgust": {"noseSneer": 0.25, "browDown": 0.20},
    "fear": {"browInnerUp": 0.15, "eyeWide": 0.25},
    "surprise": {"browInnerUp": 0.20, "browOuterUp": 0.25, "eyeWide": 0.20},
}


class EmotionMotionConfig(Config):
    """Settings of the emotion's motion; a speaker's style consists of the two gains and the asymmetry."""

    resting_level: float = 0.8
    """Share of the pose that stays in the pauses between phrases."""
    attack_s: float = 0.22
    """Standard deviation in seconds of the Gaussian that smooths the pose's onset and offset at a phrase."""
    phrase_gap_s: float = 0.25
    """Shortest pause in seconds that ends a phrase."""
    drift: float = 0.12
    """Standard deviation of the slow variation of the amplitude, relative to it; each group of channels
    varies on its own."""
    drift_s: float = 0.7
    """Standard deviation in seconds of the Gaussian that smooths the slow variation of the amplitude."""
    mouth_share: float = 0.95
    """Share of the pose's mouth channels that shows during speech (not of those that press the lips)."""
    jaw_share: float = 0.5
    """Share of the pose's jaw angles that shows during speech: an open jaw would hide the vowels."""
    accent_gap_s: float = 0.5
    """Shortest time in seconds between two accents."""
    accent_rise_s: float = 0.12
    """Standard deviation in seconds of the half Gaussian by which an accent rises."""
    accent_fall_s: float = 0.30
    """Standard deviation in seconds of the half Gaussian by which an accent falls."""
    gain: float = 1.0
    """Factor on the pose of the emotion."""
    asymmetry: float = 0.0
    """Relative change of what the emotion adds to the left half of the face; the right half changes by the
    negative of it."""
    accent_gain: float = 1.0
    """Factor on the accents."""


@dataclass(frozen=True)
class Accent:
    """A stressed moment of speech."""

    time_s: float
    """Time of the accent in seconds."""
    strength: float
    """Strength in [0.4, 1.4]: half the sum of loudness and pitch, each in standard deviations."""


def accents(
    alignment: Alignment,
    level_db: Float[np.ndarray, "steps"],
    pitch_hz: Float[np.ndarray, "steps"],
    config: EmotionMotionConfig,
) -> list[Accent]:
    """Return the vowels of 40 ms and more that stand out by loudness and pitch, in order of time.

    Of vowels closer together than `accent_gap_s`, the strongest gets the accent.

    Args:
        alignment: Phones with their times.
        level_db: Level of the sound in dB at 100 Hz.
        pitch_hz: Fundamental frequency in Hz at 100 Hz; NaN where unvoiced.
        config: Settings; only `accent_gap_s` counts.
    """
    vowels = [phone for phone in alignment.phones if phone.symbol in VOWELS and phone.duration_s >= 0.04]
    if len(vowels) < 2:
        return []
    loud = np.array([_inside(level_db, vowel).max() for vowel in vowels])
    tone = np.array([_median_pitch(_inside(pitch_hz, vowel)) for vowel in vowels])
    tone = np.where(np.isnan(tone), np.nanmedian(tone) if np.isfinite(tone).any() else 0.0, tone)
    stress = _standardised(loud) + _standardised(tone)
    chosen: list[Accent] = []
    for index in np.argsort(-stress):
        time_s = (vowels[index].start_s + vowels[index].end_s) / 2
        apart = all(abs(time_s - accent.time_s) >= config.accent_gap_s for accent in chosen)
        if stress[index] > 0.8 and apart:
            chosen.append(Accent(time_s, float(np.clip(stress[index] / 2, 0.4, 1.4))))
    return sorted(chosen, key=lambda accent: accent.time_s)


def emotion_motion(
    *,
    emotion: Emotion,
    alignment: Alignment,
    mouth: MouthTrack,
    stressed: Sequence[Accent],
    config: EmotionMotionConfig,
    rng: np.random.Generator,
) -> Float[np.ndarray, "steps coeffs"]:
    """Return the coefficients to add to those of `mouth`.

    The upper face shows the pose in full, the mouth as far as speech leaves it free.

    Args:
        emotion: Emotion and its level, which scales the pose.
        alignment: Phones with their times; its pauses separate the phrases.
        mouth: Motion of the speaking mouth; its length is the length of the result.
        stressed: Accents of the speech.
        config: Settings, among them the speaker's gains.
        rng: Generator of the slow variations.
    """
    num_steps = len(mouth.rest)
    presence = _presence(alignment, num_steps, config)
    pose = EMOTION_POSES[emotion.label]
    coeffs = np.zeros((num_steps, len(ADA)))
    drifts = {group: 1 + config.drift * slow_noise(num_steps, config.drift_s, rng) for group in _groups(pose)}
    for name, value in pose.items():
        track = value * emotion.level * config.gain * presence * drifts[_group(name)]
        coeffs[:, ADA.index(name)] = track * _freedom(name, mouth, config)
    liveliness = config.accent_gain * (0.5 + 0.5 * emotion.level)
    added = _ACCENTS.get(emotion.label, _ACCENTS["neutral"])
    bumps = _bumps(stressed, num_steps, config) * liveliness
    for name, value in added.items():
        for side in _sides(name):
            coeffs[:, ADA.index(side)] += value * bumps
    lean = config.asymmetry + 0.03 * slow_noise(num_steps, 2 * config.drift_s, rng)
    for index, name in enumerate(ADA):
        if name.endswith("Left"):
            coeffs[:, index] *= 1 + lean
        elif name.endswith("Right"):
            coeffs[:, index] *= 1 - lean
    return coeffs


def slow_noise(num_steps: int, time_s: float, rng: np.random.Generator) -> Float[np.ndarray, "steps"]:
    """Return Gaussian noise of mean 0 and variance 1, smoothed by a Gaussian of standard deviation `time_s`.

    Args:
        num_steps: Number of steps of the noise (100 Hz).
        time_s: Standard deviation of the Gaussian window, in seconds.
        rng: Generator of the noise.
    """
    sigma = time_s * STEP_HZ
    margin = round(4 * sigma)
    noise = gaussian_filter1d(rng.standard_normal(num_steps + 2 * margin), sigma)[margin : margin + num_steps]
    # Smoothing by a Gaussian reduces the variance of white noise from 1 to 1 / (2 sigma sqrt(pi)).
    return noise * np.sqrt(2 * sigma * np.sqrt(np.pi))


def _presence(
    alignment: Alignment, num_steps: int, config: EmotionMotionConfig
) -> Float[np.ndarray, "steps"]:
    """Return the factor on the pose over time: near 1 within a phrase, `resting_level` in long pauses."""
    speaking = np.ones(num_steps)
    for pause in alignment.pauses(config.phrase_gap_s):
        speaking[round(pause.start_s * STEP_HZ) : round(pause.end_s * STEP_HZ)] = 0
    shaped = gaussian_filter1d(speaking, config.attack_s * STEP_HZ, mode="nearest")
    return config.resting_level + (1 - config.resting_level) * shaped


def _freedom(name: str, mouth: MouthTrack, config: EmotionMotionConfig) -> Float[np.ndarray, "steps"] | float:
    """Return the share in [0, 1] of a channel's pose that may show at each step.

    Contacts have priority over vowels, and vowels over the emotion.
    """
    if not is_mouth(name):
        return 1.0
    share = config.jaw_share if name in JAW else config.mouth_share
    speaking = 1 - (1 - share) * (1 - mouth.rest)
    if name.startswith(("mouthUpperUp", "mouthLowerDown", "mouthFunnel", "mouthPucker", *JAW)):
        # These channels part or round the lips, and would keep them from closing in contacts and pauses.
        return speaking * (1 - mouth.lips) * (1 - mouth.teeth) * (1 - mouth.rest)
    if name.startswith(("mouthPress", "mouthRoll")):
        # These channels press the lips together, and would keep vowels from opening.
        return mouth.rest + (1 - mouth.rest) * 0.3
    # The other channels move mainly the corners of the mouth: a rounded mouth cannot be wide.
    return speaking * (1 - 0.6 * mouth.rounding) * (1 - 0.2 * mouth.lips) * (1 - 0.2 * mouth.teeth)


def _bumps(
    stressed: Sequence[Accent], num_steps: int, config: EmotionMotionConfig
) -> Float[np.ndarray, "steps"]:
    """Return the accents over time, each a bump as high as its strength; where bumps overlap, the higher one
    counts.
    """
    time = np.arange(num_steps) / STEP_HZ
    track = np.zeros(num_steps)
    for accent in stressed:
        ago = time - accent.time_s
        width = np.where(ago < 0, config.accent_rise_s, config.accent_fall_s)
        track = np.maximum(track, accent.strength * np.exp(-0.5 * (ago / width) ** 2))
    return track


def _group(name: str) -> str:
    """Return the group with which the channel varies: brow, eye, nose, cheek or mouth."""
    return next((group for group in ("brow", "eye", "nose", "cheek") if name.startswith(group)), "mouth")


def _groups(pose: Mapping[str, float]) -> list[str]:
    return sorted({_group(name) for name in pose})


def _sides(name: str) -> tuple[str, ...]:
    return (name,) if name in ADA else (f"{name}Left", f"{name}Right")


def _inside(track: Float[np.ndarray, "steps"], phone: Phone) -> Float[np.ndarray, "inside"]:
    """Return the steps of `track` that lie in `phone`, at least one."""
    start = min(int(phone.start_s * STEP_HZ), len(track) - 1)
    return track[start : max(int(phone.end_s * STEP_HZ), start + 1)]


def _median_pitch(track: Float[np.ndarray, "inside"]) -> float:
    """Return the binary logarithm of the median pitch in Hz; NaN if no step is voiced."""
    voiced = track[np.isfinite(track)]
    return float(np.log2(np.median(voiced))) if len(voiced) else float("nan")


def _standardised(values: Float[np.ndarray, "vowels"]) -> Float[np.ndarray, "vowels"]:
    """Return `values` less their mean, in standard deviations."""
    return (values - values.mean()) / max(float(values.std()), 1e-6)
