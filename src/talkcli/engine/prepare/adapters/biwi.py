"""BIWI, the corpus B3D(AC)2: fourteen people speak forty sentences with feeling; 23,370 vertices at 25 fps.

Read is the form that trainers of vertex models made of it (vertex_files.py): F2_e01.wav and F2_e01.npy, e for
emotional, F and M for the subject's sex. Axis names: `frames` at 25 fps, `verts` = 23370.
Source: Fanelli et al. 2010, "A 3-D Audio-Visual Corpus of Affective Communication", doi
10.1109/TMM.2010.2052239; splits as published with FaceFormer (Fan et al. 2022).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from talkcli.engine.data.manifest import Sex, Split
from talkcli.engine.errors import InputError
from talkcli.engine.face.template import read_templates
from talkcli.engine.prepare.adapters.vertex_files import (
    SOUND,
    TEMPLATES,
    VERTICES,
    VertexSet,
    recipe_of,
    stems_of,
)
from talkcli.engine.prepare.labels import UNLABELLED
from talkcli.engine.prepare.names import tell_left_out, tell_missing
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted, some

LICENCE = "BIWI's own terms, research only"
# Trainers scaled every subject's vertices to about 1 (0.17 to 0.2 m): no unit is stated.
BIWI = VertexSet(name="biwi", fps=25.0)
TestSet = Literal["a", "b"]
SEEN = ("F2", "F3", "F4", "M3", "M4", "M5")
UNSEEN = ("F1", "F5", "F6", "F7", "F8", "M1", "M2", "M6")
_TRAIN, _VAL, _TEST = range(1, 33), range(33, 37), range(37, 41)
# The corpus itself lacks them, those that no split asks for left out.
ABSENT = ("F3_e02", "F3_e03")
# Vertices of the lips and of the upper face, for the lip vertex error and the upper face's dynamics.
REGIONS = {"lve": 4_996, "fdd": 7_784}
_NAME = re.compile(r"([FM][1-8])_(e?)(\d\d)")
_LARGEST_LIST_BYTES = 1 << 20
_HINT = (
    f"Expected in ROOT: {VERTICES}/F2_e01.npy of (frames, 70110), {SOUND}/F2_e01.wav and {TEMPLATES}. The "
    "scans of the corpus itself are not read."
)


@dataclass(frozen=True, kw_only=True)
class BiwiName:
    """What a file's name says."""

    stem: str
    subject: str
    is_marked: bool
    """Whether the name has the e of the emotional recordings."""
    sentence: int

    @property
    def sex(self) -> Sex:
        return "female" if self.subject[0] == "F" else "male"


def biwi_sources(root: Path, reporter: Reporter, *, test: TestSet = "a") -> list[Source]:
    """Return the emotional sentences of the published split, in order of their ids.

    Six subjects train with sentences 1 to 32 and validate with 33 to 36. `test` a is sentences 37 to 40 of
    the same six, b the same sentences of the other eight. A sentence of which a part is missing is among them
    and says so. Raises InputError when the files are not there or templates.pkl cannot be read.
    """
    folder = next((path for path in (root, root / "BIWI", root / "biwi") if (path / VERTICES).is_dir()), None)
    if folder is None or not (folder / SOUND).is_dir():
        raise InputError(f"{root} is not BIWI: {VERTICES} and {SOUND} are not both in it.", hint=_HINT)
    if not (folder / TEMPLATES).is_file():
        raise InputError(f"{folder / TEMPLATES} is missing.", hint=_HINT)
    templates = read_templates(folder / TEMPLATES)
    _check_regions(folder / "regions", reporter)
    stems = stems_of(folder)
    read = [_parse(stem) for stem in stems]
    names = [name for name in read if name is not None]
    foreign = [stem for stem, name in zip(stems, read, strict=True) if name is None]
    tell_left_out(reporter, "clips that BIWI does not have", foreign, one="clip that BIWI does not have")
    emotional = _emotional(names, reporter)
    split_of = {(subject, sentence): split for subject, sentence, split in _published(test)}
    chosen = [name for name in emotional if (name.subject, name.sentence) in split_of]
    if not chosen:
        raise InputError(
            f"None of {counted(len(stems), 'clip')} in {folder} is one of the split.", hint=_HINT
        )
    reporter.note(
        f"BIWI's published split with test set {test} has {len(split_of)} sentences of "
        f"{len({subject for subject, _ in split_of})} speakers; found: {len(chosen)} of "
        f"{len({name.subject for name in chosen})}, and {len(emotional) - len(chosen)} that it does not use."
    )
    _tell_missing(chosen, split_of, reporter)
    return [
        Source(
            id=f"biwi/{name.stem}",
            speaker=f"biwi-{name.subject}",
            # Spoken with some feeling, and nobody says which.
            emotion=UNLABELLED,
            split=split_of[name.subject, name.sentence],
            licence=LICENCE,
            recipe=recipe_of(folder, name.stem, templates.get(name.subject), BIWI),
            sex=name.sex,
        )
        for name in chosen
    ]


def _parse(stem: str) -> BiwiName | None:
    match = _NAME.fullmatch(stem)
    if match is None or match[1] not in (*SEEN, *UNSEEN) or int(match[3]) not in range(1, 41):
        return None
    return BiwiName(stem=stem, subject=match[1], is_marked=bool(match[2]), sentence=int(match[3]))


def _published(test: TestSet) -> Iterable[tuple[str, int, Split]]:
    for subject in SEEN:
        yield from ((subject, sentence, "train") for sentence in _TRAIN)
        yield from ((subject, sentence, "val") for sentence in _VAL)
    for subject in SEEN if test == "a" else UNSEEN:
        yield from ((subject, sentence, "test") for sentence in _TEST)


def _emotional(names: list[BiwiName], reporter: Reporter) -> list[BiwiName]:
    """Return the emotional recordings, from whose names FaceDiffuser's preparation removes the e; the
    corpus has neutral recordings without one.
    """
    marked = [name for name in names if name.is_marked]
    if names and not marked:
        reporter.warn(
            f"No name has the e of the emotional recordings: all {len(names)} are taken for them, as "
            "FaceDiffuser names them. The corpus itself names its neutral recordings so."
        )
        return names
    if neutral := len(names) - len(marked):
        reporter.note(f"Left out {counted(neutral, 'neutral recording')}, which no published split uses.")
    return marked


def _tell_missing(chosen: list[BiwiName], split_of: dict[tuple[str, int], Split], reporter: Reporter) -> None:
    there = {(name.subject, name.sentence) for name in chosen}
    absent = [f"{subject}_e{sentence:02d}" for subject, sentence in split_of.keys() - there]
    if expected := sorted(set(absent) & set(ABSENT)):
        reporter.note(f"Not there, as in the corpus itself: {some(expected)}.")
    tell_missing(reporter, f"of {len(split_of)} sentences", sorted(set(absent) - set(ABSENT)))


def _check_regions(folder: Path, reporter: Reporter) -> None:
    """Say which lists of vertices, that scores are computed on, are not the published ones."""
    for name, count in REGIONS.items():
        path = folder / f"{name}.txt"
        if not path.is_file():
            continue
        fits = path.stat().st_size <= _LARGEST_LIST_BYTES
        words = path.read_text(encoding="utf-8", errors="replace").replace(",", " ").split() if fits else []
        indices = [int(word) for word in words if re.fullmatch(r"\d{1,5}", word, re.ASCII)]
        if len(words) != count or len(indices) != count or max(indices) >= BIWI.num_verts:
            reporter.warn(f"{path} is no list of {count} of {BIWI.num_verts} vertices.")
