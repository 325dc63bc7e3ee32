"""VOCA as a performer: in the style of a training speaker, from given logits or from phones that stand in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float

from talkcli.engine.checkpoints.model_file import load_model, shipped_weights
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.models.ctc import GivenLogitsConfig, PhoneLogits
from talkcli.engine.models.phones import STEP_HZ
from talkcli.engine.models.voca import heard
from talkcli.engine.performers.actors import speaker
from talkcli.engine.performers.by_speaker import SpeakerPerformer
from talkcli.engine.performers.logits_file import read_logits
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.types import AnyMotion, Reporter, Speech

_STAND_IN = "a stand-in: phones that talk's embedded model hears"


@dataclass(frozen=True, kw_only=True)
class VocaControls(Controls):
    """Control of what VOCA hears."""

    logits: Path | None = None
    """File of the speech's logits, as `read_logits` takes it; None hears phones, which stand in for them."""


class VocaPerformer(SpeakerPerformer):
    """A trained VOCA as a performer; nothing in its motion is random."""

    controls = VocaControls

    @classmethod
    def cast_of(cls, config: Any, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """See `TrainedPerformer`. The reporter is told what stands in for logits that are not given."""
        if isinstance(config.content, GivenLogitsConfig):
            reporter.note(f"This model hears DeepSpeech's logits. Without `logits` it hears {_STAND_IN}.")
        return super().cast_of(config, sampling, reporter)

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[AnyMotion]:
        """See `Performer`. Raises InputError for a file of logits that is none, or is not of this speech, and
        UsageError for one where the model hears by itself.
        """
        own = self.own(controls)
        if own.logits is not None:
            if self.model.content is not None:
                raise UsageError(
                    "`logits`: this model was trained with a front-end of its own, and hears the speech.",
                    hint="Leave it out; models of published weights take logits.",
                )
            read_logits(own.logits).check_fits(speech.duration_s, own.logits)
        takes = super().perform(speech, sampling, own, emotion_speech)
        if self.model.content is not None:
            return takes
        heard = _STAND_IN if own.logits is None else own.logits.name
        return (replace(motion, meta={**motion.meta, "logits": heard}) for motion in takes)

    def _generate(
        self,
        speech: Speech,
        sampling: Sampling,
        take: int,  # noqa: ARG002  nothing is drawn
        controls: Controls,
    ) -> Float[torch.Tensor, "1 frames values"]:
        own, samples = self.own(controls), self._batch(speech)
        told: dict[str, Any] = {}
        if own.logits is not None:
            given = read_logits(own.logits)
            told = {"logits": torch.from_numpy(given.values)[None].to(samples), "step_hz": given.step_hz}
        elif self.model.content is None:
            told = {"logits": heard(self._ear, samples, self.model.config), "step_hz": float(STEP_HZ)}
        made: torch.Tensor = self.model.generate(
            samples, speaker=speaker(self.model.config, sampling.actor), **told
        )
        return made

    @cached_property
    def _ear(self) -> PhoneLogits:
        """What hears phones in place of the logits."""
        embedded, _ = load_model(shipped_weights(EMBEDDED), self.device)
        ear = PhoneLogits(embedded.content.encoder.config)
        ear.encoder.load_state_dict(embedded.content.encoder.state_dict())
        return ear.to(self.device).eval()
