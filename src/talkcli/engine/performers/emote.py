"""EMOTE as a performer: a person, an emotion by its label and level, and takes by noise on its latents."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float

from talkcli.engine.errors import UsageError
from talkcli.engine.performers.actors import speaker
from talkcli.engine.performers.by_speaker import SpeakerPerformer
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.types import AnyMotion, Reporter, Speech


@dataclass(frozen=True, kw_only=True)
class EmoteControls(Controls):
    """Controls of EMOTE."""

    draws = "`sigma`"

    sigma: float | None = None
    """Deviation of the noise that is added to every latent of 8 frames, in the unit of FLINT's latents. None
    and 0: no noise, as published; nothing is random then."""

    def __post_init__(self) -> None:
        if self.sigma is None:
            return
        if not isinstance(self.sigma, int | float) or not 0 <= self.sigma < math.inf:
            raise UsageError(f"`sigma={self.sigma}` is no number from 0 on.")

    @property
    def is_random(self) -> bool:
        """See `Controls`."""
        return bool(self.sigma)


class EmotePerformer(SpeakerPerformer):
    """A trained EMOTE as a performer; without an emotion it is neutral."""

    controls = EmoteControls

    @classmethod
    def cast_of(cls, config: Any, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """See `TrainedPerformer`. The reporter is told of an emotion that the model does not have."""
        if sampling.emotion is None:
            reporter.note(
                "This model takes the emotion from a label: neutral. `emotion=happy` shows another."
            )
        elif sampling.emotion.label == "calm":
            reporter.note("This model does not know calm, and is neutral.")
        return super().cast_of(config, sampling, reporter)

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[AnyMotion]:
        """See `Performer`. Raises UsageError for a person whom the model does not know, and for an emotion
        from a voice.
        """
        own = self.own(controls)
        own.check(sampling)
        speaker(self.model.config, sampling.actor)
        if emotion_speech is not None:
            raise UsageError(
                f"`emotion_from`: an {self.header.method} model takes the emotion from a label.",
                hint="Leave it out, or give `emotion=happy:0.7`.",
            )
        return self._plain_takes(speech, sampling, own)

    def _generate(
        self, speech: Speech, sampling: Sampling, take: int, controls: Controls
    ) -> Float[torch.Tensor, "1 frames values"]:
        own = self.own(controls)
        made: torch.Tensor = self.model.generate(
            self._batch(speech),
            emotion=sampling.emotion,
            speaker=speaker(self.model.config, sampling.actor),
            sigma=own.sigma or 0.0,
            generator=self._generator(sampling, take),
        )
        return made
