"""Whose way of moving a generator performs with: by name, by place, or by default."""

from __future__ import annotations

import difflib

from talkcli.engine.errors import UsageError
from talkcli.engine.models.deeptalk.deeptalk import NOBODY
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.types import Reporter

# The actor of the released demo, the first that the released model was trained on.
DEMO_ACTOR = "M003"


def default_actor(config: DeepTalkConfig) -> str | None:
    """Return who performs where no actor is asked for; None is nobody in particular.

    A model whose training always named the speaker has no defined performance without one: it
    performs as the released demo's actor where it knows that one, else as its first.
    """
    if config.nobody:
        return None
    if DEMO_ACTOR in config.speakers:
        return DEMO_ACTOR
    # Files from before this was kept are of models that know nobody, but for converted ones.
    if config.nobody is None:
        return None
    return config.speakers[0] if config.speakers else "0"


def performing(config: DeepTalkConfig, actor: str | None, reporter: Reporter) -> tuple[str | None, bool]:
    """Return who performs where `actor` is asked for, and whether that is `default_actor`, of which it
    tells.
    """
    if actor is not None or (default := default_actor(config)) is None:
        return actor, False
    reporter.note(f"This model needs a speaker: {default} performs. `actor=NAME` chooses another.")
    return default, True


def speaker(config: DeepTalkConfig, actor: str | None) -> int:
    """Return the model's number for `actor`: a name, else a position in its list; None is `default_actor`.

    Raises UsageError for an actor that the model does not have.
    """
    actor = default_actor(config) if actor is None else actor
    names = config.speakers
    if actor is None:
        return NOBODY
    if actor in names:
        return names.index(actor)
    # A model without names still has places for speakers.
    places = len(names) or config.identity
    if actor.isdecimal() and int(actor) < places:
        return int(actor)
    near = difflib.get_close_matches(actor, names, n=3)
    known = f"Names: {', '.join(names)}; or 0 to {places - 1}." if names else f"Use 0 to {places - 1}."
    raise UsageError(
        f"The model has no actor {actor}.",
        hint=f"Did you mean {' or '.join(near)}? {known}" if near else known,
    )
