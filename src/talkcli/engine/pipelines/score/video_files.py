"""Videos that somebody made of the clips to score, found by the clips' names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from talkcli.engine.errors import InputError
from talkcli.engine.wording import counted

SUFFIXES = (".mp4", ".webm", ".mov", ".mkv", ".avi", ".m4v", ".mpg", ".mpeg")
# Name of one of several takes: CLIP.take01.
_TAKE = re.compile(r"^(?P<id>.+)\.take(?P<take>\d+)$")


def videos_by_id(given: Path, ids: Iterable[str] | None = None) -> dict[str, tuple[Path, ...]]:
    """Return the videos of each clip, sorted by id; several takes of a clip stand in their order.

    A clip's id is the path of its video below the folder without suffix, with `/`, or without `.take01` too.
    A video whose path is no id of `ids` but whose name alone is one belongs to the clip of that name.

    Args:
        given: A video, or a folder with videos at any depth.
        ids: Ids of the clips that are known; None where the videos themselves name them.

    Raises:
        InputError: Without any video, and for two videos of the same take.
    """
    if not given.is_dir():
        if not given.is_file():
            raise InputError(f"{given} does not exist.")
        return {given.stem: (given,)}
    known = None if ids is None else set(ids)
    by_take: dict[tuple[str, int], Path] = {}
    for path in sorted(given.rglob("*")):
        inside = path.relative_to(given)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.suffix.lower() not in SUFFIXES or hidden or not path.is_file():
            continue
        name = inside.with_suffix("").as_posix()
        match = _TAKE.match(name)
        id_, take = (match["id"], int(match["take"])) if match else (name, 0)
        alone = id_.rpartition("/")[2]
        if known is not None and id_ not in known and alone in known:
            id_ = alone
        if (id_, take) in by_take:
            raise InputError(
                f"{by_take[id_, take]} and {path} are both videos of the clip {id_}.",
                hint="Call several takes of a clip NAME.take01.mp4, NAME.take02.mp4.",
            )
        by_take[id_, take] = path
    if not by_take:
        raise InputError(f"{given} holds no videos ({', '.join(SUFFIXES)}).")
    takes: dict[str, tuple[Path, ...]] = {}
    for (id_, _), path in sorted(by_take.items()):
        takes[id_] = (*takes.get(id_, ()), path)
    return takes


def film_of_each(given: Path, ids: Iterable[str]) -> Mapping[str, Path]:
    """Return the real film of each clip that has one. Raises InputError where no clip has one."""
    wanted = list(ids)
    found = videos_by_id(given, wanted)
    if not given.is_dir() and len(wanted) == 1:
        return {wanted[0]: given}
    films = {id_: found[id_][0] for id_ in wanted if id_ in found}
    if not films:
        raise InputError(
            f"{given} holds no film of any of {counted(len(wanted), 'clip')}.",
            hint=f"Films are matched by name, for example {wanted[0]}.mp4.",
        )
    return films
