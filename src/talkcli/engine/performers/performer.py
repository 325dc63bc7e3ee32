"""The protocol of performers, which turn speech into motion, and the records that they take."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import UsageError
from talkcli.engine.finish.stack import Layers
from talkcli.engine.types import EMOTIONS, AnyMotion, Emotion, Reporter, Speech


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Settings that every performer understands."""

    takes: int = 1
    """Number of performances; take k is the same whatever this number is."""
    seed: int = 0
    """Seed of every random choice."""
    actor: str | None = None
    """Speaker whose style the model uses: a name in its list of speakers or an index in it. None for no
    particular speaker."""
    emotion: Emotion | None = None
    """Emotion to show in place of that of the voice; None keeps the voice's."""


@dataclass(frozen=True, kw_only=True)
class Controls:
    """Controls of one method, beside `Sampling`; this class has none."""

    draws: ClassVar[str] = ""
    """Names of the controls that make takes differ, as a part of a sentence."""

    @property
    def is_random(self) -> bool:
        """Whether takes differ by more than what random layers add."""
        return False

    def check(self, sampling: Sampling) -> None:
        """Raise UsageError when the controls do not fit `sampling`."""


@runtime_checkable
class Performer(Protocol):
    """Maker of motion from speech: a trained model of any method, or the rules."""

    @property
    def header(self) -> Meta:
        """Head, channels and frame rate of the motion, and its licence."""

    @property
    def layers(self) -> Layers:
        """Layers that the performer adds to the motion."""

    @property
    def controls(self) -> type[Controls]:
        """Class of the controls that `perform` takes."""

    def cast(self, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """Return `sampling` with an actor, and whether the performer chose that actor by default.

        The reporter gets a note of a choice by default. Raises UsageError when the performer does not have
        the given actor.
        """

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[AnyMotion]:
        """Make one motion per take, each when the caller asks for it; its `meta` names its maker and its
        `origin`.

        Args:
            speech: Speech to perform.
            sampling: Number of takes, seed, actor and emotion.
            controls: Controls of the performer's own class; None for its defaults.
            emotion_speech: Speech whose emotion replaces that of `speech`; None keeps it.

        Raises:
            TalkError: When the performer cannot perform this; it is raised at the call, not at the first
                take.
        """


def parse_emotion(text: str) -> Emotion:
    """Return the emotion that LABEL or LABEL:LEVEL names; the level is 1 if absent. Raises UsageError."""
    label, colon, number = text.partition(":")
    if label not in EMOTIONS:
        near = difflib.get_close_matches(label.lower(), EMOTIONS, n=1)
        known = f"Emotions: {', '.join(EMOTIONS)}."
        raise UsageError(
            f"There is no emotion {label}.", hint=f"Did you mean {near[0]}? {known}" if near else known
        )
    try:
        level = float(number) if colon else 1.0
    except ValueError:
        level = math.nan
    if not 0 <= level <= 1:
        raise UsageError(
            f"`emotion={text}`: the level is not a number from 0 to 1.", hint=f"For example {label}:0.7."
        )
    return Emotion(label=label, level=level)
