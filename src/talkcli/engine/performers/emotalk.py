"""EmoTalk and EmoFace as performers: a person, a level of the emotion, and the emotion of a voice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from talkcli.engine.errors import UsageError
from talkcli.engine.performers.actors import speaker
from talkcli.engine.performers.by_speaker import SpeakerPerformer
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.types import AnyMotion, Speech


@dataclass(frozen=True, kw_only=True)
class EmoTalkControls(Controls):
    """Controls of EmoTalk and EmoFace."""

    level: float = 1.0
    """Level of the emotion: 0 is the data's normal intensity, 1 its strong one; between them the code of the
    level is interpolated."""

    def __post_init__(self) -> None:
        if not isinstance(self.level, int | float) or not 0 <= self.level <= 1:
            raise UsageError(f"`level={self.level}` is not a number from 0 to 1.")


class EmoTalkPerformer(SpeakerPerformer):
    """A trained EmoTalk or EmoFace as a performer; nothing in its motion is random."""

    controls = EmoTalkControls

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[AnyMotion]:
        """See `Performer`. Raises UsageError for a person whom the model does not know, and for an emotion by
        its label.
        """
        own = self.own(controls)
        own.check(sampling)
        person = speaker(self.model.config, sampling.actor)
        if sampling.emotion is not None:
            raise UsageError(
                f"`emotion`: an {self.header.method} model takes the emotion from a voice.",
                hint="Leave it out, or give `emotion_from` a recording of a voice with that emotion.",
            )
        return self._takes(speech, sampling, own, person, emotion_speech)

    def _takes(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: EmoTalkControls,
        person: int,
        emotion_speech: Speech | None,
    ) -> Iterator[AnyMotion]:
        with self._autocast(), torch.inference_mode():
            made = self.model.generate(
                self._batch(speech),
                emotion_samples=None if emotion_speech is None else self._batch(emotion_speech),
                level=controls.level,
                speaker=person,
            )
        for take in range(sampling.takes):
            yield self._finished(made, speech, sampling, take, is_random=False)
