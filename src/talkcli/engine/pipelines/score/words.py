"""Words of the clips to score: transcripts, or TextGrids of phones, matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.textgrid import is_textgrid
from talkcli.engine.errors import InputError
from talkcli.engine.readers.text import read_text
from talkcli.engine.wording import counted

# Name of LJSpeech's table of transcripts.
METADATA = "metadata.csv"


@dataclass(frozen=True, kw_only=True)
class Words:
    """The transcript of a clip, or a TextGrid of its phones, which takes precedence."""

    text: str | None = None
    phones: Path | None = None


def read_words(given: Path, ids: Sequence[str]) -> dict[str, Words]:
    """Return the words of those of the clips `ids` that `given` has, by id.

    `given` is a transcript (.txt, .lab), a TextGrid, a table in LJSpeech's form (.csv: id|text|text in
    words), or a folder with any of them, where NAME.txt and NAME.TextGrid are those of the clip NAME. Raises
    InputError when it has words of no clip, and when it does not exist.
    """
    if not given.exists():
        raise InputError(f"{given} does not exist.")
    if given.is_dir():
        table = given / METADATA
        found = _table(table) if table.is_file() else {}
        for suffix in (".lab", ".txt", ".textgrid"):
            for path in sorted(given.iterdir()):
                if path.suffix.lower() == suffix and path.stem in ids:
                    found[path.stem] = _single(path)
    elif given.suffix.lower() == ".csv":
        found = _table(given)
    elif len(ids) == 1:
        return {ids[0]: _single(given)}
    else:
        raise InputError(
            f"{given} is one file for {counted(len(ids), 'clip')}.",
            hint=f"Give a folder of files, or a table such as LJSpeech's {METADATA}.",
        )
    matched = {id_: found[id_] for id_ in ids if id_ in found}
    if not matched:
        raise InputError(
            f"{given} holds no words of any of {counted(len(ids), 'clip')}.",
            hint=f"Words are matched by name, for example {ids[0]}.txt, {ids[0]}.TextGrid, or a line of "
            f"{METADATA} that begins with {ids[0]}|.",
        )
    return matched


def _single(path: Path) -> Words:
    if path.suffix.lower() == ".textgrid":
        return Words(phones=path)
    text = read_text(path).strip()
    return Words(phones=path) if is_textgrid(text) else Words(text=text)


def _table(path: Path) -> dict[str, Words]:
    found = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        id_, *texts = line.split("|")
        if not texts:
            raise InputError(
                f"{path}, line {number} is not of the form id|text.", hint="LJSpeech's table has this form."
            )
        # The last column has numbers in words.
        found[id_] = Words(text=texts[-1].strip())
    return found
