"""CodeTalker as a performer: in the style of a training speaker, exactly as published or faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from talkcli.engine.errors import UsageError
from talkcli.engine.models.codetalker.codetalker import Feedback
from talkcli.engine.performers.by_speaker import SpeakerPerformer
from talkcli.engine.performers.performer import Controls
from talkcli.engine.wording import parameter


@dataclass(frozen=True, kw_only=True)
class CodeTalkerControls(Controls):
    """Control of what is decoded after every frame."""

    feedback: Feedback | None = None
    """All frames so far, as published (exact), the newest ones (window), or those of windows that are made
    side by side (parallel); None: all, where the motion is not longer than the published code can make."""

    def __post_init__(self) -> None:
        if self.feedback is not None and self.feedback not in get_args(Feedback):
            raise UsageError(
                f"{parameter('feedback', self.feedback)} is none of {', '.join(get_args(Feedback))}."
            )


class CodeTalkerPerformer(SpeakerPerformer):
    """A trained CodeTalker as a performer."""

    controls = CodeTalkerControls
