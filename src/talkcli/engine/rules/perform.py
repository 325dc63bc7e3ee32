"""One performance: aligned speech, an emotion and a speaker's style become motion of the head ada.

Axis names: `steps` (100 Hz), `frames` (25 fps), `coeffs` (ada's 53 channels).
The clip's id, the speaker's name and the seed determine all random draws.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.audio.prosody import STEP_HZ, loudness_db, pitch_hz
from talkcli.engine.face.channels import ADA, JAW, is_mouth
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.finish.eyes import blinks, gaze, shut
from talkcli.engine.finish.lip_speed import limit_lip_speed
from talkcli.engine.rules.emotion_motion import (
    EmotionMotionConfig,
    accents,
    emotion_motion,
)
from talkcli.engine.rules.speech_motion import (
    Effort,
    MouthTrack,
    SpeechMotionConfig,
    speech_motion,
)
from talkcli.engine.rules.visemes import Viseme
from talkcli.engine.types import MODEL_FPS, Alignment, Emotion, Motion, Speech

# Level of ordinary speech, in dB re full scale: the 90th percentile of a clip's level. At this level the
# openings are those of the visemes.
_ORDINARY_DB = -24.0
# Relative change of the jaw's opening per dB of the clip's level above ordinary speech, and the range of the
# resulting factor.
_JAW_PER_DB, _JAW_EFFORT = 0.015, (0.68, 1.35)
# The same two for the parting of the lips, which depends less on the level (Edwards et al. 2016).
_LIPS_PER_DB, _LIPS_EFFORT = 0.006, (0.88, 1.12)
# Shortest pause in seconds whose start attracts a blink.
_SHORTEST_PAUSE_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Style:
    """A speaker's style."""

    mouth: SpeechMotionConfig
    """Settings of the speech motion, with the speaker's gains of jaw, lips and rounding."""
    face: EmotionMotionConfig
    """Settings of the emotion's motion, with the speaker's gains and asymmetry."""
    blinks_per_minute: float
    """Mean number of blinks per minute."""


def style_of(speaker: str, seed: int = 0) -> Style:
    """Return the style of the speaker of this name, the same for the same `seed`.

    Each gain is log-normal, clipped at two standard deviations:

    - jaw: 0.85 to 1.17
    - lips: 0.82 to 1.22
    - rounding: 0.89 to 1.13
    - pose of the emotion: 0.94 to 1.29 (around 1.1)
    - accents: 0.55 to 1.82

    The asymmetry is normal with a standard deviation of 0.05, clipped at 0.1. The blink rate is uniform
    between 14 and 21 per minute.
    """
    rng = generator("style", speaker, seed)
    gain = lambda spread: float(np.exp(np.clip(rng.normal(0, spread), -2 * spread, 2 * spread)))  # noqa: E731
    return Style(
        mouth=SpeechMotionConfig(jaw_gain=gain(0.08), lips_gain=gain(0.10), round_gain=gain(0.06)),
        face=EmotionMotionConfig(
            gain=1.1 * gain(0.08),
            accent_gain=gain(0.30),
            asymmetry=float(np.clip(rng.normal(0, 0.05), -0.1, 0.1)),
        ),
        blinks_per_minute=float(rng.uniform(14, 21)),
    )


def perform(
    speech: Speech,
    alignment: Alignment,
    emotion: Emotion,
    *,
    speaker: str,
    clip_id: str,
    seed: int = 0,
    eyes: bool = True,
) -> Motion:
    """Return motion of ada that says `alignment` with `emotion`, at 25 fps: ceil(seconds * 25) frames.

    Args:
        speech: Sound of the clip; loudness and pitch shape openings and accents.
        alignment: Phones of the sound with their times.
        emotion: Emotion and its level.
        speaker: Name that determines the style (`style_of`).
        clip_id: Id that, with `seed`, determines the random draws of this clip.
        seed: Seed of style and draws.
        eyes: Whether to add blinks and gaze; without them the lids show the emotion's pose only.
    """
    style = style_of(speaker, seed)
    level, pitch = loudness_db(speech), pitch_hz(speech)
    mouth = speech_motion(alignment, level, _effort(level), style.mouth)
    return _finish(
        speech=speech,
        alignment=alignment,
        emotion=emotion,
        mouth=mouth,
        pitch=pitch,
        level=level,
        style=style,
        eyes=eyes,
        rng=generator("clip", clip_id, seed),
    )


def say(speech: Speech, alignment: Alignment, visemes: Mapping[str, Viseme]) -> Motion:
    """Return motion of ada at 25 fps in which a speaker of mean style says `alignment` and does nothing else.

    Args:
        speech: Sound of the clip; its loudness shapes openings.
        alignment: Phones of the sound with their times.
        visemes: Shapes of the phones.
    """
    level = loudness_db(speech)
    mouth = speech_motion(alignment, level, _effort(level), SpeechMotionConfig(), visemes)
    return _sampled(mouth.coeffs, mouth, speech.duration_s)


def perform_upper_face(
    motion: Motion,
    speech: Speech,
    alignment: Alignment,
    emotion: Emotion,
    *,
    clip_id: str,
    seed: int = 0,
    eyes: bool = True,
) -> Motion:
    """Return `motion` with all channels outside the mouth (brows, lids, gaze, nose, cheeks) performed.

    The mouth stays as it is, except that `limit_lip_speed` removes its jumps. The result has no more frames
    than either `motion` or the sound.

    Args:
        motion: Motion of ada at 25 fps.
        speech: Sound of the clip.
        alignment: Phones of the sound with their times.
        emotion: Emotion and its level.
        clip_id: Id that, with `seed`, determines the style and the random draws.
        seed: Seed of style and draws.
        eyes: Whether to add blinks and gaze.
    """
    style = style_of(clip_id, seed)
    level, pitch = loudness_db(speech), pitch_hz(speech)
    still = MouthTrack.resting(len(level))
    upper = _finish(
        speech=speech,
        alignment=alignment,
        emotion=emotion,
        mouth=still,
        pitch=pitch,
        level=level,
        style=style,
        eyes=eyes,
        rng=generator("clip", clip_id, seed),
    )
    kept = np.array([is_mouth(name) for name in ADA])
    frames = min(len(motion.coeffs), len(upper.coeffs))
    coeffs = np.where(kept, motion.coeffs[:frames], upper.coeffs[:frames])
    eased = limit_lip_speed(coeffs, _ada(), np.zeros(frames, dtype=bool), fps=float(MODEL_FPS))
    return Motion(coeffs=eased.astype(np.float32), fps=float(MODEL_FPS), head="ada", channels=ADA)


def _finish(
    *,
    speech: Speech,
    alignment: Alignment,
    emotion: Emotion,
    mouth: MouthTrack,
    pitch: Float[np.ndarray, "steps"],
    level: Float[np.ndarray, "steps"],
    style: Style,
    eyes: bool,
    rng: np.random.Generator,
) -> Motion:
    """Add the emotion and the eyes to `mouth`, sample at 25 fps and limit the speed of the lips."""
    stressed = accents(alignment, level, pitch, style.face)
    coeffs = mouth.coeffs + emotion_motion(
        emotion=emotion, alignment=alignment, mouth=mouth, stressed=stressed, config=style.face, rng=rng
    )
    if eyes:
        coeffs += gaze(len(coeffs), rng)
        closure = blinks(len(coeffs), alignment.pauses(_SHORTEST_PAUSE_S), style.blinks_per_minute, rng)
        coeffs = shut(coeffs, closure)
    return _sampled(coeffs, mouth, speech.duration_s)


def _sampled(coeffs: Float[np.ndarray, "steps coeffs"], mouth: MouthTrack, duration_s: float) -> Motion:
    """Return `coeffs` within their ranges at 25 fps, with a limited speed of the lips."""
    expression = [index for index, name in enumerate(ADA) if name not in JAW]
    coeffs[:, expression] = np.clip(coeffs[:, expression], 0, 1)
    middle = _frame_middles(math.ceil(duration_s * MODEL_FPS), len(coeffs))
    contact = np.maximum(mouth.lips, mouth.teeth) > 0.99
    frames = limit_lip_speed(coeffs[middle], _ada(), contact[middle], fps=float(MODEL_FPS))
    return Motion(coeffs=frames.astype(np.float32), fps=float(MODEL_FPS), head="ada", channels=ADA)


@cache
def _ada() -> Head:
    return load_head("ada")


def _frame_middles(num_frames: int, num_steps: int) -> Int[np.ndarray, "frames"]:
    """Return the step in the middle of each frame's 40 ms, so that sound and picture have no mean offset."""
    per_frame = STEP_HZ // MODEL_FPS
    return np.minimum(np.arange(num_frames) * per_frame + per_frame // 2, num_steps - 1)


def _effort(level: Float[np.ndarray, "steps"]) -> Effort:
    """Return the factors on the openings that follow from a clip's level in dB."""
    louder = float(np.percentile(level, 90)) - _ORDINARY_DB
    return Effort(
        jaw=float(np.clip(1 + _JAW_PER_DB * louder, *_JAW_EFFORT)),
        lips=float(np.clip(1 + _LIPS_PER_DB * louder, *_LIPS_EFFORT)),
    )


def generator(purpose: str, name: str, seed: int) -> np.random.Generator:
    """Return a random generator of its own for every purpose, name and seed, equal on every machine."""
    digest = hashlib.sha256(f"{purpose}:{name}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])
