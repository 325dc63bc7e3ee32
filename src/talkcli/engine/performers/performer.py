"""What a pipeline asks of whatever makes motion of speech, and what it gets."""

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
    """What every performer understands.

    `takes` performances are drawn from `seed`, take k being the same whatever the number of takes. `actor` is
    a name in the model's list of speakers or a position in it, None is nobody in particular. `emotion` is
    performed instead of what the voice says.
    """

    takes: int = 1
    seed: int = 0
    actor: str | None = None
    emotion: Emotion | None = None


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The controls of one method, beside `Sampling`; here, none."""

    draws: ClassVar[str] = ""
    """Which controls make takes differ, for a sentence."""

    @property
    def is_random(self) -> bool:
        """Whether takes differ by more than what layers draw."""
        return False

    def check(self, sampling: Sampling) -> None:
        """Raise UsageError for controls that do not fit the sampling."""


@runtime_checkable
class Performer(Protocol):
    """What makes motion of speech: a trained model of any method, or the rules."""

    @property
    def header(self) -> Meta:
        """Head, channels and rate of the motion, and the terms it is under."""

    @property
    def layers(self) -> Layers:
        """The layers over the motion."""

    @property
    def controls(self) -> type[Controls]:
        """The class of the controls that `perform` takes beside its sampling."""

    def cast(self, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """Choose an actor where none is asked for, and tell whether that was done and is worth a note.

        Raises UsageError for an actor that the performer does not have.
        """

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[AnyMotion]:
        """Make one motion per take, each when the caller asks for it. Its `meta` names who made it, `origin`
        among it.

        Args:
            controls: of the performer's own kind; None for its defaults.
            emotion_speech: takes the place of `speech` for the emotion.

        Raises:
            TalkError: for what cannot be performed, at the call.
        """


def parse_emotion(text: str) -> Emotion:
    """Return LABEL or LABEL:LEVEL as an emotion; the level is 1 where it is not given. Raises UsageError."""
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
            f"`emotion={text}`: the level is no number from 0 to 1.", hint=f"For example {label}:0.7."
        )
    return Emotion(label=label, level=level)
