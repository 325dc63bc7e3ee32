"""Choice of the actor with whose style a generator performs: by name, by index, or by default."""

from __future__ import annotations

import difflib
from typing import Protocol, runtime_checkable

from talkcli.engine.errors import UsageError
from talkcli.engine.types import NOBODY, Reporter

# Name of the actor of the released demo, the first of the speakers that the released model was trained on.
DEMO_ACTOR = "M003"


@runtime_checkable
class HasSpeakers(Protocol):
    """Settings of a model with styles of speakers."""

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of the speakers in the order of their numbers; may be empty."""

    @property
    def identity(self) -> int:
        """Largest number of speakers."""

    @property
    def nobody(self) -> bool | None:
        """Whether the model can perform without a speaker; None where an old file does not say."""


def default_actor(config: HasSpeakers) -> str | None:
    """Return the actor who performs when none is given; None stands for no particular speaker.

    A model whose training always named the speaker needs one: the actor of the released demo if the model
    knows that actor, else its first speaker.
    """
    if config.nobody:
        return None
    if DEMO_ACTOR in config.speakers:
        return DEMO_ACTOR
    # Model files that do not state `nobody` are old; their training had windows without a speaker, except for
    # converted models, which know the demo's actor.
    if config.nobody is None:
        return None
    return config.speakers[0] if config.speakers else "0"


def performing(config: HasSpeakers, actor: str | None, reporter: Reporter) -> tuple[str | None, bool]:
    """Return the actor who performs, and whether it is `default_actor`; the reporter gets a note if so.

    Args:
        config: Settings of the model.
        actor: Actor that the user gave; None for the default.
        reporter: Receiver of the note.
    """
    if actor is not None or (default := default_actor(config)) is None:
        return actor, False
    reporter.note(f"This model needs a speaker: {default} performs. `actor=NAME` chooses another.")
    return default, True


def speaker(config: HasSpeakers, actor: str | None) -> int:
    """Return the model's index of `actor`: a name, or an index in its list of speakers; None for
    `default_actor`.

    Raises UsageError when the model does not have that actor.
    """
    actor = default_actor(config) if actor is None else actor
    names = config.speakers
    if actor is None:
        return NOBODY
    if actor in names:
        return names.index(actor)
    # A model without names of speakers still has their indices.
    places = len(names) or config.identity
    if actor.isdecimal() and int(actor) < places:
        return int(actor)
    near = difflib.get_close_matches(actor, names, n=3)
    known = f"Names: {', '.join(names)}; or 0 to {places - 1}." if names else f"Use 0 to {places - 1}."
    raise UsageError(
        f"The model has no actor {actor}.",
        hint=f"Did you mean {' or '.join(near)}? {known}" if near else known,
    )
