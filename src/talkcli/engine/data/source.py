"""What a clip is to be made of, before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from talkcli.engine.data.manifest import Split
from talkcli.engine.types import Emotion, Motion, Speech


@runtime_checkable
class Recipe(Protocol):
    """How to make one clip; a frozen dataclass whose repr says everything but the content of `inputs`."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files that are read; a change in one makes the clip stale."""

    def make(self, source: Source) -> tuple[Speech, Motion]:
        """The clip's sound (16 kHz) and motion. Raises InputError when it cannot be made from what is
        there.
        """


@dataclass(frozen=True, kw_only=True)
class Source:
    """A clip's labels and its recipe; `id` is unique and names its files."""

    id: str
    speaker: str
    emotion: Emotion
    split: Split
    licence: str
    recipe: Recipe
