"""CodeTalker as a performer: in the style of a training speaker, exactly as published or faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from talkcli.engine.errors import UsageError
from talkcli.engine.performers.by_speaker import SpeakerPerformer
from talkcli.engine.performers.performer import Controls
from talkcli.engine.wording import parameter

FeedbackKind = Literal["exact", "window"]


@dataclass(frozen=True, kw_only=True)
class CodeTalkerControls(Controls):
    """Control of what is decoded after every frame."""

    feedback: FeedbackKind | None = None
    """All frames so far, as published (exact), or the newest ones (window); None: all, where the motion is
    not longer than the published code can make."""

    def __post_init__(self) -> None:
        if self.feedback is not None and self.feedback not in get_args(FeedbackKind):
            raise UsageError(
                f"{parameter('feedback', self.feedback)} is none of {', '.join(get_args(FeedbackKind))}."
            )


class CodeTalkerPerformer(SpeakerPerformer):
    """A trained CodeTalker as a performer."""

    controls = CodeTalkerControls
