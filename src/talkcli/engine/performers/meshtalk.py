"""MeshTalk as a performer: takes by drawn classes, or the most probable ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float

from talkcli.engine.errors import UsageError
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.performers.trained import TrainedPerformer
from talkcli.engine.types import Speech

# All classes are equally probable long before.
_HOTTEST = 1e6


@dataclass(frozen=True, kw_only=True)
class MeshTalkControls(Controls):
    """Control of how classes are drawn."""

    draws = "`temperature`"

    temperature: float = 1.0
    """Sampling temperature of the classes: 1 draws them by their probabilities, as published; 0 takes the
    most probable ones."""

    def __post_init__(self) -> None:
        known = isinstance(self.temperature, int | float) and not isinstance(self.temperature, bool)
        if not known or not 0 <= self.temperature <= _HOTTEST:
            raise UsageError(f"`temperature={self.temperature}` is no number from 0 to {_HOTTEST:g}.")

    @property
    def is_random(self) -> bool:
        """See `Controls`."""
        return self.temperature > 0


class MeshTalkPerformer(TrainedPerformer):
    """A trained MeshTalk as a performer; it knows no speakers."""

    controls = MeshTalkControls

    def _generate(
        self, speech: Speech, sampling: Sampling, take: int, controls: Controls
    ) -> Float[torch.Tensor, "1 frames values"]:
        made: torch.Tensor = self.model.generate(
            self._batch(speech),
            temperature=float(self.own(controls).temperature),
            generator=self._generator(sampling, take),
        )
        return made
