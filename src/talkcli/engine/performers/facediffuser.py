"""FaceDiffuser as a performer: in the style of a training speaker, as published or in few steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from talkcli.engine.errors import UsageError
from talkcli.engine.nn.diffusion import SAMPLERS, Sampler
from talkcli.engine.performers.by_speaker import SpeakerPerformer
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.types import AnyMotion, Reporter, Speech
from talkcli.engine.wording import parameter


@dataclass(frozen=True, kw_only=True)
class FaceDiffuserControls(Controls):
    """Controls of how a motion is drawn from noise."""

    sampler: Sampler = "ancestral"
    """`ancestral` as published; `ddim` draws noise only once, and needs few steps."""
    steps: int | None = None
    """Number of steps; None takes all of an ancestral sampler, and 20 of the other."""

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise UsageError(f"{parameter('sampler', self.sampler)} is none of {', '.join(SAMPLERS)}.")
        if self.steps is not None and (type(self.steps) is not int or self.steps < 1):
            raise UsageError(f"{parameter('steps', self.steps)} is no whole number above 0.")

    @property
    def is_random(self) -> bool:
        """See `Controls`: every take begins with its own noise."""
        return True


class FaceDiffuserPerformer(SpeakerPerformer):
    """A trained FaceDiffuser as a performer."""

    controls = FaceDiffuserControls

    @classmethod
    def cast_of(cls, config: Any, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """See `TrainedPerformer`. The plain variant has no speakers: an actor raises UsageError."""
        if config.plain and sampling.actor is not None:
            raise UsageError("`actor`: this model knows no speakers.", hint="Leave it out.")
        return super().cast_of(config, sampling, reporter)

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[AnyMotion]:
        """See `Performer`. Raises UsageError for more steps than the model was trained with."""
        times, steps = self.model.config.times, self.own(controls).steps
        if steps is not None and steps > times:
            raise UsageError(
                f"{parameter('steps', steps)} is more than the {times} times of this model.",
                hint=f"Give at most {times}.",
            )
        return super().perform(speech, sampling, controls, emotion_speech)
