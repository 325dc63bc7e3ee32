"""Performers that have the style of one of their training speakers, and no other control."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float

from talkcli.engine.performers.actors import performing, speaker
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.performers.trained import TrainedPerformer
from talkcli.engine.types import Reporter, Speech


class SpeakerPerformer(TrainedPerformer):
    """A model whose `generate` takes the number of a speaker, and whose config names them (`HasSpeakers`).

    The model always performs as somebody: its first speaker, where none is given.
    """

    @classmethod
    def cast_of(cls, config: Any, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """See `TrainedPerformer`. Raises UsageError for an actor whom the model does not know."""
        speaker(config, sampling.actor)
        actor, by_default = performing(config, sampling.actor, reporter)
        return replace(sampling, actor=actor), by_default

    def _generate(
        self, speech: Speech, sampling: Sampling, take: int
    ) -> Float[torch.Tensor, "1 frames values"]:
        made: torch.Tensor = self.model.generate(
            self._batch(speech),
            speaker=speaker(self.model.config, sampling.actor),
            generator=self._generator(sampling, take),
        )
        return made
