"""EmoTalk: speech to motion through one branch for content and one for emotion, all frames at once.

Axis names: `batch`, `samples` (16 kHz), `others` (of another recording), `frames` (`config.fps`), `outputs`
of the last layer, `values` of a frame of motion (coefficients, or coordinates of vertices), `hidden`
(channels of the emotion encoder), `width`, `labels`. Source: EmoTalk (Peng et al. 2023), facts H.5. Differs:
speech longer than a window is generated in cross-faded windows, and the emotion can come from another
recording.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound, Waveform
from talkcli.engine.audio.wav2vec2 import resample
from talkcli.engine.errors import UsageError
from talkcli.engine.face.arkit import ada_coeffs
from talkcli.engine.face.channels import ARKIT_BY_NAME, NUM_COEFFS
from talkcli.engine.models.emotalk.emotalk_config import EmoTalkConfig
from talkcli.engine.models.emotalk.encoders import SpeechEncoder
from talkcli.engine.models.windows import Stretches, cross_fade, spans
from talkcli.engine.nn.biased_decoder import BiasedDecoder
from talkcli.engine.types import MODEL_FPS, SAMPLES_PER_FRAME, SPEECH_RATE_HZ


class EmotionClassifier(nn.Module):
    """Two layers on the mean over time of the emotion encoder's features."""

    def __init__(self, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.dense = nn.Linear(hidden, hidden)
        self.outward = nn.Linear(hidden, labels)

    def forward(self, features: Float[Tensor, "batch frames hidden"]) -> Float[Tensor, "batch labels"]:
        pooled = F.dropout(features.mean(1), self.dropout, self.training)
        return self.outward(F.dropout(torch.tanh(self.dense(pooled)), self.dropout, self.training))


class EmoTalk(nn.Module):
    """The generator. `neutral` is the face at rest of a model of vertices, in metres."""

    method = "emotalk"
    neutral: Float[Tensor, "verts 3"]
    to_ada: Float[Tensor, "curves coeffs"]

    def __init__(self, config: EmoTalkConfig, num_values: int = NUM_COEFFS) -> None:
        """Build the generator for motion with `num_values` numbers in a frame.

        Raises UsageError when ARKit's curves are asked for of another head than ada.
        """
        super().__init__()
        if config.arkit and num_values != NUM_COEFFS:
            raise UsageError(f"model.arkit is for ada's {NUM_COEFFS} coefficients, not {num_values}.")
        self.config = config
        width = config.width
        self.content_encoder = SpeechEncoder(config.content, dropout=config.dropout, fps=config.fps)
        self.emotion_encoder = SpeechEncoder(config.emotion, dropout=config.dropout, fps=config.fps)
        self.content_map = nn.Linear(self.content_encoder.width, config.content_width)
        self.emotion_map = nn.Linear(self.emotion_encoder.width, width)
        self.emotion_narrow = nn.Linear(width, config.emotion_width)
        self.classifier = EmotionClassifier(self.emotion_encoder.width, len(config.labels), config.dropout)
        self.level = nn.Linear(2, config.level_width)
        self.person = nn.Linear(config.identity, config.person_width)
        self.decoder = BiasedDecoder(
            width,
            layers=config.layers,
            heads=config.heads,
            feedforward=width,
            dropout=config.dropout,
            period=config.period,
        )
        self.outward = nn.Linear(width, len(ARKIT_BY_NAME) if config.arkit else num_values)
        # As published: an untrained model shows the face at rest.
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)
        if config.motion == "vertices":
            self.register_buffer("neutral", torch.zeros(num_values // 3, 3))
        if config.arkit:
            self.register_buffer("to_ada", torch.from_numpy(arkit_to_ada()), persistent=False)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of both branches."""
        return {**self.content_encoder.ears, **self.emotion_encoder.ears}

    def content(self, sound: Sound, frames: int) -> Float[Tensor, "batch frames content_width"]:
        """Return the content features of `frames` frames."""
        return self.content_map(self.content_encoder(sound, frames))

    def felt(self, sound: Sound, frames: int) -> Float[Tensor, "batch frames hidden"]:
        """Return the emotion encoder's features of `frames` frames.

        As published they are interpolated a second time, from the encoder's own number of frames.
        """
        return resample(self.emotion_encoder(sound), frames)

    def decode(
        self,
        content: Float[Tensor, "batch frames content_width"],
        felt: Float[Tensor, "batch frames hidden"],
        level: Float[Tensor, "batch"],
        person: Int[Tensor, "batch"],
    ) -> Float[Tensor, "batch frames outputs"]:
        """Return the outputs of the last layer.

        Args:
            content: What `content` returned.
            felt: What `felt` returned, of the same speech or of another.
            level: Level of the emotion, from 0 (normal) to 1 (strong).
            person: Indices of the persons.
        """
        emotion = self.emotion_map(felt)
        levels = self.level(torch.stack([1 - level, level], dim=-1).to(emotion.dtype))
        persons = self.person(F.one_hot(person, self.config.identity).to(emotion.dtype))
        still = torch.cat([levels, persons], dim=-1)[:, None].expand(-1, content.shape[1], -1)
        joint = torch.cat([content, F.relu(self.emotion_narrow(emotion)), still], dim=-1)
        return self.outward(self.decoder(joint, emotion))

    def forward(
        self,
        content: Float[Tensor, "batch frames content_width"],
        felt: Float[Tensor, "batch frames hidden"],
        level: Float[Tensor, "batch"],
        person: Int[Tensor, "batch"],
        neutral: Float[Tensor, "batch verts 3"] | None = None,
    ) -> Float[Tensor, "batch frames values"]:
        """Return the numbers of every frame of motion, from the arguments of `decode`.

        Args:
            content: See `decode`.
            felt: See `decode`.
            level: See `decode`.
            person: See `decode`.
            neutral: Faces at rest of a model of vertices; None for the model's own.
        """
        made = self.decode(content, felt, level, person).float()
        if self.config.arkit:
            return made @ self.to_ada.to(made)
        if self.config.motion == "vertices":
            rest = self.neutral[None] if neutral is None else neutral
            return made + rest.flatten(1)[:, None]
        return made

    @torch.inference_mode()
    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        emotion_samples: Float[Tensor, "batch others"] | None = None,
        level: float = 1.0,
        speaker: int = 0,
        generator: torch.Generator | None = None,  # noqa: ARG002  nothing is drawn
    ) -> Float[Tensor, "batch frames values"]:
        """Return the motion of all speech; nothing in it is random.

        Args:
            samples: Speech at 16 kHz.
            emotion_samples: Speech whose emotion replaces that of `samples`, of which one window counts.
            level: Level of the emotion, from 0 to 1.
            speaker: Index of the person.
            generator: Ignored.
        """
        config = self.config
        frames = num_frames(samples.shape[1], config.fps)
        window, overlap = config.window_s * config.fps, config.overlap_s * config.fps
        heard = _Heard(self.ears, samples, frames=frames, window=window, fps=config.fps)
        other = None
        if emotion_samples is not None:
            others = num_frames(emotion_samples.shape[1], config.fps)
            told = _Heard(self.ears, emotion_samples, frames=others, window=window, fps=config.fps)
            other = self.emotion_encoder(told(0, min(others, window)))
        levels = samples.new_full((len(samples),), level)
        persons = torch.full((len(samples),), speaker, device=samples.device)

        def pieces(first: int, last: int) -> Float[Tensor, "batch frames values"]:
            sound, count = heard(first, last), last - first
            felt = self.felt(sound, count) if other is None else resample(other, count)
            return self(self.content(sound, count), felt, levels, persons)

        return cross_fade((pieces(*place) for place in spans(frames, window, overlap)), frames, overlap)


class _Heard:
    """What the front-ends give of any frames of an utterance; samples are never padded, as published."""

    def __init__(
        self,
        ears: dict[str, Ear],
        samples: Float[Tensor, "batch samples"],
        *,
        frames: int,
        window: int,
        fps: int,
    ) -> None:
        self.samples, self.frames, self.fps = samples, frames, fps
        compact = {name: ear for name, ear in ears.items() if name != Waveform.name}
        self.compact = Stretches(compact, samples, frames=frames, window=window) if compact else None
        self.whole = Waveform.name in ears

    def __call__(self, first: int, last: int) -> Sound:
        """Return frames `first` to `last` (excluded); windows start on whole seconds."""
        sound = {} if self.compact is None else dict(self.compact(first, last))
        if self.whole:
            start = first * SPEECH_RATE_HZ // self.fps
            end = None if last == self.frames else last * SPEECH_RATE_HZ // self.fps
            sound[Waveform.name] = self.samples[:, start:end, None]
        return sound


def num_frames(samples: int, fps: int) -> int:
    """Return the number of frames of so many samples, at least 1; an incomplete last frame counts.

    At 30 fps it is the published floating-point expression, which at some lengths gives a frame more than
    there are: 132,800 samples make 250, not 249.
    """
    if fps == MODEL_FPS:
        return max(-(-samples // SAMPLES_PER_FRAME), 1)
    return max(math.ceil(samples / SPEECH_RATE_HZ * fps), 1)


def arkit_to_ada() -> Float[np.ndarray, "curves coeffs"]:
    """Return the matrix from ARKit's curves, in the order of their names, to ada's coefficients."""
    one = np.eye(len(ARKIT_BY_NAME), dtype=np.float32)
    return ada_coeffs(dict(zip(ARKIT_BY_NAME, one, strict=True)), len(one))
