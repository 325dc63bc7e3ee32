"""What is said in each clip that is scored: transcripts or TextGrids of phones, matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.errors import InputError

METADATA = "metadata.csv"


@dataclass(frozen=True, kw_only=True)
class Words:
    """A clip's transcript, or a TextGrid of its phones, which wins."""

    text: str | None = None
    phones: Path | None = None


def read_words(given: Path, ids: Sequence[str]) -> dict[str, Words]:
    """What `given` says of the clips `ids`: a transcript (.txt), a TextGrid, a table in LJSpeech's form
    (.csv: id|text|text in words), or a folder with any of them, NAME.txt and NAME.TextGrid for the clip NAME.

    Raises InputError when there is nothing for any clip.
    """
    if not given.exists():
        raise InputError(f"{given} does not exist.")
    if given.is_dir():
        table = given / METADATA
        found = _table(table) if table.is_file() else {}
        for suffix in (".txt", ".textgrid"):
            for path in sorted(given.iterdir()):
                if path.suffix.lower() == suffix and path.stem in ids:
                    found[path.stem] = _single(path)
    elif given.suffix.lower() == ".csv":
        found = _table(given)
    elif len(ids) == 1:
        return {ids[0]: _single(given)}
    else:
        raise InputError(
            f"{given} is one file for {len(ids)} clips.",
            hint=f"Give a folder of files, or a table such as LJSpeech's {METADATA}.",
        )
    matched = {id_: found[id_] for id_ in ids if id_ in found}
    if not matched:
        raise InputError(
            f"{given} holds no words of any of the {len(ids)} clips.",
            hint=f"Words are matched by name, for example {ids[0]}.txt, {ids[0]}.TextGrid, or a line of "
            f"{METADATA} that begins with {ids[0]}|.",
        )
    return matched


def _single(path: Path) -> Words:
    return Words(phones=path) if path.suffix.lower() == ".textgrid" else Words(text=_read(path).strip())


def _table(path: Path) -> dict[str, Words]:
    found = {}
    for number, line in enumerate(_read(path).splitlines(), start=1):
        id_, *texts = line.split("|")
        if not texts:
            raise InputError(
                f"{path}, line {number} is not of the form id|text.", hint="LJSpeech's table is of this form."
            )
        # The last column spells numbers out.
        found[id_] = Words(text=texts[-1].strip())
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable text ({error}).") from error
