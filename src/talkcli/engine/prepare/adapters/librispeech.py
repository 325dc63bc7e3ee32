"""LibriSpeech: English audiobooks read by many speakers; motion is performed from the transcripts.

Source: Panayotov et al. (2015), ICASSP, doi:10.1109/ICASSP.2015.7178964. As published, a part such as
`dev-clean` holds SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac, and SPEAKER-CHAPTER.trans.txt beside them; the
root holds SPEAKERS.TXT. Copies in another format, with the same names, are read too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.spoken import SpokenFile, UntranscribedFile
from talkcli.engine.prepare.names import files_below, read_names, tell_left_out
from talkcli.engine.prepare.source import Source
from talkcli.engine.readers.text import csv_rows, read_lines
from talkcli.engine.types import Emotion, Reporter
from talkcli.engine.wording import counted

LICENCE = "CC-BY-4.0"
_SUFFIXES = (".flac", ".wav", ".mp3", ".opus", ".ogg")
_FORM = re.compile(r"(\d+)-(\d+)-(\d+)")
_TRANSCRIPTS = ".trans.txt"
# Table of a copy, in place of transcripts and SPEAKERS.TXT: tab-separated, with a header.
_TABLE = "index.tsv"
_SEXES: dict[str, Sex] = {"F": "female", "M": "male"}
# How names of parts begin, and the split of their clips.
_PARTS: dict[str, Split] = {"dev-": "val", "test-": "test", "train-": "train"}
# How ids of clips without a transcript begin.
UNTRANSCRIBED = "librispeech-untranscribed/"
# The corpus of the embedded model: two speakers choose checkpoints and settings, four are for reports alone,
# as many women as men in each.
TUNING, REPORTED = (1993, 2078), (84, 2035, 251, 2902)


def librispeech_sources(root: Path, reporter: Reporter) -> list[Source]:
    """Return every clip below `root` whose transcript is there, split by the names of the parts.

    Clips outside a part named dev-, test- or train- get the split train. Tells `reporter` what was found and
    what is left out. Raises InputError when no file has a name of LibriSpeech or a table does not read.
    """
    return _sources(root, reporter, lambda path, _: _split_of(path.relative_to(root)))


def librispeech_of_corpus(root: Path, reporter: Reporter) -> list[Source]:
    """Return the clips below `root` for the embedded model's corpus, split by speaker.

    Clips without a transcript are among those of the split train: their voices are neutral. Their ids begin
    with UNTRANSCRIBED.
    """
    splits: dict[int, Split] = {**dict.fromkeys(TUNING, "val"), **dict.fromkeys(REPORTED, "test")}
    return _sources(root, reporter, lambda _, speaker: splits.get(speaker, "train"), untranscribed=True)


def _sources(
    root: Path, reporter: Reporter, split: Callable[[Path, int], Split], *, untranscribed: bool = False
) -> list[Source]:
    named, _ = read_names(
        root,
        _SUFFIXES,
        _FORM.fullmatch,
        reporter,
        data_set="LibriSpeech",
        hint="Expected: dev-clean/84/121123/84-121123-0001.flac, with 84-121123.trans.txt beside it.",
    )
    texts, sexes = _read_texts(root), _read_sexes(root)
    if not untranscribed:
        silent = [path.name for _, path in named if not texts.get(path.stem)]
        tell_left_out(reporter, "clips without a transcript", silent, one="clip without a transcript")
    sources = []
    for match, path in sorted(named, key=lambda item: [int(number) for number in item[0].groups()]):
        speaker, text = int(match[1]), texts.get(path.stem)
        place = split(path, speaker)
        if not text and not (untranscribed and place == "train"):
            continue
        # The transcripts are in capitals, which an aligner reads as any others.
        text = text.capitalize() + "." if text else None
        sources.append(
            Source(
                id=f"{'librispeech/' if text else UNTRANSCRIBED}{path.stem}",
                speaker=f"librispeech-{speaker}",
                emotion=Emotion(label="neutral", level=0.65),
                split=place,
                licence=LICENCE,
                recipe=SpokenFile(path=path, text=text, eyes=False) if text else UntranscribedFile(path=path),
                sex=sexes.get(speaker),
                text=text,
            )
        )
    kinds = Counter(
        sexes.get(int(match[1]), "of unknown sex") for match in {m[1]: m for m, _ in named}.values()
    )
    reporter.note(
        f"Found: {counted(len(sources), 'clip')} of LibriSpeech by {counted(sum(kinds.values()), 'speaker')} "
        f"({', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))})."
    )
    return sources


def _split_of(path: Path) -> Split:
    parts = (split for part in path.parts for start, split in _PARTS.items() if part.startswith(start))
    return next(parts, "train")


def _read_texts(root: Path) -> dict[str, str]:
    """Return the transcripts below `root` by the stem of their sound."""
    texts = {
        name: text.strip()
        for path in files_below(root, (_TRANSCRIPTS,))
        for line in read_lines(path)
        for name, _, text in (line.partition(" "),)
    }
    return texts | {Path(row["file"]).stem: row["text"].strip() for row in _tables(root, "file", "text")}


def _read_sexes(root: Path) -> dict[int, Sex]:
    """Return the sex of each speaker, from the published list or from tables."""
    told = [
        (number.strip(), sex.strip())
        for path in files_below(root, ("speakers.txt",))
        for line in read_lines(path)
        if not line.startswith(";") and line.count("|") > 1
        for number, sex in (line.split("|")[:2],)
    ]
    told += [(row["speaker"], row["sex"]) for row in _tables(root, "speaker", "sex")]
    return {int(number): _SEXES[sex] for number, sex in told if number.isdecimal() and sex in _SEXES}


def _tables(root: Path, *columns: str) -> Iterable[dict[str, str]]:
    """Yield the rows of every table below `root`. Raises InputError for a table without one of `columns`."""
    for path in files_below(root, (_TABLE,)):
        header: list[str] = []
        for _, cells in csv_rows(path):
            if not header:
                header = cells
                if lacking := [column for column in columns if column not in header]:
                    raise InputError(f"{path} has no column {' and no column '.join(lacking)}.")
            else:
                yield dict.fromkeys(columns, "") | dict(zip(header, cells, strict=False))
