"""A source: the labels of a clip and the recipe that makes it; and the recording that the recipe returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.origin import Origin
from talkcli.engine.types import Alignment, Emotion, Motion, Speech, VertexMotion


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The content of a clip: at least one of sound (16 kHz), coefficients and vertices.

    `origin` is the origin of the motion, or without motion of the vertices; None where nobody states it.
    `report` states how the clip was measured, in values that JSON can hold. `alignment` holds the times of
    the phones; an alignment by energy alone holds no phones and is not kept.
    """

    speech: Speech | None = None
    motion: Motion | None = None
    mesh: VertexMotion | None = None
    origin: Origin | None = None
    alignment: Alignment | None = None
    report: Mapping[str, float | int | str | None] | None = None

    def __post_init__(self) -> None:
        if self.speech is None and self.motion is None and self.mesh is None:
            raise ValueError("a recording holds sound, motion or vertices")


@runtime_checkable
class Recipe(Protocol):
    """How to make one clip: a frozen dataclass whose repr states everything that the clip's files depend on,
    except the content of `inputs`.
    """

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files that the recipe reads; a change in one makes the clip stale."""

    def make(self, source: Source) -> Recording:
        """Make the content of the clip. Raises InputError when it cannot be made from the files."""


@runtime_checkable
class Previewed(Protocol):
    """A recipe that may also write a video to look at."""

    @property
    def preview(self) -> Path | None:
        """Path of the video, None for none; the clip is made again when the video is not there."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A clip's labels and its recipe; `id` is unique and names its files.

    `text` is the transcript. The frames of a `still` clip are pictures without any order.
    """

    id: str
    speaker: str
    emotion: Emotion
    split: Split
    licence: str
    recipe: Recipe
    sex: Sex | None = None
    text: str | None = None
    still: bool = False
