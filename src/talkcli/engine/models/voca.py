"""VOCA: speech to motion, each frame by itself, from a window of logits of a speech recogniser.

Axis names: `batch`, `samples` (16 kHz), `steps` of logits, `frames` (at the model's rate), `places` = 16 (60
Hz) of a window, `classes` = 29, `subjects`, `components`, `values` of a frame (x, y, z of vertex after
vertex, or coefficients). Source: Cudeiro et al. 2019 and the released code (facts H.7). The weights have the
layout of TensorFlow, inputs before outputs. What the network makes are offsets from a face at rest, which is
zero for coefficients. Differs: frames may have another rate than the windows' places, and the phones of
talk's own encoder may stand in for logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.models.ctc import (
    CLASSES,
    GivenLogitsConfig,
    LearntLogits,
    LogitsConfig,
    PhoneLogits,
    build_logits,
)
from talkcli.engine.models.windows import Stretches, cross_fade, spans
from talkcli.engine.types import MODEL_FPS, SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Config, Width, WindowFrames
from talkcli.engine.wording import counted

# Places of a window and their rate; the frame stands at place 8.
PLACES = 16
PLACE_HZ = 60
_BEFORE = 8
# Filters of the convolutions, each of which halves the window; and the width after them.
FILTERS = (32, 32, 64, 64)
HIDDEN = 128
# Frames whose windows are in memory at the same time.
_AT_ONCE = 1024


class VocaConfig(Config):
    """Sizes of VOCA; the defaults are the published ones, at the 25 fps of talk's training."""

    motion: Literal["vertices", "coefficients"] = "vertices"
    """Meaning of the values of a frame."""
    content: LogitsConfig = GivenLogitsConfig()
    """Where the logits come from."""
    components: Width = 50
    """Number of components of the motion; those of the training motion are the start."""
    fps: Annotated[int, Field(ge=MODEL_FPS, le=120)] = MODEL_FPS
    """Frames of the motion per second: 25 where talk trains; 60 in the published model."""
    identity: Width = 8
    """Largest number of speakers."""
    speakers: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Names of the training speakers in the order of their styles; training sets them."""
    window: WindowFrames = 600
    """Largest number of frames that the model hears at once where no logits are given."""
    overlap: Annotated[int, Field(gt=0)] = 50
    """Number of frames that neighbouring windows share, for the cross-fade."""

    @model_validator(mode="after")
    def _check(self) -> VocaConfig:
        if len(self.speakers) > self.identity:
            speakers = counted(len(self.speakers), "speaker")
            raise ValueError(f"identity {self.identity} has no room for {speakers}")
        if 2 * self.overlap > self.window:
            raise ValueError(f"overlap {self.overlap} is more than half of window {self.window}")
        if self.fps != MODEL_FPS and not isinstance(self.content, GivenLogitsConfig):
            raise ValueError(f"{self.fps} frames per second need given logits")
        return self

    @property
    def nobody(self) -> bool:
        """Whether the model can perform without a speaker's style: never."""
        return False


class Dense(nn.Module):
    """A linear map, with weights of shape (inputs, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(nn.init.trunc_normal_(torch.empty(inputs, outputs), std=inputs**-0.5))
        self.biases = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Float[Tensor, "*any inputs"]) -> Float[Tensor, "*any outputs"]:
        return x @ self.weights + self.biases


class Halving(nn.Module):
    """A convolution over three places with stride 2 and a zero behind the last place, and ReLU.

    The weights have the shape (3, 1, inputs, outputs).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        drawn = nn.init.trunc_normal_(torch.empty(3, 1, inputs, outputs), std=(3 * inputs) ** -0.5)
        self.weights = nn.Parameter(drawn)
        self.biases = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Float[Tensor, "frames before inputs"]) -> Float[Tensor, "frames after outputs"]:
        """Return half as many places."""
        seen = F.pad(x, (0, 0, 0, 1)).unfold(1, 3, 2).mT.flatten(2)
        return F.relu(seen @ self.weights.flatten(0, 2) + self.biases)


class ScalarNorm(nn.Module):
    """Batch normalisation by one mean and one variance for all values of a window, as TensorFlow does for a
    last axis of length 1.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(()))
        self.beta = nn.Parameter(torch.zeros(()))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("variance", torch.ones(()))

    def forward(self, x: Float[Tensor, "frames places classes"]) -> Float[Tensor, "frames places classes"]:
        mean, variance, gamma, beta = (
            each.view(1) for each in (self.mean, self.variance, self.gamma, self.beta)
        )
        flat = F.batch_norm(x.flatten(1)[:, None], mean, variance, gamma, beta, self.training, 0.1, 1e-5)
        return flat.view_as(x)


class Voca(nn.Module):
    """The network. Speakers are numbered as in `config.speakers`; a negative number means the first."""

    method = "voca"
    neutral: Tensor | None

    def __init__(self, config: VocaConfig, num_values: int) -> None:
        """Build the network with random weights.

        Raises ValueError for vertices whose number of values is no multiple of three.
        """
        super().__init__()
        if config.motion == "vertices" and num_values % 3:
            raise ValueError(f"{num_values} values are no vertices")
        self.config = config
        self.content = build_logits(config.content)
        self.norm = ScalarNorm()
        widths = (len(CLASSES) + config.identity, *FILTERS)
        self.halvings = nn.ModuleList(map(Halving, widths[:-1], widths[1:]))
        self.hidden = Dense(FILTERS[-1] + config.identity, HIDDEN)
        self.shape = Dense(HIDDEN, config.components)
        self.outward = Dense(config.components, num_values)
        at_rest = torch.zeros(num_values // 3, 3) if config.motion == "vertices" else None
        self.register_buffer("neutral", at_rest)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of what hears logits. Raises ValueError for a model whose logits are given."""
        if self.content is None:
            raise ValueError("the model hears no sound: its logits are given")
        return self.content.ears

    @property
    def step_hz(self) -> float:
        """Rate of the logits that `content` hears."""
        assert self.content is not None
        return float(self.content.steps_per_frame * MODEL_FPS)

    def frames_of(self, samples: int) -> int:
        """Return the number of frames for `samples` of speech, at least one.

        At 25 fps an incomplete last frame counts; at other rates it is the published number, rounded.
        """
        if self.config.fps == MODEL_FPS:
            return max(-(-samples // SAMPLES_PER_FRAME), 1)
        return max(round(samples / SPEECH_RATE_HZ * self.config.fps), 1)

    def forward(
        self, sound: Sound, speaker: Int[Tensor, "batch"], frames: int
    ) -> Float[Tensor, "batch frames values"]:
        """Return the offsets of a window of training.

        Args:
            sound: Sound of the window, from the front-ends of `ears`.
            speaker: Number of the speaker of each row.
            frames: Number of frames of the window.
        """
        assert self.content is not None
        return self.offsets(self.content(sound), self.step_hz, speaker, frames)

    def offsets(
        self,
        logits: Float[Tensor, "batch steps classes"],
        step_hz: float,
        speaker: Int[Tensor, "batch"],
        frames: int,
    ) -> Float[Tensor, "batch frames values"]:
        """Return the offsets of all frames from logits at the rate `step_hz`."""
        subject = F.one_hot(speaker.clamp_min(0), self.config.identity).to(logits.dtype)
        seen = windows(logits, step_hz, frames, self.config.fps).flatten(0, 1)
        style = subject.repeat_interleave(frames, dim=0)
        if self.training:
            made = self.of_windows(seen, style)
        else:
            parts = zip(seen.split(_AT_ONCE), style.split(_AT_ONCE), strict=True)
            made = torch.cat([self.of_windows(*part) for part in parts])
        return made.unflatten(0, (len(logits), frames))

    def of_windows(
        self, seen: Float[Tensor, "frames places classes"], style: Float[Tensor, "frames subjects"]
    ) -> Float[Tensor, "frames values"]:
        """Return the offsets of frames from their windows of logits and their one-hot subjects."""
        return self.outward(self.components(seen, style))

    def components(
        self, seen: Float[Tensor, "frames places classes"], style: Float[Tensor, "frames subjects"]
    ) -> Float[Tensor, "frames components"]:
        """Return the components of frames."""
        x = torch.cat([self.norm(seen), style[:, None].expand(-1, seen.shape[1], -1)], dim=-1)
        for halving in self.halvings:
            x = halving(x)
        return self.shape(self.hidden(torch.cat([x.flatten(1), style], dim=-1)).tanh())

    @torch.inference_mode()
    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        speaker: int = 0,
        logits: Float[Tensor, "batch steps classes"] | None = None,
        step_hz: float = 50.0,
        generator: torch.Generator | None = None,  # noqa: ARG002  nothing is drawn
    ) -> Float[Tensor, "batch frames values"]:
        """Return the motion of speech of any length: coordinates in the unit of `neutral`, or coefficients.

        Args:
            samples: Speech at 16 kHz.
            speaker: Number of the speaker.
            logits: Logits of the speech, which begin with it; None hears them.
            step_hz: Rate of `logits`.
            generator: Unused.
        """
        frames = self.frames_of(samples.shape[1])
        if logits is None:
            assert self.content is not None
            logits, step_hz = heard(self.content, samples, self.config), self.step_hz
        who = torch.full((len(logits),), speaker, device=logits.device)
        made = self.offsets(logits, step_hz, who, frames)
        return made if self.neutral is None else made.add_(self.neutral.flatten())


def heard(
    content: PhoneLogits | LearntLogits, samples: Float[Tensor, "batch samples"], config: VocaConfig
) -> Float[Tensor, "batch steps classes"]:
    """Return the logits that `content` hears in speech of any length, in windows that are cross-faded."""
    frames = max(-(-samples.shape[1] // SAMPLES_PER_FRAME), 1)
    stretches = Stretches(content.ears, samples, frames=frames, window=config.window)

    def pieces() -> Iterator[Float[Tensor, "batch _ values"]]:
        for first, last in spans(frames, config.window, config.overlap):
            yield content(stretches(first, last)).unflatten(1, (last - first, -1)).flatten(2)

    by_frame = cross_fade(pieces(), frames, config.overlap)
    return by_frame.unflatten(2, (content.steps_per_frame, -1)).flatten(1, 2)


def windows(
    logits: Float[Tensor, "batch steps classes"], step_hz: float, frames: int, fps: int
) -> Float[Tensor, "batch frames places classes"]:
    """Return the window of every frame: the places from 8 before it to 7 after it, at 60 Hz.

    Logits are interpolated linearly, and the last ones stay to the end, as published; places before the first
    frame and after the last one are zero.
    """
    frame, place = (
        torch.arange(count, device=logits.device, dtype=torch.float64) for count in (frames, PLACES)
    )
    # A model of 60 fps has a frame at every place.
    at = frame[:, None] * (PLACE_HZ / fps) + (place - _BEFORE)
    inside = (at >= 0) & (at < frames * (PLACE_HZ / fps))
    steps = (at * (step_hz / PLACE_HZ)).clamp(0, logits.shape[1] - 1)
    lower = steps.floor().long()
    upper = (lower + 1).clamp_max(logits.shape[1] - 1)
    share = (steps - lower).to(logits.dtype)[..., None]
    between = logits[:, lower] * (1 - share) + logits[:, upper] * share
    return between * inside[..., None]
