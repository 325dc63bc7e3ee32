"""DEEPTalk as a performer: its emotion embedding is sampled, its codes are drawn (section 3.3, table 3)."""

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
    """How performances are drawn.

    `sigma` multiplies the predicted log-variance of the emotion embedding, None takes its mean. `tau_top` and
    `tau_bottom` are temperatures of the slow and the fast codes, 0 takes the likeliest; `gumbel` draws both
    as the released inference does, whatever the temperatures. With `hold_slow` all takes keep the emotion and
    the slow codes of the first. `always_pad` adds one to four frames of silence, as the released demo always
    does.
    """

    draws = "`sigma`, `tau` or `gumbel`"

    sigma: float | None = None
    tau_top: float = 0.0
    tau_bottom: float = 0.0
    gumbel: bool = False
    hold_slow: bool = False
    always_pad: bool = False

    def __post_init__(self) -> None:
        for name in ("sigma", "tau_top", "tau_bottom"):
            value = getattr(self, name)
            if value is None and name == "sigma":
                continue
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise UsageError(f"`{name}={value}` is not a finite number.")
        if self.hold_slow and self.tau_bottom == 0 and not self.gumbel:
            raise UsageError(
                "`hold_slow` needs sampled fast codes; at `tau_bottom=0` the likeliest are taken.",
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
                "`hold_slow` keeps the slow codes of the first take for the others, but there is one take.",
                hint="Add `takes=2` or more.",
            )


class DeepTalkPerformer(TrainedPerformer):
    """A trained DEEPTalk."""

    controls = DeepTalkControls

    @property
    def hears_contacts(self) -> bool:
        """See `TrainedPerformer`."""
        return bool(self.model.hears_contacts)

    @classmethod
    def cast_of(cls, config: Any, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """See `TrainedPerformer`. A model that was always told who speaks performs as somebody."""
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

        Raises UsageError for an actor or an emotion the model does not know, and for slow codes to hold where
        it has one level of codes.
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
        """Run the encoders on `speech`; `emotion`, or that of `emotion_speech`, takes its own one's place."""
        emotion_samples = None if emotion_speech is None else self._batch(emotion_speech)
        with self._autocast():
            heard: Heard = self.model.listen(
                self._batch(speech), emotion_samples, emotion=emotion, always_pad=always_pad
            )
        return heard

    def takes(
        self, heard: Heard, speech: Speech, sampling: Sampling, controls: DeepTalkControls
    ) -> Iterator[AnyMotion]:
        """Perform `speech` that was `heard` before, as `perform` does."""
        held = None
        for take in range(sampling.takes):
            drawn = self._draw(heard, sampling, controls, take, held)
            if controls.hold_slow and held is None:
                # The emotion is the first thing a take draws, so this is the first take's once more.
                emotion = self.model.felt(heard, controls.sigma, self._generator(sampling, take))
                heard, held = heard._replace(fixed=emotion), drawn.slow
            yield self._finished(
                drawn.coeffs,
                speech,
                sampling,
                take,
                is_random=controls.is_random,
                contacts=heard.contacts,
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
        """Return the model's number for `actor`, as `actors.speaker` has it. Raises UsageError."""
        return speaker(self.model.config, actor)
