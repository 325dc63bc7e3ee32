"""From clips to batches: each front-end reads a clip once, then seed and step number determine the windows.

Axis names: `batch`, `steps` (a whole number per frame, see `Ear`), `frames` (25 fps), `channels`, `values`
of a frame of motion (coefficients, or coordinates of vertices), `side` of a picture. Differs: DEEPTalk draws
the start of a window in audio samples, so its sound and motion can be offset by up to a frame; windows here
start on frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from pydantic import Field, model_validator
from torch import Tensor

from talkcli.engine.audio.augment import AugmentConfig, LevelRange
from talkcli.engine.audio.ear import Ear, Sound, cut, hear
from talkcli.engine.audio.log_mel import LogMel
from talkcli.engine.errors import InputError
from talkcli.engine.face.savitzky_golay import savitzky_golay
from talkcli.engine.models.phones import STEP_HZ, STEPS_PER_FRAME, SYMBOLS
from talkcli.engine.train.chances import Balance, chances
from talkcli.engine.train.content_pairs import content_of, partners, stretched
from talkcli.engine.train.copies import altered, samples_of
from talkcli.engine.train.disturbance import Disturbance, DisturbanceConfig, disturb, draw_disturbance
from talkcli.engine.train.example import Example, PicturesOf, looked_at
from talkcli.engine.types import (
    EMOTIONS,
    SAMPLES_PER_FRAME,
    Alignment,
    Clip,
    Reporter,
    VertexMotion,
)

# Name of the front-end whose steps `disturb` changes: only its channels are frequency bands.
_BANDS = "log_mel"
# Largest number of validation batches: enough for a stable score, few enough for frequent validation.
_MAX_VALIDATION_BATCHES = 40


class BatchConfig(DisturbanceConfig):
    """Windows of a training step, and how they are altered and disturbed."""

    size: Annotated[int, Field(gt=0, le=10**5)] = 128
    """Number of windows in a batch."""
    frames: Annotated[int, Field(gt=0, le=10**4)] = 32
    """Length of a window in frames (25 fps); priors and generators need a multiple of their longest token."""
    speech_frames: Annotated[int, Field(gt=0, le=10**4)] | None = None
    """Frames of speech from the start of a window; null takes `frames`. The released DEE has 50 for 60 of
    motion."""
    smooth: bool = True
    """Apply a Savitzky-Golay filter (length 5, order 2) to the motion, as in the released data sets. It skips
    motion that preprocessing has filtered already, and still pictures."""
    balance: Balance = False
    """Draw every emotion equally often instead of every frame; `corpus` does so within each corpus."""
    copies: Annotated[int, Field(ge=0, le=100)] = 0
    """Number of altered copies of each training clip (`speed`, `snr_db`, `augment`), made once per run."""
    speed: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Largest relative change of a copy's speed, up or down; sound and motion change together."""
    snr_db: LevelRange = (10.0, 45.0)
    """Range of the copies' signal-to-noise ratio, in dB."""
    augment: AugmentConfig = AugmentConfig()
    """Voices, rooms, microphones and codecs that alter the sound of the copies."""
    cache_features: bool = False
    """Run the frozen part of an encoder once per clip, not once per step, and cache its features on disk.
    If that part has attention, the features of a window then depend on the whole clip, not on the window
    alone."""
    pairs: Literal["content"] | None = None
    """`content`: rows 2k and 2k + 1 of a batch are a speaker who says the same with two emotions, the second
    stretched to the length of the first (`train/content_pairs.py`). Only clips with such a partner are drawn
    then."""

    @model_validator(mode="after")
    def _rows_are_paired(self) -> BatchConfig:
        if self.pairs is not None and self.size % 2:
            raise ValueError(f"size {self.size} is odd, but pairs need an even number of windows")
        return self

    @model_validator(mode="after")
    def _heard_is_seen(self) -> BatchConfig:
        if self.speech_frames is not None and self.speech_frames > self.frames:
            raise ValueError(f"speech_frames {self.speech_frames} is longer than the window of {self.frames}")
        return self


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch of windows; `emotion` indexes `EMOTIONS`, `speaker` the training speakers (-1: unknown) and
    `phones` the `SYMBOLS` of the phone encoder, two per frame (-1: unknown).

    `sound` holds the steps of each front-end by its name; it may end before `motion` (`speech_frames`).
    `motion` holds coefficients, or x, y, z of vertex after vertex in metres; for vertices, `neutral` is the
    face at rest of each window. `seen` holds grey pictures of the mouth, for a method that sees.
    """

    sound: Sound
    motion: Float[Tensor, "batch frames values"]
    emotion: Int[Tensor, "batch"]
    level: Float[Tensor, "batch"]
    speaker: Int[Tensor, "batch"]
    phones: Int[Tensor, "batch phone_steps"]
    neutral: Float[Tensor, "batch verts 3"] | None = None
    seen: UInt8[Tensor, "batch frames side side"] | None = None

    def __len__(self) -> int:
        return len(self.motion)

    @property
    def offsets(self) -> Float[Tensor, "batch frames values"]:
        """The motion minus the face at rest, which is zero for coefficients."""
        return self.motion if self.neutral is None else self.motion - self.neutral.flatten(1)[:, None]

    def to(self, device: torch.device) -> Batch:
        return self._each(lambda tensor: tensor.to(device))

    def rows(self, first: int, last: int) -> Batch:
        """Return windows `first` to `last` (excluded)."""
        return self._each(lambda tensor: tensor[first:last])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        sound = {name: change(steps) for name, steps in self.sound.items()}
        others = {part.name: getattr(self, part.name) for part in fields(self)[1:]}
        changed: dict[str, Any] = {
            name: None if value is None else change(value) for name, value in others.items()
        }
        return Batch(sound=sound, **changed)


def prepare(
    clips: list[Clip],
    ears: Mapping[str, Ear],
    config: BatchConfig,
    *,
    speakers: tuple[str, ...],
    copies: int,
    seed: int,
    reporter: Reporter,
    look: PicturesOf | None = None,
) -> list[Example]:
    """Return an example of each clip, followed by `copies` altered versions of it, which `seed` determines.

    A clip without speech gets silence; a still clip gets no altered versions. `speakers` are the training
    speakers, in the order of their indices. `look` returns the pictures of a clip for a method that sees.
    """
    voices = [clip.speech.samples for clip in clips if clip.speech is not None]
    examples = []
    for index, clip in enumerate(clips):
        for copy in range(1 if clip.still else copies + 1):
            rng = np.random.default_rng([seed, index, copy])
            heard = clip
            if copy > 0:
                heard = altered(
                    clip, rng, voices, speed=config.speed, snr_db=config.snr_db, changes=config.augment
                )
            examples.append(_example(heard, ears, config, speakers, look))
        reporter.progress("preparing clips", index + 1, len(clips))
    return examples


def _example(
    clip: Clip,
    ears: Mapping[str, Ear],
    config: BatchConfig,
    speakers: tuple[str, ...],
    look: PicturesOf | None,
) -> Example:
    values = clip.motion.values
    # Silence and copies of the last frame extend a short clip to a window. They extend any still clip too:
    # each of its pictures can then be the first frame of a window.
    short = config.frames - 1 if clip.still else max(config.frames - len(values), 0)
    values = np.pad(values, ((0, short), (0, 0)), mode="edge")
    samples = np.pad(samples_of(clip), (0, short * SAMPLES_PER_FRAME))
    if config.smooth and not clip.smoothed and not clip.still:
        values = savitzky_golay(values).astype(np.float32)
    with torch.inference_mode():
        # Clones are ordinary tensors; autograd cannot save inference tensors for the backward pass.
        sound = {name: steps.clone() for name, steps in hear(ears, torch.from_numpy(samples)[None]).items()}
    return Example(
        sound=sound,
        motion=torch.from_numpy(values),
        emotion=EMOTIONS.index(clip.emotion.label),
        level=clip.emotion.level,
        speaker=speakers.index(clip.speaker) if clip.speaker in speakers else -1,
        phones=_phone_targets(clip.alignment, len(values) * STEPS_PER_FRAME),
        corpus=clip.id.partition("/")[0],
        voice=clip.speaker,
        still=clip.still,
        neutral=torch.from_numpy(clip.motion.neutral) if isinstance(clip.motion, VertexMotion) else None,
        said=content_of(clip),
        seen=None if look is None else looked_at(clip, look, len(values)),
    )


def _phone_targets(alignment: Alignment | None, num_steps: int) -> Int[Tensor, "phone_steps"]:
    """Return the phone at the middle of each step; silence after the last phone, -1 without an alignment."""
    if alignment is None:
        return torch.full((num_steps,), -1)
    targets = torch.zeros(num_steps, dtype=torch.long)
    for phone in alignment.phones:
        first, last = (max(math.ceil(at * STEP_HZ - 0.5), 0) for at in (phone.start_s, phone.end_s))
        targets[first:last] = SYMBOLS.index(phone.symbol)
    return targets


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Training batches by step number, and fixed validation batches.

    `ears` are the front-ends that computed the sound of the examples. The constructor raises InputError when
    the config asks for pairs and no example has a partner.
    """

    training: list[Example]
    validation: list[Example]
    ears: Mapping[str, Ear]
    config: BatchConfig
    seed: int
    _chances: Float[np.ndarray, "examples"] = field(init=False)
    _partners: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        items = self.training
        drawn = chances(
            np.array([self._length(item) for item in items]),
            np.array([item.emotion for item in items]),
            [item.corpus for item in items],
            [item.voice for item in items],
            self.config.balance,
        )
        paired = partners(items) if self.config.pairs else []
        if paired:
            drawn = np.where([bool(others) for others in paired], drawn, 0)
            if not drawn.any():
                raise InputError(
                    "data.pairs needs clips in which one speaker says the same with different emotions, and "
                    "the train split has none.",
                    hint="Add `set=data.pairs=null`, or train on RAVDESS or nEMO.",
                )
            drawn = drawn / drawn.sum()
        object.__setattr__(self, "_chances", drawn)
        object.__setattr__(self, "_partners", paired)

    @property
    def nbytes(self) -> int:
        """Memory of the training examples in bytes."""
        return sum(
            item.motion.nbytes + sum(steps.nbytes for steps in item.sound.values()) for item in self.training
        )

    @property
    def epoch(self) -> float:
        """Number of steps per epoch. As in DEEPTalk, an epoch draws as many windows as there are training
        clips; each picture of a still clip counts as a clip.
        """
        return sum(self._length(item) if item.still else 1 for item in self.training) / self.config.size

    def _length(self, example: Example) -> int:
        """Return the number of frames of the clip, without the frames that extend a still clip."""
        return len(example.motion) - (self.config.frames - 1 if example.still else 0)

    def at(self, step: int, *, rank: int = 0, world: int = 1) -> Batch:
        """Return process `rank`'s share of the batch of `step`: one of `world` equal parts of its rows.

        The rows depend only on seed and step, not on earlier calls.
        """
        config = self.config
        rng = np.random.default_rng([self.seed, step])
        examples = self._drawn(rng)
        starts = [int(rng.integers(len(example.motion) - config.frames + 1)) for example in examples]
        if config.pairs:
            starts = [start for start in starts[::2] for _ in range(2)]
        # Every process draws for all rows, so that a row does not depend on the number of processes.
        disturbances = [self._draw_disturbance(rng) for _ in examples] if _BANDS in self.ears else []
        share = config.size // world
        mine = slice(rank * share, (rank + 1) * share)
        batch = self._stack(examples[mine], starts[mine])
        for steps, disturbance in zip(batch.sound.get(_BANDS, ()), disturbances[mine], strict=True):
            disturb(steps[:, : self._num_bands], disturbance)
        return batch

    def _drawn(self, rng: np.random.Generator) -> list[Example]:
        """Draw the examples of a batch; with pairs, each even one is followed by a partner of its length."""
        size, items = self.config.size, self.training
        if not self.config.pairs:
            return [items[index] for index in rng.choice(len(items), size, p=self._chances)]
        drawn = []
        for index in rng.choice(len(items), size // 2, p=self._chances):
            first, other = items[index], items[rng.choice(self._partners[index])]
            drawn += [first, stretched(other, len(first.motion), self.ears)]
        return drawn

    def held_out(self) -> list[Batch]:
        """Return batches of adjacent validation windows; if there are too many, a sample over all clips."""
        places = [
            (example, start)
            for example in self.validation
            for start in range(
                0, len(example.motion) - self.config.frames + 1, 1 if example.still else self.config.frames
            )
        ]
        # A manifest is often sorted by emotion and speaker; a fixed shuffle mixes them within batches.
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
        heard = self.config.speech_frames or frames
        places = list(zip(examples, starts, strict=True))
        pictures = [item.seen[at : at + frames] for item, at in places if item.seen is not None]
        neutrals = [item.neutral for item in examples if item.neutral is not None]
        sounds = [cut(item.sound, self.ears, at, at + heard) for item, at in places]
        return Batch(
            # Cached features are stored in half precision.
            sound={name: torch.cat([sound[name] for sound in sounds]).float() for name in self.ears},
            motion=torch.stack([item.motion[at : at + frames] for item, at in places]),
            emotion=torch.tensor([item.emotion for item in examples]),
            level=torch.tensor([item.level for item in examples]),
            speaker=torch.tensor([item.speaker for item in examples]),
            phones=torch.stack(
                [item.phones[at * STEPS_PER_FRAME : (at + frames) * STEPS_PER_FRAME] for item, at in places]
            ),
            neutral=torch.stack(neutrals) if neutrals else None,
            seen=torch.stack(pictures) if pictures else None,
        )

    @property
    def _num_bands(self) -> int:
        """Number of mel bands; `disturb` leaves out the prosody channels, which follow them."""
        ear = self.ears[_BANDS]
        return ear.config.num_mels if isinstance(ear, LogMel) else ear.num_channels

    def _draw_disturbance(self, rng: np.random.Generator) -> Disturbance:
        hops = (self.config.speech_frames or self.config.frames) * self.ears[_BANDS].steps_per_frame
        return draw_disturbance(rng, self.config, self._num_bands, hops)
