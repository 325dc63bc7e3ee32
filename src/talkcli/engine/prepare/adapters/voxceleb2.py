"""VoxCeleb2: a million utterances of 6,112 people from YouTube, for candidates without labels of emotion.

Anywhere below ROOT lie aac/SPEAKER/VIDEO/NNNNN.m4a and mp4/SPEAKER/VIDEO/NNNNN.mp4, parted in dev and test.
Source: Chung, Nagrani & Zisserman (2018), VoxCeleb2: Deep Speaker Recognition, arXiv 1806.05622.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.filmed import AS_USUAL, FilmedFile, HowToLook
from talkcli.engine.prepare.adapters.sounds import SoundFile
from talkcli.engine.prepare.labels import UNLABELLED
from talkcli.engine.prepare.names import tell_left_out
from talkcli.engine.prepare.source import Recipe, Source
from talkcli.engine.readers.text import csv_rows
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted

LICENCE = "VoxCeleb2: not stated; the films belong to those who published them"
SOUND, PICTURE = "aac", "mp4"
# The sound is often kept as it was converted to wav.
_SUFFIXES = {SOUND: (".m4a", ".wav"), PICTURE: (".mp4",)}
_SPEAKER = re.compile(r"id\d{5}")
_NUMBER = re.compile(r"\d{5}")
_TABLE = "vox2_meta.csv"
_SEXES: dict[str, Sex] = {"f": "female", "m": "male"}
_SPLITS: dict[str, Split] = {"dev": "train", "test": "test"}
# How deep below ROOT the folders aac and mp4 may lie.
_DEEPEST = 3


@dataclass(frozen=True, kw_only=True)
class Speakers:
    """What the set's table says of its speakers, by their names; empty without it."""

    split: dict[str, Split]
    sex: dict[str, Sex]


def is_voxceleb2(root: Path) -> bool:
    """Return whether speakers of the set lie below `root`, in a folder aac."""
    tops = _folders_called(root, SOUND, _DEEPEST)
    return any(_SPEAKER.fullmatch(speaker.name) for top in tops for speaker in _folders(top))


def voxceleb2_sources(
    root: Path,
    reporter: Reporter,
    *,
    motion: Literal["none", "video"] = "none",
    how: HowToLook = AS_USUAL,
) -> list[Source]:
    """Return every utterance below `root`, in order of ids: its sound, and with `motion` video the motion of
    its film, whose sound is that of aac where it is there.

    Tells `reporter` what is expected and what was found. Raises InputError when there is none of what it
    needs, and what `HowToLook.check` does.
    """
    how.check(root, used=motion == "video")
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.")
    speakers = read_speakers(root / _TABLE)
    sounds, strange = _listing(root, SOUND)
    films, strange_films = _listing(root, PICTURE) if motion == "video" else ({}, [])
    chosen = films if motion == "video" else sounds
    if not chosen:
        kind = PICTURE if motion == "video" else SOUND
        raise InputError(
            f"{root} holds no {kind}/idNNNNN/VIDEO/NNNNN{_SUFFIXES[kind][0]}.",
            hint="Expected below ROOT: dev/aac/id00012/21Uxsk56VDQ/00001.m4a, and test/aac/...; unpack the "
            "archives first.",
        )
    sources = []
    for key, (folder, names) in sorted(chosen.items()):
        speaker = key.split("/")[0]
        # One string for all: there are a million sources.
        name_of_speaker = f"voxceleb2-{speaker}"
        split = speakers.split.get(speaker) or _split_of_folder(folder.relative_to(root))
        sound_folder, sound_names = sounds.get(key, (folder, {}))
        for number, name in sorted(names.items()):
            recipe: Recipe = SoundFile(path=folder / name)
            if motion == "video":
                sound = sound_folder / sound_names[number] if number in sound_names else None
                recipe = how.at(folder / name, f"voxceleb2/{key}/{number}", sound=sound)
            sources.append(
                Source(
                    id=f"voxceleb2/{key}/{number}",
                    speaker=name_of_speaker,
                    emotion=UNLABELLED,
                    split=split,
                    licence=LICENCE,
                    recipe=recipe,
                    sex=speakers.sex.get(speaker),
                )
            )
    _tell(sources, [*strange, *strange_films], speakers, reporter)
    return sources


def read_speakers(path: Path) -> Speakers:
    """Return the set's table; empty when it is not there. Raises InputError when it is there and does not
    read.
    """
    speakers = Speakers(split={}, sex={})
    if not path.exists():
        return speakers
    try:
        # Cells are padded with blanks; commas and tabs both circulate.
        header, *rows = [[cell.strip() for cell in cells] for _, cells in csv_rows(path)]
        for cells in rows:
            row = dict(zip(header, cells, strict=True))
            speakers.split[row["VoxCeleb2 ID"]] = _SPLITS[row["Set"]]
            speakers.sex[row["VoxCeleb2 ID"]] = _SEXES[row["Gender"]]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} is not VoxCeleb2's table: VoxCeleb2 ID, Gender and Set do not read ({error})."
        ) from error
    return speakers


def _listing(root: Path, kind: str) -> tuple[dict[str, tuple[Path, dict[str, str]]], list[str]]:
    """By SPEAKER/VIDEO a folder and the names of its files by NNNNN; and what has another name or is there
    twice. Only folders are read: nothing is asked of the disk about each file.
    """
    found: dict[str, tuple[Path, dict[str, str]]] = {}
    strange: list[str] = []
    suffixes = _SUFFIXES[kind]
    for top in _folders_called(root, kind, _DEEPEST):
        for speaker in _folders(top):
            known = _SPEAKER.fullmatch(speaker.name) is not None
            for video in _folders(speaker.path):
                folder, key = Path(video.path), f"{speaker.name}/{video.name}"
                if not known or key in found:
                    strange.append(os.path.relpath(folder, root))
                    continue
                # Of two files of one utterance the last stays: the suffix that is looked for first.
                names = sorted(_names(folder, suffixes), key=lambda name: name.endswith(suffixes[0]))
                strange += [os.path.relpath(folder / name, root) for name in names if not _is_clip(name)]
                found[key] = folder, {name[:-4]: name for name in names if _is_clip(name)}
    return found, strange


def _names(folder: Path, suffixes: tuple[str, ...]) -> list[str]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    return [name for name in names if name.endswith(suffixes) and not name.startswith(".")]


def _is_clip(name: str) -> bool:
    return _NUMBER.fullmatch(name[:-4]) is not None


def _folders_called(folder: str | Path, name: str, depth: int) -> Iterator[str]:
    """Yield folders of that name below `folder`, not those within one another."""
    for entry in _folders(folder):
        if entry.name == name:
            yield entry.path
        elif depth > 1 and not _SPEAKER.fullmatch(entry.name):
            yield from _folders_called(entry.path, name, depth - 1)


def _folders(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")),
                key=lambda entry: entry.name,
            )
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be read ({error.strerror}).") from error


def _split_of_folder(folder: Path) -> Split:
    """Find the split in the names of the folders above aac or mp4, such as test or vox2_test."""
    return "test" if any("test" in part.lower() for part in folder.parts[:-3]) else "train"


def _tell(sources: list[Source], strange: list[str], speakers: Speakers, reporter: Reporter) -> None:
    people: dict[Split, set[str]] = {"train": set(), "test": set()}
    for source in sources:
        people[source.split].add(source.speaker)
    counts = Counter(source.split for source in sources)
    reporter.note(
        "VoxCeleb2 has 1,092,009 utterances of 5,994 speakers in dev (here train) and 36,237 of 118 in test; "
        f"found: {counts['train']:,} of {len(people['train']):,} and {counts['test']:,} of "
        f"{len(people['test']):,}. The set has no labels of emotion: all are neutral at level 0."
    )
    if not speakers.split:
        reporter.note(
            f"Without {_TABLE} in ROOT: test is what lies in folders called so, sexes are not known."
        )
    tell_left_out(
        reporter,
        "files and folders of other names, or that are there twice",
        sorted(strange),
        one="file or folder of another name, or that is there twice",
    )
    recipes = (source.recipe for source in sources)
    if silent := sum(isinstance(recipe, FilmedFile) and recipe.sound is None for recipe in recipes):
        reporter.warn(f"No sound in aac: {counted(silent, 'film')}, whose own is read.")
