"""AffectNet's pictures as FLAME codes of EMOCA, with the annotators' labels: data for a classifier.

The data set has no sound; the pictures of one label become the frames of one clip. Labels are in training.csv
and validation.csv, or in train_set and val_set as annotations/NUMBER_exp.npy. EMOCA writes a folder of codes
for each picture, with exp.npy (50) and pose.npy (6: global rotation, jaw). Source: Mollahosseini et al.
(2017), AffectNet; EMOCA's demo writes the codes; DEEPTalk trains its classifier on them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from talkcli.engine.data.manifest import Split
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.emoca_codes import BY_EMOCA, EXPRESSION, POSE, read_codes
from talkcli.engine.prepare.flame_motion import join_motions
from talkcli.engine.prepare.folders import folders_below
from talkcli.engine.prepare.labels import EMOTION_OF_AFFECTNET, UNTOLD_LEVEL
from talkcli.engine.prepare.names import files_below, tell_left_out
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.readers.npy import read_header
from talkcli.engine.readers.regular import open_file
from talkcli.engine.readers.text import csv_rows
from talkcli.engine.types import MODEL_FPS, Emotion, Reporter
from talkcli.engine.wording import counted

LICENCE = "AffectNet's own terms, research only"
CSV_OF_SPLIT: dict[Split, str] = {"train": "training.csv", "val": "validation.csv"}
SET_OF_SPLIT: dict[Split, str] = {"train": "train_set", "val": "val_set"}
CODES, ANNOTATIONS = "codes", "annotations"
PICTURES_A_CLIP = 1000
# Number of pictures with codes on which DEEPTalk trained its classifier.
NUM_TRAINING = 287_430
_LABEL_FILE = "_exp.npy"
# Columns in the authors' order, for the one of the two lists that has no header.
_COLUMNS = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks",
    "expression", "valence", "arousal",
)  # fmt: skip
_NEEDED = ("subDirectory_filePath", "expression")
# Label numbers without an emotion: none, uncertain, no face.
_NO_LABEL = range(8, 11)
_LONGEST_LABEL = 64
_HINT = (
    f"Expected in ROOT: {' and '.join(CSV_OF_SPLIT.values())}, or train_set/{ANNOTATIONS}/0{_LABEL_FILE} and "
    f"val_set/...; and codes of EMOCA in ROOT/{CODES} or `codes=FOLDER`, a folder for each picture, called "
    f"as it, with {EXPRESSION} and {POSE}."
)


@dataclass(frozen=True, kw_only=True, order=True)
class Picture:
    """A labelled picture; `place` is its subfolder, or train_set or val_set."""

    split: Split
    emotion: str
    place: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The recipe of a clip: folders of codes, one for each picture."""

    folders: tuple[Path, ...]

    @property
    def inputs(self) -> tuple[Path, ...]:
        return tuple(folder / name for folder in self.folders for name in (EXPRESSION, POSE))

    def make(self, source: Source) -> Recording:  # noqa: ARG002  the labels chose the pictures
        """Return motion with one frame per picture.

        The report names damaged pictures, which are left out. Raises InputError when all are damaged.
        """
        motions, damaged = [], []
        for folder in self.folders:
            try:
                motions.append(read_codes(folder, float(MODEL_FPS)))
            except InputError as error:
                damaged.append(error.problem)
        if not motions:
            raise InputError(
                f"None of {counted(len(self.folders), 'picture')} can be read; the first: {damaged[0]}"
            )
        report: dict[str, float | int | str | None] = {"pictures": len(motions)}
        if damaged:
            report["unread"] = f"{len(damaged)} of {len(self.folders)}: {' '.join(damaged)}"
        return Recording(motion=join_motions(motions), origin=BY_EMOCA, report=report)


def affectnet_sources(root: Path, reporter: Reporter, *, codes: Path | None = None) -> list[Source]:
    """Return clips of up to 1,000 pictures of one label and split, in order of ids.

    `codes` is the folder of EMOCA's codes; None: ROOT/codes. `reporter` receives what is left out and
    missing. Raises InputError when there are no labels or no codes, or no picture has both.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.", hint=_HINT)
    pictures = list(_annotated(root, reporter) or _listed(root, reporter))
    folders = _folders(codes or root / CODES, reporter)
    clips: dict[tuple[Split, str], list[Path]] = defaultdict(list)
    without = []
    for picture in sorted(pictures):
        folder = _folder_of(picture, folders)
        if folder is None:
            without.append(f"{picture.place}/{picture.name}")
        else:
            clips[picture.split, picture.emotion].append(folder)
    tell_left_out(reporter, f"of {counted(len(pictures), 'picture')} without codes", without)
    if not clips:
        raise InputError(
            f"None of {counted(len(folders), 'folder')} of codes has the name of one of "
            f"{counted(len(pictures), 'picture')}.",
            hint=_HINT,
        )
    reporter.note(
        f"AffectNet's training part has {NUM_TRAINING:,} pictures with codes in DEEPTalk's count; found: "
        + ", ".join(f"{split} {emotion} {len(clips[split, emotion])}" for split, emotion in sorted(clips))
    )
    return [
        _source(key, index, chunk) for key in sorted(clips) for index, chunk in enumerate(_chunks(clips[key]))
    ]


def _source(key: tuple[Split, str], index: int, folders: Sequence[Path]) -> Source:
    split, emotion = key
    return Source(
        id=f"affectnet/{split}-{emotion}-{index:03d}",
        # AffectNet does not name the people in its pictures.
        speaker=f"affectnet-{split}",
        emotion=Emotion(label=emotion, level=UNTOLD_LEVEL),
        split=split,
        licence=LICENCE,
        recipe=Pictures(folders=tuple(folders)),
        still=True,
    )


def _chunks(folders: Sequence[Path]) -> Iterator[Sequence[Path]]:
    for start in range(0, len(folders), PICTURES_A_CLIP):
        yield folders[start : start + PICTURES_A_CLIP]


def _folders(codes: Path, reporter: Reporter) -> dict[str, list[Path]]:
    """Return the folders below `codes` that have both files, by their names."""
    if not codes.is_dir():
        raise InputError(f"There are no codes: {codes} is not a folder.", hint=_HINT)
    folders: dict[str, list[Path]] = defaultdict(list)
    halves = []
    for path, names in folders_below(codes):
        there = {EXPRESSION, POSE} & set(names)
        if len(there) == 2:
            folders[path.name].append(path)
        elif there:
            halves.append(str(path))
    tell_left_out(
        reporter,
        "folders of codes that lack a file",
        sorted(halves),
        one="folder of codes that lacks a file",
    )
    if not folders:
        raise InputError(f"{codes} holds no folder with {EXPRESSION} and {POSE}.", hint=_HINT)
    return folders


def _folder_of(picture: Picture, folders: Mapping[str, list[Path]]) -> Path | None:
    """Return the codes of the picture's first face; None if there are none, or several folders fit."""
    # EMOCA numbers the faces of a picture.
    candidates = folders.get(picture.name) or folders.get(f"{picture.name}00") or []
    at_place = [folder for folder in candidates if picture.place in folder.parts]
    if picture.place in SET_OF_SPLIT.values():
        # Both sets number their pictures from 0, so the name alone is ambiguous.
        candidates = at_place
    chosen = at_place if len(candidates) > 1 else candidates
    return chosen[0] if len(chosen) == 1 else None


def _annotated(root: Path, reporter: Reporter) -> list[Picture]:
    """Return the pictures of train_set and val_set; none when these folders are missing."""
    pictures, numbers, damaged = [], Counter[int](), []
    for split, place in SET_OF_SPLIT.items():
        folder = root / place / ANNOTATIONS
        for path in files_below(folder, (_LABEL_FILE,)) if folder.is_dir() else []:
            try:
                number = read_label(path)
            except InputError as error:
                damaged.append(error.problem)
                continue
            numbers[number] += 1
            if number in EMOTION_OF_AFFECTNET:
                name = path.name.removesuffix(_LABEL_FILE)
                pictures.append(
                    Picture(split=split, emotion=EMOTION_OF_AFFECTNET[number], place=place, name=name)
                )
    _tell(numbers, damaged, reporter)
    return pictures


def _listed(root: Path, reporter: Reporter) -> list[Picture]:
    """Return the pictures in both lists."""
    pictures, numbers, damaged = [], Counter[int](), []
    for split, name in CSV_OF_SPLIT.items():
        found = [
            path for pattern in (name, f"*/{name}", f"*/*/{name}") for path in sorted(root.glob(pattern))
        ]
        if not found:
            raise InputError(f"{root} holds neither {name} nor {SET_OF_SPLIT[split]}.", hint=_HINT)
        for where, place, number in _rows(found[0]):
            if number is None:
                damaged.append(where)
                continue
            numbers[number] += 1
            if number in EMOTION_OF_AFFECTNET:
                picture = PurePosixPath(place)
                pictures.append(
                    Picture(
                        split=split,
                        emotion=EMOTION_OF_AFFECTNET[number],
                        place=picture.parent.name,
                        name=picture.name.split(".")[0],
                    )
                )
    _tell(numbers, damaged, reporter)
    return pictures


def _rows(path: Path) -> Iterator[tuple[str, str, int | None]]:
    """Yield the line, the picture and the label number of every row; None for an unreadable number."""
    columns: Sequence[str] = ()
    for line, row in csv_rows(path):
        if not columns:
            columns = row if set(_NEEDED) <= set(row) else _COLUMNS
            if columns is row:
                continue
            if len(row) != len(_COLUMNS):
                raise InputError(
                    f"{path}, line 1: the columns {' and '.join(_NEEDED)} are needed.", hint=_HINT
                )
        place, number = (row[columns.index(name)] if len(row) == len(columns) else "" for name in _NEEDED)
        yield f"{path.name}, line {line}", place, _number(number)


def read_label(path: Path) -> int:
    """Return the number in an annotation, stored as a number or as text.

    Raise InputError for other content.
    """
    try:
        with open_file(path) as file:
            shape, _, dtype = read_header(file)
            content = file.read(_LONGEST_LABEL + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    if math.prod(shape) != 1 or dtype.kind not in "iufUS" or len(content) != dtype.itemsize:
        raise InputError(f"{path} holds {dtype} {shape}, one number is needed.")
    value = np.frombuffer(content, dtype)[0]
    number = _number(value.decode("latin-1") if isinstance(value, bytes) else str(value))
    if number is None:
        raise InputError(f"{path} holds {value!r}, which is no label.")
    return number


def _number(text: str) -> int | None:
    whole = text.strip().removesuffix(".0")
    return int(whole) if whole.isascii() and whole.isdecimal() and len(whole) < 4 else None


def _tell(numbers: Mapping[int, int], damaged: Sequence[str], reporter: Reporter) -> None:
    unlabelled = sum(numbers.get(number, 0) for number in _NO_LABEL)
    unknown = (
        sum(numbers.values()) - unlabelled - sum(numbers.get(number, 0) for number in EMOTION_OF_AFFECTNET)
    )
    if unlabelled:
        reporter.note(
            f"Left out {counted(unlabelled, 'picture')} of no face, or of no emotion among the eight."
        )
    if unknown:
        reporter.warn(
            f"Left out {counted(unknown, 'picture')} with a label number that AffectNet does not have."
        )
    tell_left_out(reporter, "labels that cannot be read", damaged, one="label that cannot be read")
