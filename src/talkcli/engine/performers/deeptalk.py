"""DEEPTalk as a performer: it samples the emotion embedding and the codes (section 3.3, table 3)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from talkcli.engine.errors import UsageError
from talkcli.engine.models.deeptalk.performance import Codes, Heard, Take
from talkcli.engine.performers.actors import performing, speaker
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.performers.trained import TrainedPerformer
from talkcli.engine.types import AnyMotion, Emotion, Reporter, Speech
from talkcli.engine.wording import counted


@dataclass(frozen=True, kw_only=True)
class DeepTalkControls(Controls):
    """Controls of how performances are sampled."""

    draws = "`sigma`, `tau` or `gumbel`"

    sigma: float | None = None
    """Factor on the predicted log-variance of the emotion embedding, which is then sampled; None takes its
    mean."""
    tau_top: float = 0.0
    """Sampling temperature of the slow codes; 0 takes the most probable code."""
    tau_bottom: float = 0.0
    """Sampling temperature of the fast codes; 0 takes the most probable code."""
    gumbel: bool = False
    """Sample both levels of codes with Gumbel noise, as the released inference does, whatever the
    temperatures."""
    hold_slow: bool = False
    """Keep the emotion and the slow codes of the first take in all takes."""
    always_pad: bool = False
    """Add one to four frames of silence at the end, as the released demo always does."""

    def __post_init__(self) -> None:
        for name in ("sigma", "tau_top", "tau_bottom"):
            value = getattr(self, name)
            if value is None and name == "sigma":
                continue
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise UsageError(f"`{name}={value}` is not a finite number.")
        if self.hold_slow and self.tau_bottom == 0 and not self.gumbel:
            raise UsageError(
                "`hold_slow` needs sampled fast codes, but `tau_bottom=0` takes the most probable ones.",
                hint="Add `tau_bottom=0.5`, or any temperature above 0.",
            )

    @property
    def is_random(self) -> bool:
        """See `Controls`."""
        return self.sigma is not None or self.tau_top > 0 or self.tau_bottom > 0 or self.gumbel

    def check(self, sampling: Sampling) -> None:
        """See `Controls`."""
        if self.hold_slow and sampling.takes < 2:
            raise UsageError(
                "`hold_slow` keeps the slow codes of the first take in all others, but there is one take.",
                hint="Add `takes=2` or more.",
            )


class DeepTalkPerformer(TrainedPerformer):
    """A trained DEEPTalk as a performer."""

    controls = DeepTalkControls

    @property
    def hears_contacts(self) -> bool:
        """See `TrainedPerformer`."""
        return bool(self.model.hears_contacts)

    @classmethod
    def cast_of(cls, config: Any, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """See `TrainedPerformer`. A model whose training always named the speaker gets its default actor."""
        actor, by_default = performing(config, sampling.actor, reporter)
        return replace(sampling, actor=actor), by_default

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[AnyMotion]:
        """See `Performer`.

        Raises UsageError for an actor or an emotion that the model does not know, and for `hold_slow` when
        the motion prior has only one level.
        """
        own = self.own(controls)
        own.check(sampling)
        self.speaker(sampling.actor)
        levels = len(self.model.prior.levels)
        if own.hold_slow and levels < 2:
            raise UsageError(
                f"`hold_slow`: this model's motion prior has {counted(levels, 'level')} and no slow codes."
            )
        heard = self.listen(speech, emotion_speech, emotion=sampling.emotion, always_pad=own.always_pad)
        return self.takes(heard, speech, sampling, own)

    def listen(
        self,
        speech: Speech,
        emotion_speech: Speech | None = None,
        *,
        emotion: Emotion | None = None,
        always_pad: bool = False,
    ) -> Heard:
        """Run the encoders on `speech`.

        Args:
            speech: Speech to perform.
            emotion_speech: Speech whose emotion replaces that of `speech`; None keeps it.
            emotion: Emotion that replaces the mean of the encoded emotion; None keeps it.
            always_pad: Pad as the released demo does.

        Raises:
            UsageError: For an emotion that the model does not know.
        """
        emotion_samples = None if emotion_speech is None else self._batch(emotion_speech)
        with self._autocast():
            heard: Heard = self.model.listen(
                self._batch(speech), emotion_samples, emotion=emotion, always_pad=always_pad
            )
        return heard

    def takes(
        self,
        heard: Heard,
        speech: Speech,
        sampling: Sampling,
        controls: DeepTalkControls,
        drawn_codes: list[Codes] | None = None,
    ) -> Iterator[AnyMotion]:
        """Perform encoded speech as `perform` does: make one motion per take, when the caller asks for it.

        Args:
            heard: What `listen` returned.
            speech: Speech that was encoded; the layers need it.
            sampling: Number of takes, seed, actor and emotion.
            controls: Controls of the sampling.
            drawn_codes: Receiver of the codes of each take, before it is yielded; None for nobody.
        """
        held = None
        for take in range(sampling.takes):
            drawn = self._draw(heard, sampling, controls, take, held)
            if drawn_codes is not None:
                drawn_codes.append(drawn.codes)
            if controls.hold_slow and held is None:
                # A take draws its emotion first, so the same generator gives the first take's emotion again.
                emotion = self.model.felt(heard, controls.sigma, self._generator(sampling, take))
                heard, held = heard._replace(fixed=emotion), drawn.slow
            yield self._finished(
                drawn.coeffs,
                speech,
                sampling,
                take,
                is_random=controls.is_random,
                contacts=heard.contacts,
                lingual=heard.lingual,
                phones=heard.phones,
            )

    def _draw(
        self,
        heard: Heard,
        sampling: Sampling,
        controls: DeepTalkControls,
        take: int,
        held: Codes | None,
    ) -> Take:
        with self._autocast():
            drawn: Take = self.model.take(
                heard,
                sigma=controls.sigma,
                tau_top=controls.tau_top,
                tau_bottom=controls.tau_bottom,
                speaker=self.speaker(sampling.actor),
                generator=self._generator(sampling, take),
                gumbel=controls.gumbel,
                held=held,
            )
        return drawn

    def speaker(self, actor: str | None) -> int:
        """Return the model's index of `actor`, as `actors.speaker` does. Raises UsageError."""
        return speaker(self.model.config, actor)
