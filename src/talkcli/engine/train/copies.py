"""Altered copies of a clip: another speed, noise, and what `audio/augment.py` changes.

Axis names: `samples` (16 kHz).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import soxr
from jaxtyping import Float

from talkcli.engine.audio.augment import AugmentConfig, LevelRange, augment
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Alignment, Clip, Phone, Speech


def altered(
    clip: Clip,
    rng: np.random.Generator,
    voices: list[Float[np.ndarray, "_samples"]],
    *,
    speed: float,
    snr_db: LevelRange,
    changes: AugmentConfig,
) -> Clip:
    """Return a clip at another speed, in noise, then altered by `augment`. Sound, motion and phones stay
    synchronous.

    Args:
        clip: Clip to alter.
        rng: Source of all draws.
        voices: Sounds of other clips, which `augment` may mix in.
        speed: Largest relative change of the speed, up or down.
        snr_db: Range of the ratio of sound to noise, in dB; the noise has a random spectral slope.
        changes: Settings of `augment`.
    """
    samples, values = samples_of(clip), clip.motion.values
    frames = max(round(len(values) / (1 + rng.uniform(-speed, speed))), 1)
    old, new = np.arange(len(values)), np.linspace(0, len(values) - 1, frames)
    changed = np.stack([np.interp(new, old, channel) for channel in values.T], axis=1)
    slower = frames / len(values)
    played = soxr.resample(samples, SPEECH_RATE_HZ, SPEECH_RATE_HZ * slower)
    length = frames * SAMPLES_PER_FRAME
    played = np.pad(played[:length], (0, max(length - len(played), 0)))

    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** -rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, n=length)
    wanted = np.sqrt((played**2).mean()) * 10 ** (-rng.uniform(*snr_db) / 20)
    noisy = (played + noise * (wanted / np.sqrt((noise**2).mean()))).astype(np.float32)
    return replace(
        clip,
        speech=Speech(samples=augment(noisy, rng, changes, voices)),
        motion=clip.motion.with_values(changed.astype(np.float32)),
        alignment=None if clip.alignment is None else _slower(clip.alignment, slower),
    )


def _slower(alignment: Alignment, factor: float) -> Alignment:
    return replace(
        alignment,
        phones=tuple(
            Phone(phone.symbol, phone.start_s * factor, phone.end_s * factor) for phone in alignment.phones
        ),
    )


def samples_of(clip: Clip) -> Float[np.ndarray, "samples"]:
    """Return the sound of a clip, silence where it has none."""
    if clip.speech is None:
        return np.zeros(len(clip.motion.values) * SAMPLES_PER_FRAME, np.float32)
    return clip.speech.samples
