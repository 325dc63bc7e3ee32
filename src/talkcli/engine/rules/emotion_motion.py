"""The emotion's share of the face: a FACS pose that lives with the phrasing, and accents on what is stressed.

Axis names: `steps` at 100 Hz, `coeffs` = ada's 53 numbers.
Source: Ekman & Friesen's prototypes for the poses; onset, apex and offset as in Ekman (1984); brow accents
on pitch peaks after Cavé et al. (1996); level and timing vary slowly, as in acted speech.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from talkcli.engine.audio.phones import VOWELS
from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.channels import ADA, JAW, is_mouth
from talkcli.engine.face.expressions import EMOTION_POSES
from talkcli.engine.rules.speech_motion import MouthTrack
from talkcli.engine.types import Alignment, Config, Emotion, Phone

# What an accent adds, by emotion; raised brows where nothing is listed.
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
    """Times in seconds, gains relative to the pose."""

    resting_level: float = 0.8
    """Share of the pose that stays between phrases."""
    attack_s: float = 0.22
    """Onset: how the pose grows at a phrase."""
    phrase_gap_s: float = 0.25
    """A pause this long ends a phrase."""
    drift: float = 0.12
    """Standard deviation of the slow variation, per group of channels."""
    drift_s: float = 0.7
    """Its time constant."""
    mouth_share: float = 0.95
    """Share of the mouth's pose that shows during speech."""
    jaw_share: float = 0.5
    """Share of the jaw's pose: a jaw that hangs would hide the vowels."""
    accent_gap_s: float = 0.5
    """Accents are at least this far apart."""
    accent_rise_s: float = 0.12
    accent_fall_s: float = 0.30
    gain: float = 1.0
    asymmetry: float = 0.0
    """Left over right, as a fraction; a speaker's own."""
    accent_gain: float = 1.0


@dataclass(frozen=True)
class Accent:
    """A stressed moment; strength is 1 for a usual one."""

    time_s: float
    strength: float


def accents(
    alignment: Alignment,
    level_db: Float[np.ndarray, "steps"],
    pitch_hz: Float[np.ndarray, "steps"],
    config: EmotionMotionConfig,
) -> list[Accent]:
    """Return the vowels that stand out by loudness and pitch, strongest first among neighbours."""
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
    """Return what to add to `mouth`: the upper face in full, the mouth's pose as far as speech leaves it
    free.
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
    """Smooth noise of unit variance with a time constant of `time_s`."""
    sigma = time_s * STEP_HZ
    margin = round(4 * sigma)
    noise = gaussian_filter1d(rng.standard_normal(num_steps + 2 * margin), sigma)[margin : margin + num_steps]
    # A Gaussian of this width leaves white noise a variance of 1 / (2 sigma sqrt(pi)).
    return noise * np.sqrt(2 * sigma * np.sqrt(np.pi))


def _presence(
    alignment: Alignment, num_steps: int, config: EmotionMotionConfig
) -> Float[np.ndarray, "steps"]:
    """Return the level's shape over the phrases: towards 1 while speaking, a rest between."""
    speaking = np.ones(num_steps)
    for pause in alignment.pauses(config.phrase_gap_s):
        speaking[round(pause.start_s * STEP_HZ) : round(pause.end_s * STEP_HZ)] = 0
    shaped = gaussian_filter1d(speaking, config.attack_s * STEP_HZ, mode="nearest")
    return config.resting_level + (1 - config.resting_level) * shaped


def _freedom(name: str, mouth: MouthTrack, config: EmotionMotionConfig) -> Float[np.ndarray, "steps"] | float:
    """Return how much of a channel's pose may show at each moment: contacts first, then vowels, then
    emotion.
    """
    if not is_mouth(name):
        return 1.0
    share = config.jaw_share if name in JAW else config.mouth_share
    speaking = 1 - (1 - share) * (1 - mouth.rest)
    if name.startswith(("mouthUpperUp", "mouthLowerDown", "mouthFunnel", "mouthPucker", *JAW)):
        # What parts the lips would keep them from closing in contacts and pauses.
        return speaking * (1 - mouth.lips) * (1 - mouth.teeth) * (1 - mouth.rest)
    if name.startswith(("mouthPress", "mouthRoll")):
        # What presses the lips would keep vowels from opening.
        return mouth.rest + (1 - mouth.rest) * 0.3
    # Corners: a rounded mouth cannot be wide.
    return speaking * (1 - 0.6 * mouth.rounding) * (1 - 0.2 * mouth.lips) * (1 - 0.2 * mouth.teeth)


def _bumps(
    stressed: Sequence[Accent], num_steps: int, config: EmotionMotionConfig
) -> Float[np.ndarray, "steps"]:
    time = np.arange(num_steps) / STEP_HZ
    track = np.zeros(num_steps)
    for accent in stressed:
        ago = time - accent.time_s
        width = np.where(ago < 0, config.accent_rise_s, config.accent_fall_s)
        track = np.maximum(track, accent.strength * np.exp(-0.5 * (ago / width) ** 2))
    return track


def _group(name: str) -> str:
    """Return channels that vary together: brow, eye, nose, cheek or mouth."""
    return next((group for group in ("brow", "eye", "nose", "cheek") if name.startswith(group)), "mouth")


def _groups(pose: Mapping[str, float]) -> list[str]:
    return sorted({_group(name) for name in pose})


def _sides(name: str) -> tuple[str, ...]:
    return (name,) if name in ADA else (f"{name}Left", f"{name}Right")


def _inside(track: Float[np.ndarray, "steps"], phone: Phone) -> Float[np.ndarray, "inside"]:
    start = min(int(phone.start_s * STEP_HZ), len(track) - 1)
    return track[start : max(int(phone.end_s * STEP_HZ), start + 1)]


def _median_pitch(track: Float[np.ndarray, "inside"]) -> float:
    voiced = track[np.isfinite(track)]
    return float(np.log2(np.median(voiced))) if len(voiced) else float("nan")


def _standardised(values: Float[np.ndarray, "vowels"]) -> Float[np.ndarray, "vowels"]:
    return (values - values.mean()) / max(float(values.std()), 1e-6)
