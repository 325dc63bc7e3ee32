"""Augmentation of speech for training: another voice, room, background, microphone, codec and level.

Axis names: `samples` (16 kHz), `frequencies`.
With the default ranges, the envelope of recorded speech moves by at most 5 ms (docs/methods/deeptalk.md), so
the speech stays in step with its phones and motion. A change of speed moves time, so `train/batches.py` makes
it, where the motion is available. `pitch` plays a voice faster or slower and restores its duration by
overlap-add at similar places (WSOLA, Verhelst & Roelands 1993). `reverberate` makes the tail of a room from
decaying noise (the model of Lehmann & Johansson 2010), and places early reflections at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import numpy as np
import soxr
from jaxtyping import Float
from pydantic import AfterValidator, Field
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from talkcli.engine.audio.music import music
from talkcli.engine.types import SPEECH_RATE_HZ, Config

Chance = Annotated[float, Field(ge=0, le=1)]


def _rises(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"the range begins at {ends[0]}, above its end at {ends[1]}")
    return ends


# Bounds of the settings: factor on frequencies, reverberation time in seconds, level in dB.
Factor = Annotated[float, Field(ge=0.5, le=2)]
Seconds = Annotated[float, Field(ge=0.01, le=10)]
Decibels = Annotated[float, Field(ge=-100, le=200)]
LevelRange = Annotated[tuple[Decibels, Decibels], AfterValidator(_rises)]
Clipping = Literal["hard", "soft"]

# WSOLA: distance of two pieces in samples (16 ms; a piece is twice as long), and the largest distance of a
# piece from its own place (5 ms).
_HOP = 256
_SEARCH = 80
# WSOLA: reduction of the similarity (a correlation) at that distance. Of two places that fit equally well,
# the nearer one wins.
_FAR = 0.05
# Lower and upper frequency in Hz of the bands that telephones, old codecs and microphones leave.
_BANDS_HZ = ((300.0, 3400.0), (20.0, 4000.0), (100.0, 5500.0), (200.0, 7800.0))
# Silence in samples that extends a sound before filtering; it is longer than the ringing of the filters.
_RING = 1024
# Frequencies of the equaliser in Hz.
_EQ_HZ = (60.0, 150.0, 400.0, 1000.0, 2500.0, 5000.0, 8000.0)
# Parameter of mu-law companding (ITU-T G.711).
_MU = 255.0


class AugmentConfig(Config):
    """Probability and range of each augmentation; the defaults switch all of them off."""

    pitch: Chance = 0.0
    """Probability of another voice: higher or lower pitch and formants."""
    pitch_factor: Annotated[tuple[Factor, Factor], AfterValidator(_rises)] = (0.85, 1.18)
    """Range of the factor on all frequencies of the voice."""
    reverb: Chance = 0.0
    """Probability of a room."""
    rt60_s: Annotated[tuple[Seconds, Seconds], AfterValidator(_rises)] = (0.1, 0.6)
    """Range of the room's reverberation time RT60 in seconds: in this time its sound falls by 60 dB."""
    direct_db: LevelRange = (5.0, 20.0)
    """Range of the level of the direct sound above that of the room, in dB. The direct sound has no delay,
    but a level below 5 dB can delay the envelope of the sound by more than 5 ms."""
    noise: Chance = 0.0
    """Probability of a background: coloured noise, mains hum, voices, or music."""
    noise_snr_db: LevelRange = (5.0, 40.0)
    """Range of the level of the speech above that of the background, in dB."""
    colour: Chance = 0.0
    """Probability of another microphone: a smooth random equaliser."""
    colour_db: Annotated[float, Field(ge=0, le=100)] = 8.0
    """Largest gain of the equaliser in dB, up or down."""
    band_limit: Chance = 0.0
    """Probability of a narrower band: telephone, up to 4 kHz, up to 5.5 kHz, or from 200 Hz on."""
    codec: Chance = 0.0
    """Probability of a codec: mu-law companding to 8 bits at 16 or 8 kHz, or hard or soft clipping."""
    gain: Chance = 0.0
    """Probability of another level."""
    gain_db: LevelRange = (-24.0, 6.0)
    """Range of the change of level in dB; sound above full scale is scaled down to it."""


def augment(
    samples: Float[np.ndarray, "samples"],
    rng: np.random.Generator,
    config: AugmentConfig,
    voices: Sequence[Float[np.ndarray, "_samples"]] = (),
) -> Float[np.ndarray, "samples"]:
    """Return `samples` with the augmentations that `rng` draws, in the order of a recording.

    The order is voice, room, background, microphone, band, codec, level.

    Args:
        samples: Speech at 16 kHz.
        rng: Generator of all draws.
        config: Probabilities and ranges of the augmentations.
        voices: Speech for the voices of the background; without any, `samples` played backwards takes its
            place.

    Returns:
        `samples` itself if nothing was drawn, else new samples within full scale.
    """
    changed = samples
    if rng.random() < config.pitch:
        low, high = config.pitch_factor
        changed = pitch(changed, float(np.exp(rng.uniform(np.log(low), np.log(high)))))
    if rng.random() < config.reverb:
        changed = reverberate(changed, rng, rng.uniform(*config.rt60_s), rng.uniform(*config.direct_db))
    if rng.random() < config.noise:
        sound = _background(len(changed), rng, voices if len(voices) else (changed[::-1],))
        changed = mixed(changed, sound, rng.uniform(*config.noise_snr_db))
    if rng.random() < config.colour:
        changed = colour(changed, rng, config.colour_db)
    if rng.random() < config.band_limit:
        changed = band_limit(changed, *_BANDS_HZ[rng.integers(len(_BANDS_HZ))])
    if rng.random() < config.codec:
        changed = _codec(changed, rng)
    if rng.random() < config.gain:
        changed = changed * 10 ** (rng.uniform(*config.gain_db) / 20)
    if changed is samples:
        return samples
    return (changed / max(float(np.abs(changed).max(initial=0.0)), 1.0)).astype(np.float32)


def pitch(samples: Float[np.ndarray, "samples"], factor: float) -> Float[np.ndarray, "samples"]:
    """Multiply all frequencies of a voice by `factor`, its pitch and its formants; the duration stays.

    A factor above 1 imitates a shorter vocal tract. Pieces of the sound move by at most 5 ms times `factor`.
    """
    length = len(samples)
    fast = soxr.resample(samples, SPEECH_RATE_HZ * factor, SPEECH_RATE_HZ)
    # With this padding the middle of the first piece is the first sample.
    fast = np.pad(fast, (_HOP + _SEARCH, 6 * _HOP))
    # Norm of the _HOP samples from each place on.
    power = np.concatenate(([0.0], np.cumsum(np.square(fast, dtype=np.float64))))
    size = np.sqrt(np.maximum(power[_HOP:] - power[:-_HOP], 0)) + 1e-6
    nearness = _FAR * np.abs(np.arange(-_SEARCH, _SEARCH + 1)) / _SEARCH
    window = np.hanning(2 * _HOP + 1)[:-1].astype(np.float32)
    stretched = np.zeros(length + 3 * _HOP, np.float32)
    follows = fast[:_HOP]
    for start in range(0, length + _HOP, _HOP):
        first = round(start / factor)
        # The next piece is the one most similar to the samples that followed the last piece.
        like = np.correlate(fast[first : first + 2 * _SEARCH + _HOP], follows, mode="valid")
        like = like / size[first : first + 2 * _SEARCH + 1] / max(float(np.linalg.norm(follows)), 1e-6)
        place = first + int(np.argmax(like - nearness))
        stretched[start : start + 2 * _HOP] += window * fast[place : place + 2 * _HOP]
        follows = fast[place + _HOP : place + 2 * _HOP]
    return stretched[_HOP : _HOP + length]


def reverberate(
    samples: Float[np.ndarray, "samples"], rng: np.random.Generator, rt60_s: float, direct_db: float
) -> Float[np.ndarray, "samples"]:
    """Return `samples` in a random room, at the same level. The direct sound has no delay.

    Args:
        samples: Speech at 16 kHz.
        rng: Generator of the room.
        rt60_s: Reverberation time RT60 in seconds.
        direct_db: Level of the direct sound above that of all reflections together, in dB.
    """
    time_s = np.arange(max(round(rt60_s * SPEECH_RATE_HZ), 1)) / SPEECH_RATE_HZ
    decay = 10 ** (-3 * time_s / rt60_s)
    early = np.zeros(len(time_s))
    for place in rng.integers(1, 500, 6) % len(time_s):
        early[place] = rng.choice([-1.0, 1.0]) * decay[place]
    room = _even(early) + _even(rng.standard_normal(len(time_s)) * decay * (time_s > 0.01))
    room *= 10 ** (-direct_db / 20) / max(float(np.linalg.norm(room)), 1e-9)
    room[0] = 1.0
    # As scipy.signal's fftconvolve, which takes 0.7 s to load.
    size = next_fast_len(len(samples) + len(room) - 1, real=True)
    heard = irfft(rfft(samples, size) * rfft(room.astype(np.float32), size), size)
    return _as_loud_as(samples, heard[: len(samples)])


def mixed(
    samples: Float[np.ndarray, "samples"], background: Float[np.ndarray, "samples"], snr_db: float
) -> Float[np.ndarray, "samples"]:
    """Return `samples` plus `background`, whose level is `snr_db` below theirs over the whole clip."""
    return samples + _as_loud_as(samples, background) * np.float32(10 ** (-snr_db / 20))


def coloured(length: int, rng: np.random.Generator) -> Float[np.ndarray, "samples"]:
    """Return noise with a random spectrum between white and brown (amplitude falls with the frequency)."""
    size = next_fast_len(max(length, 2), real=True)
    spectrum = rfft(rng.standard_normal(size, dtype=np.float32))
    falling = np.arange(1, len(spectrum) + 1, dtype=np.float32) ** -rng.uniform(0, 1)
    return irfft(spectrum * falling.astype(np.float32), n=size)[:length]


def hum(length: int, rng: np.random.Generator) -> Float[np.ndarray, "samples"]:
    """Return mains hum: 50 or 60 Hz with its harmonics up to the eleventh, at random levels."""
    turns = np.arange(length) * (2 * np.pi * rng.choice([50.0, 60.0]) / SPEECH_RATE_HZ)
    together = np.zeros(length, np.float32)
    for part in range(1, 12):
        together += rng.random() / part * np.sin(part * turns + rng.uniform(0, 2 * np.pi), dtype=np.float32)
    return together


def babble(
    length: int, rng: np.random.Generator, voices: Sequence[Float[np.ndarray, "_samples"]]
) -> Float[np.ndarray, "samples"]:
    """Return six voices at once, equally loud: random voices of `voices`, each from a random place on.

    A voice that ends starts again.
    """
    together = np.zeros(length, np.float32)
    for _ in range(6):
        voice = voices[int(rng.integers(len(voices)))]
        first = int(rng.integers(len(voice)))
        together += _even(np.take(voice, np.arange(first, first + length), mode="wrap"))
    return together


def colour(
    samples: Float[np.ndarray, "samples"], rng: np.random.Generator, most_db: float
) -> Float[np.ndarray, "samples"]:
    """Apply a random equaliser: a gain of up to `most_db` dB, up or down, at each of seven frequencies."""
    gains_db = rng.uniform(-most_db, most_db, len(_EQ_HZ))
    return _filtered(
        samples,
        lambda hz: 10 ** (np.interp(np.log(np.maximum(hz, 1.0)), np.log(_EQ_HZ), gains_db) / 20),
    )


def band_limit(
    samples: Float[np.ndarray, "samples"], low_hz: float, high_hz: float
) -> Float[np.ndarray, "samples"]:
    """Limit `samples` to a band; at its two frequencies the gain is -3 dB, and there is no delay.

    The gain is that of a Butterworth filter: of order 4 below `low_hz` and of order 8 above `high_hz`.
    """
    return _filtered(
        samples,
        lambda hz: 1 / np.sqrt((1 + (hz / high_hz) ** 16) * (1 + (low_hz / np.maximum(hz, 1.0)) ** 8)),
    )


def mu_law(samples: Float[np.ndarray, "samples"]) -> Float[np.ndarray, "samples"]:
    """Round `samples` in [-1, 1] to 8 bits as mu-law companding does (the formula of ITU-T G.711)."""
    squeezed = np.sign(samples) * np.log1p(_MU * np.abs(samples)) / np.log1p(_MU)
    rounded = np.round(squeezed * (_MU / 2)) / (_MU / 2)
    return np.sign(rounded) * np.expm1(np.abs(rounded) * np.log1p(_MU)) / _MU


def clip(
    samples: Float[np.ndarray, "samples"], ceiling: float, how: Clipping
) -> Float[np.ndarray, "samples"]:
    """Clip `samples` at the share `ceiling` of their peak: cut off (hard), or compressed by tanh (soft)."""
    top = max(float(np.abs(samples).max(initial=0.0)) * ceiling, 1e-9)
    return np.clip(samples, -top, top) if how == "hard" else np.tanh(samples / top) * top


def _background(
    length: int, rng: np.random.Generator, voices: Sequence[Float[np.ndarray, "_samples"]]
) -> Float[np.ndarray, "samples"]:
    """Return one of the four backgrounds, drawn at random."""
    kind = rng.integers(4)
    if kind == 0:
        return coloured(length, rng)
    if kind == 1:
        return hum(length, rng)
    return babble(length, rng, voices) if kind == 2 else music(length, rng)


def _codec(samples: Float[np.ndarray, "samples"], rng: np.random.Generator) -> Float[np.ndarray, "samples"]:
    """Apply one of four codecs, drawn at random."""
    kind = rng.integers(4)
    if kind >= 2:
        return clip(samples, rng.uniform(0.3, 0.8), "hard" if kind == 2 else "soft")
    # A random level before companding: a quiet sound uses few of the 8-bit steps.
    level = rng.uniform(0.1, 1.0) / max(float(np.abs(samples).max(initial=0.0)), 1e-9)
    if kind == 0:
        return mu_law(samples * level) / level
    half = np.clip(soxr.resample(samples, SPEECH_RATE_HZ, SPEECH_RATE_HZ // 2) * level, -1, 1)
    whole = soxr.resample(mu_law(half) / level, SPEECH_RATE_HZ // 2, SPEECH_RATE_HZ)[: len(samples)]
    return np.pad(whole, (0, len(samples) - len(whole)))


def _filtered(
    samples: Float[np.ndarray, "samples"],
    gain: Callable[[Float[np.ndarray, "frequencies"]], Float[np.ndarray, "frequencies"]],
) -> Float[np.ndarray, "samples"]:
    """Multiply the spectrum of `samples` by `gain`, a function of the frequency in Hz; there is no delay."""
    size = next_fast_len(len(samples) + _RING, real=True)
    gains = gain(rfftfreq(size, 1 / SPEECH_RATE_HZ)).astype(np.float32)
    return irfft(rfft(samples, size) * gains, size)[: len(samples)]


def _level(samples: Float[np.ndarray, "samples"]) -> float:
    """Return the root-mean-square level of `samples`."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _even(samples: Float[np.ndarray, "samples"]) -> Float[np.ndarray, "samples"]:
    """Scale `samples` to a root-mean-square level of 1; silence stays silence."""
    return samples / max(_level(samples), 1e-9)


def _as_loud_as(
    wanted: Float[np.ndarray, "samples"], samples: Float[np.ndarray, "samples"]
) -> Float[np.ndarray, "samples"]:
    """Scale `samples` to the level of `wanted`."""
    return _even(samples) * np.float32(_level(wanted))
