"""Records that cross folders, and the protocol by which the engine reports progress.

Axis names used everywhere: `frames` (motion at `fps`), `samples` (sound at `rate_hz`), `coeffs` (numbers per
frame), `verts`, `faces`, `tokens`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from talkcli.engine.origin import Origin
from talkcli.engine.wording import counted

SPEECH_RATE_HZ = 16_000
MODEL_FPS = 25
SAMPLES_PER_FRAME = SPEECH_RATE_HZ // MODEL_FPS
assert SAMPLES_PER_FRAME * MODEL_FPS == SPEECH_RATE_HZ, "frames must hold a whole number of samples"

# One vocabulary for all data sets; numbered from 1 in this order by DEEPTalk's files on disk.
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise", "contempt")

# Index of a speaker whom a model does not know.
NOBODY = -1


class Config(BaseModel):
    """A frozen group of settings; an unknown key is an error, and so are NaN and infinities. Stands right
    above what it configures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False, allow_inf_nan=False)


# Sizes of networks, far beyond any published: what a recipe or a stranger's model file asks for is built.
Width = Annotated[int, Field(gt=0, le=1 << 14)]
Layers = Annotated[int, Field(gt=0, le=128)]
Heads = Annotated[int, Field(gt=0, le=256)]
Kernel = Annotated[int, Field(gt=0, le=1024)]
# Attention over a window takes memory with its square.
WindowFrames = Annotated[int, Field(gt=0, le=1 << 12)]
# A probability of leaving out.
Dropout = Annotated[float, Field(ge=0, lt=1)]


def first_mistake(error: ValidationError) -> str:
    """Return the place of the first mistake in settings, what is wrong there, and the number of further
    mistakes.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "its settings"
    more = f" (and {counted(error.error_count() - 1, 'more mistake')})" if error.error_count() > 1 else ""
    return f"{where}: {first['msg']}{more}"


def check_heads(heads: int, **widths: int) -> None:
    """Raise ValueError for the first of the named `widths` that attention cannot share among its `heads`."""
    for name, width in widths.items():
        if width % heads:
            raise ValueError(f"{name} {width} is no multiple of the {heads} heads")


@dataclass(frozen=True, kw_only=True)
class Speech:
    """Mono sound in [-1, 1]; 16 kHz wherever a model sees it."""

    samples: Float[np.ndarray, "samples"]
    rate_hz: int = SPEECH_RATE_HZ

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz


# The symbol of what lies between words.
SILENCE = "SIL"


@dataclass(frozen=True)
class Phone:
    """One speech sound, an ARPAbet symbol without stress; `SILENCE` fills what lies between words."""

    symbol: str
    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Alignment:
    """What was said when. Phones follow each other without gaps from 0 to the end of the sound.

    `method` says how the times were found: `aligned`, `slowed` (the ladder's second rung) or `energy` (no
    phones: silence, and one open vowel wherever there is sound).
    """

    phones: tuple[Phone, ...]
    method: str

    def pauses(self, shortest_s: float) -> list[Phone]:
        """Return silences of at least `shortest_s`."""
        return [phone for phone in self.phones if phone.symbol == SILENCE and phone.duration_s >= shortest_s]


class MotionSpace(NamedTuple):
    """What the numbers of a frame of motion mean: channels of a head, or vertices of a topology.

    `name` is that of the head or topology. One of `channels` and `num_verts` is empty.
    """

    name: str
    channels: tuple[str, ...] = ()
    num_verts: int = 0

    @property
    def width(self) -> int:
        """Count the numbers of a frame."""
        return len(self.channels) or 3 * self.num_verts


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Coefficients of a head over time; `channels` names the columns, so that no code guesses their order.

    `pose` is the turn of the whole head, axis-angle in radians (x to the subject's left, y up, z towards the
    viewer); None where nobody measured it or a step removed it. `alignment` has the phones that the motion
    speaks, where the performer knew them. `meta` names who made the motion, in values that JSON holds; empty
    where nobody said so.
    """

    coeffs: Float[np.ndarray, "frames coeffs"]
    fps: float
    head: str
    channels: tuple[str, ...]
    pose: Float[np.ndarray, "frames 3"] | None = None
    alignment: Alignment | None = field(default=None, compare=False, repr=False)
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.coeffs.ndim != 2 or self.coeffs.shape[1] != len(self.channels):
            raise ValueError(f"coeffs {self.coeffs.shape} do not fit {len(self.channels)} channel names")
        if self.pose is not None and self.pose.shape != (len(self.coeffs), 3):
            raise ValueError(f"pose {self.pose.shape} does not fit {len(self.coeffs)} frames")

    @property
    def num_frames(self) -> int:
        return len(self.coeffs)

    @property
    def values(self) -> Float[np.ndarray, "frames values"]:
        """The numbers of each frame, as networks see them."""
        return self.coeffs

    def with_values(self, values: Float[np.ndarray, "others values"]) -> Motion:
        """Return the motion with other frames, its pose and its phones left out."""
        return replace(self, coeffs=values, pose=None, alignment=None)

    @property
    def space(self) -> MotionSpace:
        """What the numbers of a frame mean."""
        return MotionSpace(self.head, self.channels)

    @property
    def duration_s(self) -> float:
        return self.num_frames / self.fps


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles; metres, y up, z towards the viewer, x to the subject's left."""

    vertices: Float[np.ndarray, "verts 3"]
    faces: Int[np.ndarray, "faces 3"]


@dataclass(frozen=True, kw_only=True)
class VertexMotion:
    """Vertices of a face over time, captured or made by a model; metres, but BIWI's have a scale of their
    own.

    `neutral` is the subject at rest. `topology` names the numbering of the vertices: a head's name, or that
    of a data set. `faces` are the triangles, where the file has them. `meta` is as in `Motion`.
    """

    vertices: Float[np.ndarray, "frames verts 3"]
    neutral: Float[np.ndarray, "verts 3"]
    fps: float
    topology: str
    faces: Int[np.ndarray, "faces 3"] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.vertices.ndim != 3 or self.vertices.shape[1:] != self.neutral.shape:
            raise ValueError(f"vertices {self.vertices.shape} do not fit a neutral of {self.neutral.shape}")
        if self.neutral.ndim != 2 or self.neutral.shape[1] != 3:
            raise ValueError(f"neutral {self.neutral.shape} is not (verts, 3)")
        if self.faces is not None and (self.faces.ndim != 2 or self.faces.shape[1] != 3):
            raise ValueError(f"faces {self.faces.shape} are not (faces, 3)")

    @property
    def num_frames(self) -> int:
        return len(self.vertices)

    @property
    def values(self) -> Float[np.ndarray, "frames values"]:
        """The numbers of each frame, as networks see them: x, y, z of vertex after vertex."""
        return self.vertices.reshape(len(self.vertices), -1)

    def with_values(self, values: Float[np.ndarray, "others values"]) -> VertexMotion:
        """Return the motion with other frames."""
        return replace(self, vertices=values.reshape(len(values), -1, 3))

    @property
    def space(self) -> MotionSpace:
        """What the numbers of a frame mean."""
        return MotionSpace(self.topology, num_verts=len(self.neutral))

    @property
    def duration_s(self) -> float:
        return self.num_frames / self.fps


# Either form of motion; `face/surface.py` makes one surface of both.
AnyMotion = Motion | VertexMotion


@dataclass(frozen=True, kw_only=True)
class Emotion:
    """A label of `EMOTIONS` and a level in [0, 1]."""

    label: str = "neutral"
    level: float = 1.0

    def __post_init__(self) -> None:
        if self.label not in EMOTIONS:
            raise ValueError(f"{self.label!r} is not one of {', '.join(EMOTIONS)}")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Motion with the speech that belongs to it; None where nothing is to be heard.

    The frames of a `still` clip are pictures that have nothing to do with one another. `smoothed` tells that
    the motion file was filtered when it was made. `alignment` is there where the phones are known, `text`
    where the words are, `origin` where it is stated what the motion comes from.
    """

    id: str
    speech: Speech | None
    motion: AnyMotion
    emotion: Emotion
    speaker: str
    still: bool = False
    smoothed: bool = False
    alignment: Alignment | None = None
    text: str | None = None
    origin: Origin | None = None


@runtime_checkable
class Reporter(Protocol):
    """How the engine talks to whoever called it; it never prints."""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Report that `done` of `total` steps of `stage` are finished; `total` is None while unknown."""

    def note(self, text: str) -> None:
        """Report something worth knowing."""

    def warn(self, text: str) -> None:
        """Report something the user should act on, though the work goes on."""


class Silent:
    """The reporter that says nothing."""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        pass
