"""Heads: which there are, and a head of one's own from the description of a person."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import load

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.formats import check_distinct
from talkcli.engine.face.ada.head import asset_path
from talkcli.engine.face.ada.person import PEOPLE, Person
from talkcli.engine.face.ada.settings import allowed, changed, parse_settings
from talkcli.engine.face.avatar.read import inspect_avatar
from talkcli.engine.face.head_file import head_of, read_person, write_head
from talkcli.engine.face.heads import AVATARS, HEADS, load_head
from talkcli.engine.files import atomic_path, check_file
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter

HEAD, SHEET = ".npz", ".png"


def list_heads() -> list[dict[str, str]]:
    """Return name and description of each head."""
    return [{"head": name, "description": what} for name, what in HEADS.items()]


def is_avatar(name: str) -> bool:
    """Return whether `name` is that of an avatar's file."""
    return name.lower().endswith(AVATARS)


def describe_avatar(name: str) -> dict[str, Any]:
    """Return what the avatar in the file `name` has for each curve of ARKit, and what it lacks.

    Raises InputError for a damaged file.
    """
    return inspect_avatar(Path(name))


def describe_head(base: str, settings: Sequence[str] = (), seed: int | None = None) -> dict[str, Any]:
    """Return the person who is called `base`, with changes, and what each field may be.

    Args:
        base: Key of `PEOPLE`, or a file that `make_head` wrote.
        settings: Changes as "field=value".
        seed: Seed of what is random in the face; None for that of `base`.

    Returns:
        `base`, the fields of the `person`, and the values that are `allowed` of each.

    Raises:
        UsageError: For an unknown name, field or value.
        InputError: For a file that is no head of talk.
    """
    person = asdict(_person(base, settings, seed)[0])
    return {"base": base, "person": person, "allowed": {name: allowed(name) for name in person}}


def make_head(
    base: str,
    outs: Sequence[Path],
    *,
    settings: Sequence[str] = (),
    seed: int | None = None,
    reporter: Reporter,
) -> dict[str, Any]:
    """Write a head as a file that `load_head` reads, or as a contact sheet.

    Args:
        base: Key of `PEOPLE`, or a file that `make_head` wrote.
        outs: Files: .npz for the head, .png for the sheet.
        settings: Changes as "field=value".
        seed: Seed of what is random in the face; None for that of `base`.
        reporter: Receiver of notes and progress.

    Returns:
        The outputs with all settings, ready for JSON.

    Raises:
        TalkError: For unusable input, before anything is written.
    """
    for out in outs:
        if out.suffix.lower() not in (HEAD, SHEET):
            raise UsageError(
                f"{parameter('out', out)}: the name of a head's file ends in {HEAD}, that of a contact sheet "
                f"in {SHEET}."
            )
        check_file(out)
    check_distinct(outs, [Path(base)])
    person, is_changed = _person(base, settings, seed)
    writes_head = any(out.suffix.lower() == HEAD for out in outs)
    if is_changed or (writes_head and base not in PEOPLE):
        arrays, parts = _generate(person, reporter)
    elif writes_head:
        arrays, parts = load(asset_path(base).read_bytes()), load_head(base).parts
    else:
        arrays, parts = None, ()
    head = load_head(base) if arrays is None else head_of(base, arrays, parts)
    for out in outs:
        if out.suffix.lower() == HEAD:
            assert arrays is not None
            write_head(out, arrays, parts, person)
        else:
            from talkcli.engine.render.sheet import contact_sheet

            reporter.progress("drawing", 0, None)
            with atomic_path(out) as temporary:
                Image.fromarray(contact_sheet(head)).save(temporary, format="PNG")
    return {
        "outputs": [str(out) for out in outs],
        "base": base,
        "person": asdict(person),
        "verts": len(head.template),
        "faces": len(head.faces),
    }


def _person(base: str, settings: Sequence[str], seed: int | None) -> tuple[Person, bool]:
    """Return the person with the changes, and whether there are any."""
    wishes: dict[str, Any] = parse_settings(settings)
    if seed is not None:
        if "seed" in wishes:
            raise UsageError("`seed` and `set` both give the seed.", hint="Leave one of them out.")
        wishes["seed"] = seed
    if base in PEOPLE:
        person = PEOPLE[base]
    elif base.lower().endswith(HEAD):
        person = read_person(Path(base))
    else:
        near = difflib.get_close_matches(base.lower(), PEOPLE, n=1)
        known = f"Heads that can be changed: {', '.join(PEOPLE)}, and files from talk head."
        raise UsageError(
            f"There is no person called {base}."
            if base not in HEADS
            else f"{base} is a file of its own, which talk does not change.",
            hint=f"Did you mean {near[0]}? {known}" if near else known,
        )
    other = changed(person, wishes)
    return other, other != person


def _generate(person: Person, reporter: Reporter) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    from talkcli.engine.face.ada.assemble import assemble
    from talkcli.engine.face.ada.bake import pack

    reporter.note("The head is generated, which takes about 10 s.")
    reporter.progress("generating", 0, None)
    whole = assemble(person)
    return load(pack(whole)), whole.parts
