"""FaceDiffuser as a performer: in the style of a training speaker, as published or in few steps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float

from talkcli.engine.errors import UsageError
from talkcli.engine.nn.diffusion import SAMPLERS, Sampler
from talkcli.engine.performers.by_speaker import SpeakerPerformer
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.types import Reporter, Speech
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
        if self.steps is not None and (not isinstance(self.steps, int) or self.steps < 1):
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

    def _generate(
        self, speech: Speech, sampling: Sampling, take: int, controls: Controls
    ) -> Float[torch.Tensor, "1 frames values"]:
        times, steps = self.model.config.times, asdict(controls)["steps"]
        if steps is not None and steps > times:
            raise UsageError(
                f"{parameter('steps', steps)} is more than the {times} times of this model.",
                hint=f"Give at most {times}.",
            )
        return super()._generate(speech, sampling, take, controls)
