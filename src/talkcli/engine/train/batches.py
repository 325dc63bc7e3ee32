"""From clips to batches: features once per clip, then random windows that depend on the seed and the step
alone.

Axis names: `batch`, `hops` (100 Hz), `frames` (25 fps), `channels`, `coeffs`.
Changes of loudness are no augmentation here: the features are relative to the loudest of an utterance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import scipy.signal
import soxr
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from talkcli.engine.audio.log_mel import HOPS_PER_FRAME, LogMel
from talkcli.engine.types import EMOTIONS, SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Clip, Config, Reporter

# No more validation windows than this: enough for a stable number, cheap enough to do often.
_MAX_VALIDATION_BATCHES = 40


class BatchConfig(Config):
    """What a training step sees."""

    size: Annotated[int, Field(gt=0)] = 128
    """Windows in a batch."""
    frames: Annotated[int, Field(gt=0, multiple_of=4)] = 32
    """Length of a window at 25 fps; a multiple of 4."""
    smooth: bool = True
    """Savitzky-Golay filter of length 5 and order 2 on the motion, as in the released data sets."""
    balance: bool = False
    """Draw every emotion equally often, not every frame."""
    copies: Annotated[int, Field(ge=0)] = 0
    """Altered copies of each training clip (speed and noise), made once."""
    speed: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Copies play up to this share faster or slower, motion and sound together."""
    snr_db: tuple[float, float] = (10.0, 45.0)
    """Range of signal-to-noise ratios of the copies."""
    mask_bands: Annotated[int, Field(ge=0)] = 0
    """Widest band of channels that is silenced (SpecAugment)."""
    mask_hops: Annotated[int, Field(ge=0)] = 0
    """Longest stretch that is silenced (SpecAugment)."""
    tilt: float = 0.0
    """Largest random slope of the spectrum (a value of 0.1 is 3 dB at either end)."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A clip ready for training, at least one window long."""

    features: Float[Tensor, "hops channels"]
    coeffs: Float[Tensor, "frames coeffs"]
    emotion: int
    level: float
    speaker: int


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Windows; `emotion` indexes `EMOTIONS`, `speaker` the training speakers (-1: unknown)."""

    features: Float[Tensor, "batch hops channels"]
    coeffs: Float[Tensor, "batch frames coeffs"]
    emotion: Int[Tensor, "batch"]
    level: Float[Tensor, "batch"]
    speaker: Int[Tensor, "batch"]

    def to(self, device: torch.device) -> Batch:
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


def prepare(
    clips: list[Clip],
    front_end: LogMel,
    config: BatchConfig,
    *,
    speakers: tuple[str, ...],
    copies: int,
    seed: int,
    reporter: Reporter,
) -> list[Example]:
    """Features and smoothed motion of every clip, followed by `copies` altered versions of each."""
    examples = []
    for index, clip in enumerate(clips):
        for copy in range(copies + 1):
            samples, coeffs = clip.speech.samples, clip.motion.coeffs
            if copy > 0:
                samples, coeffs = _altered(
                    samples, coeffs, config, np.random.default_rng([seed, index, copy])
                )
            examples.append(_example(clip, samples, coeffs, front_end, config, speakers))
        reporter.progress("preparing clips", index + 1, len(clips))
    return examples


def _altered(
    samples: Float[np.ndarray, "samples"],
    coeffs: Float[np.ndarray, "frames coeffs"],
    config: BatchConfig,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "others"], Float[np.ndarray, "changed coeffs"]]:
    """The clip faster or slower, with noise whose spectrum falls at a random rate."""
    frames = max(round(len(coeffs) / (1 + rng.uniform(-config.speed, config.speed))), 1)
    old, new = np.arange(len(coeffs)), np.linspace(0, len(coeffs) - 1, frames)
    changed = np.stack([np.interp(new, old, channel) for channel in coeffs.T], axis=1)
    rate_hz = SPEECH_RATE_HZ * frames / len(coeffs)
    played = soxr.resample(samples, SPEECH_RATE_HZ, rate_hz)
    length = frames * SAMPLES_PER_FRAME
    played = np.pad(played[:length], (0, max(length - len(played), 0)))

    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** -rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, n=length)
    wanted = np.sqrt((played**2).mean()) * 10 ** (-rng.uniform(*config.snr_db) / 20)
    noisy = played + noise * (wanted / np.sqrt((noise**2).mean()))
    return noisy.astype(np.float32), changed.astype(np.float32)


def _example(
    clip: Clip,
    samples: Float[np.ndarray, "samples"],
    coeffs: Float[np.ndarray, "frames coeffs"],
    front_end: LogMel,
    config: BatchConfig,
    speakers: tuple[str, ...],
) -> Example:
    # A short clip goes on in silence, holding its last frame.
    short = max(config.frames - len(coeffs), 0)
    coeffs = np.pad(coeffs, ((0, short), (0, 0)), mode="edge")
    samples = np.pad(samples, (0, short * SAMPLES_PER_FRAME))
    if config.smooth and len(coeffs) >= 5:
        coeffs = scipy.signal.savgol_filter(coeffs, 5, 2, axis=0).astype(np.float32)
    with torch.inference_mode():
        features = front_end(torch.from_numpy(samples)[None])[0].clone()
    return Example(
        features=features,
        coeffs=torch.from_numpy(coeffs),
        emotion=EMOTIONS.index(clip.emotion.label),
        level=clip.emotion.level,
        speaker=speakers.index(clip.speaker) if clip.speaker in speakers else -1,
    )


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Training batches by step number, and validation batches that are always the same."""

    training: list[Example]
    validation: list[Example]
    config: BatchConfig
    seed: int
    num_mels: int
    _chances: Float[np.ndarray, "examples"] = field(init=False)

    def __post_init__(self) -> None:
        length = np.array([len(example.coeffs) for example in self.training], dtype=np.float64)
        if self.config.balance:
            emotion = np.array([example.emotion for example in self.training])
            for label in np.unique(emotion):
                length[emotion == label] /= length[emotion == label].sum()
        object.__setattr__(self, "_chances", length / length.sum())

    def at(self, step: int) -> Batch:
        """The batch of `step`: the same whenever and however often it is asked for."""
        rng = np.random.default_rng([self.seed, step])
        chosen = rng.choice(len(self.training), self.config.size, p=self._chances)
        examples = [self.training[index] for index in chosen]
        starts = [int(rng.integers(len(example.coeffs) - self.config.frames + 1)) for example in examples]
        batch = self._stack(examples, starts)
        for features in batch.features:
            self._disturb(features, rng)
        return batch

    def held_out(self) -> list[Batch]:
        """Validation windows side by side, spread evenly over the clips."""
        places = [
            (example, start)
            for example in self.validation
            for start in range(0, len(example.coeffs) - self.config.frames + 1, self.config.frames)
        ]
        # Emotions and speakers stand in runs in a manifest; a fixed shuffle mixes them within batches.
        order = np.random.default_rng(0).permutation(len(places))
        places = [places[index] for index in order]
        size = self.config.size
        groups = [places[first : first + size] for first in range(0, len(places), size)]
        return [
            self._stack([example for example, _ in group], [start for _, start in group])
            for group in groups[:_MAX_VALIDATION_BATCHES]
        ]

    def _stack(self, examples: list[Example], starts: list[int]) -> Batch:
        frames = self.config.frames
        places = list(zip(examples, starts, strict=True))
        return Batch(
            features=torch.stack(
                [item.features[at * HOPS_PER_FRAME : (at + frames) * HOPS_PER_FRAME] for item, at in places]
            ),
            coeffs=torch.stack([item.coeffs[at : at + frames] for item, at in places]),
            emotion=torch.tensor([item.emotion for item in examples]),
            level=torch.tensor([item.level for item in examples]),
            speaker=torch.tensor([item.speaker for item in examples]),
        )

    def _disturb(self, features: Float[Tensor, "hops channels"], rng: np.random.Generator) -> None:
        """Tilt the spectrum and silence a band and a stretch, in place."""
        config, bands = self.config, features[:, : self.num_mels]
        if config.tilt > 0:
            slope = torch.linspace(-1, 1, self.num_mels) * rng.uniform(-config.tilt, config.tilt)
            # The floor stays the floor.
            bands.copy_(torch.where(bands > -1, (bands + slope).clamp_min(-1), bands))
        if config.mask_bands > 0:
            width = int(rng.integers(min(config.mask_bands, self.num_mels) + 1))
            first = int(rng.integers(self.num_mels - width + 1))
            bands[:, first : first + width] = -1
        if config.mask_hops > 0:
            width = int(rng.integers(min(config.mask_hops, len(features)) + 1))
            first = int(rng.integers(len(features) - width + 1))
            bands[first : first + width] = -1
