"""One performance: speech that is aligned, an emotion and a speaker's manner become motion for ada.

Axis names: `steps` at 100 Hz, `frames` at 25 fps, `coeffs` = ada's 53 numbers.
Everything random follows from the clip's id, the speaker's name and the seed.
"""

from __future__ import annotations

import hashlib
import math
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
from talkcli.engine.types import MODEL_FPS, Alignment, Emotion, Motion, Speech

# Openings grow with the level of the voice: this level, of a clip's loud parts, is ordinary talk.
_ORDINARY_DB = -24.0
_JAW_PER_DB, _JAW_EFFORT = 0.015, (0.68, 1.35)
_LIPS_PER_DB, _LIPS_EFFORT = 0.006, (0.88, 1.12)
_SHORTEST_PAUSE_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Style:
    """A speaker's manner."""

    mouth: SpeechMotionConfig
    face: EmotionMotionConfig
    blinks_per_minute: float


def style_of(speaker: str, seed: int = 0) -> Style:
    """Return the manner of the speaker of this name: gains within about 15 % of the usual."""
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
    """Return motion of ada at 25 fps saying `alignment` with `emotion`; ceil(seconds * 25) frames.

    Without `eyes`, nobody blinks or looks about; the emotion's own lids stay.
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
    """Return `motion` (ada's channels, 25 fps) with brows, lids and gaze performed; its mouth loses jumps
    only.

    `eyes` as in `perform`.
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
    coeffs = limit_lip_speed(coeffs, _ada(), held=np.zeros(frames, dtype=bool)).astype(np.float32)
    return Motion(coeffs=coeffs, fps=float(MODEL_FPS), head="ada", channels=ADA)


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
    stressed = accents(alignment, level, pitch, style.face)
    coeffs = mouth.coeffs + emotion_motion(
        emotion=emotion, alignment=alignment, mouth=mouth, stressed=stressed, config=style.face, rng=rng
    )
    if eyes:
        coeffs += gaze(len(coeffs), rng)
        closure = blinks(len(coeffs), alignment.pauses(_SHORTEST_PAUSE_S), style.blinks_per_minute, rng)
        coeffs = shut(coeffs, closure)
    expression = [index for index, name in enumerate(ADA) if name not in JAW]
    coeffs[:, expression] = np.clip(coeffs[:, expression], 0, 1)
    middle = _frame_middles(math.ceil(speech.duration_s * MODEL_FPS), len(coeffs))
    contact = np.maximum(mouth.lips, mouth.teeth) > 0.99
    frames = limit_lip_speed(coeffs[middle], _ada(), held=contact[middle])
    return Motion(coeffs=frames.astype(np.float32), fps=float(MODEL_FPS), head="ada", channels=ADA)


@cache
def _ada() -> Head:
    return load_head("ada")


def _frame_middles(num_frames: int, num_steps: int) -> Int[np.ndarray, "frames"]:
    """Return a frame shows the middle of its 40 ms, so that sound and picture agree on average."""
    per_frame = STEP_HZ // MODEL_FPS
    return np.minimum(np.arange(num_frames) * per_frame + per_frame // 2, num_steps - 1)


def _effort(level: Float[np.ndarray, "steps"]) -> Effort:
    louder = float(np.percentile(level, 90)) - _ORDINARY_DB
    return Effort(
        jaw=float(np.clip(1 + _JAW_PER_DB * louder, *_JAW_EFFORT)),
        lips=float(np.clip(1 + _LIPS_PER_DB * louder, *_LIPS_EFFORT)),
    )


def generator(purpose: str, name: str, seed: int) -> np.random.Generator:
    """Return a stream of its own for every purpose and name, the same on every machine."""
    digest = hashlib.sha256(f"{purpose}:{name}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])
