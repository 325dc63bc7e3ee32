"""Who performs and how performances are drawn; and what a pipeline asks of whatever performs.

Axis names: `frames`, `coeffs` = 53.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import UsageError
from talkcli.engine.finish.stack import Layers
from talkcli.engine.types import EMOTIONS, Emotion, Motion, Speech


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Who performs, and how performances are drawn (DEEPTalk, section 3.3 and table 3).

    `sigma` multiplies the predicted log-variance of the emotion embedding, None takes its mean; `tau_top`
    and `tau_bottom` are temperatures of the slow and the fast codes, 0 takes the likeliest; `gumbel` draws
    both as the released inference does, whatever the temperatures. `takes` performances are drawn from
    `seed`, take k being the same whatever the number of takes; with `hold_slow` all keep the emotion and the
    slow codes of the first. `actor` is a name in the model's list of speakers or a position in it, None is
    nobody in particular. `emotion` is performed instead of what is heard. `always_pad` adds one to four
    frames of silence, as the released demo always does.
    """

    sigma: float | None = None
    tau_top: float = 0.0
    tau_bottom: float = 0.0
    gumbel: bool = False
    takes: int = 1
    hold_slow: bool = False
    actor: str | None = None
    emotion: Emotion | None = None
    always_pad: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for option, value in (
            ("--sigma", self.sigma),
            ("--tau-top", self.tau_top),
            ("--tau-bottom", self.tau_bottom),
        ):
            if value is not None and not math.isfinite(value):
                raise UsageError(f"{option} {value} is not a finite number.")
        if self.hold_slow and self.takes < 2:
            raise UsageError(
                "--hold-slow keeps the slow codes of the first take for the others, but there is one take.",
                hint="Add --takes 2 or more.",
            )
        if self.hold_slow and self.tau_bottom == 0 and not self.gumbel:
            raise UsageError(
                "--hold-slow draws the fast codes anew, but at --tau-bottom 0 they are never drawn.",
                hint="Add --tau-bottom 0.5, or any temperature above 0.",
            )

    @property
    def is_random(self) -> bool:
        return self.sigma is not None or self.tau_top > 0 or self.tau_bottom > 0 or self.gumbel


@runtime_checkable
class Performer(Protocol):
    """What makes motion of speech: a trained model, or the rules."""

    @property
    def header(self) -> Meta:
        """Head, channels and rate of the motion, and the terms it is under."""

    @property
    def layers(self) -> Layers:
        """What lies over the motion."""

    @property
    def maker(self) -> Mapping[str, Any]:
        """What a motion file says of who made it, its origin among it, ready for JSON; complete once
        `motions` was called.
        """

    def motions(
        self, speech: Speech, sampling: Sampling, emotion_speech: Speech | None = None
    ) -> Iterator[Motion]:
        """One motion per take, each made when it is asked for, with the emotion of `emotion_speech` where
        given. Raises a TalkError for what cannot be performed.
        """


def parse_emotion(text: str) -> Emotion:
    """LABEL or LABEL:LEVEL as an emotion; the level is 1 where it is not given. Raises UsageError."""
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
            f"--emotion {text}: the level is no number from 0 to 1.", hint=f"For example {label}:0.7."
        )
    return Emotion(label=label, level=level)
