"""The table of captured faces from prepared data sets: what is read, what is fitted, what is held out.

Films of GRID are prepared by `talk preprocess video --keep-pose`; their names tell their words, which the
aligner finds in the sound. `fitted` films decide the visemes, `held_out` ones are reported beside them.
Hand-made curves of FACEGOOD (`talk preprocess facegood`) say how jaw and lips go together. Takes of Live Link
Face, without sound, are read as they are recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkcli.engine.audio.align import Aligner
from talkcli.engine.data.clips import load_clips
from talkcli.engine.errors import InputError
from talkcli.engine.face.captured import Captured, CapturedSet, PhoneValues, Use
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.files import atomic_path
from talkcli.engine.pipelines.captured.gains import fitted_gains
from talkcli.engine.pipelines.captured.phones import Said, jaw_of_gap, phone_values, rounded, windows
from talkcli.engine.pipelines.captured.whole_face import Face, whole_face
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.prepare.adapters.grid import words_of_name
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.types import MODEL_FPS, Alignment, Clip, Motion, Reporter, Speech

# Takes of Live Link Face whose name says that an actor shows the range of motion, which nobody does in talk.
_RANGE_OF_MOTION = "rom"
# Length in seconds of the parts into which long takes are cut, so that deviations are those of sentences.
_PART_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Sets:
    """Folders to read; None for those that are not there."""

    fitted: Path
    """Prepared films of GRID whose phones the visemes follow."""
    held_out: Path | None = None
    """Prepared films of GRID that are reported only."""
    curves: Path | None = None
    """Prepared clips of FACEGOOD."""
    live_link: Sequence[Path] = ()
    """Folders with CSV of Live Link Face at any depth."""


@dataclass(frozen=True, kw_only=True)
class SpokenFilm:
    """A film with its measured motion and, where the aligner found its words, their phones."""

    speech: Speech
    take: Measured
    alignment: Alignment | None


def films(folder: Path, reporter: Reporter) -> list[SpokenFilm]:
    """Return the prepared films below `folder`, in the order of the manifest.

    Raises InputError for names that are not GRID's, and for clips without sound or motion of ada.
    """
    aligner, found = Aligner(), []
    for clip in load_clips(folder, None, reporter):
        words = words_of_name(Path(clip.id).name)
        if words is None:
            raise InputError(f"Clip {clip.id}: its name does not tell words, as GRID's do.")
        assert clip.speech is not None
        alignment = aligner.align(clip.speech, words)
        if alignment.method == "energy":
            reporter.note(f"{clip.id}: its words were not found, so that only its face counts.")
        found.append(
            SpokenFilm(
                speech=clip.speech,
                take=_measured(_ada(clip)),
                alignment=None if alignment.method == "energy" else alignment,
            )
        )
    return found


def live_link_parts(folders: Sequence[Path], reporter: Reporter) -> Iterator[Motion]:
    """Yield the takes below `folders` in parts of 10 s at 25 fps, in order of paths; shorter rests are left
    out, and so are takes whose names say that they show the range of motion.
    """
    for path in sorted(path for folder in folders for path in folder.rglob("*.csv")):
        if _RANGE_OF_MOTION in path.stem.lower().split("_"):
            reporter.note(f"{path.name} shows a range of motion and is left out.")
            continue
        motion = Surface(read_take(path).motion, load_head("ada")).at(float(MODEL_FPS)).motion
        assert isinstance(motion, Motion)
        length = round(_PART_S * MODEL_FPS)
        for first in range(0, len(motion.coeffs) - length + 1, length):
            yield _part(motion, first, first + length)


def make_table(sets: Sets, reporter: Reporter) -> Captured:
    """Return the table of `sets`, the same for the same input."""
    sources, phones, window, jaw, faces = {}, {}, {}, {}, {}
    fitted = films(sets.fitted, reporter)
    read: dict[str, tuple[list[SpokenFilm], Use]] = {"grid_s1": (fitted, "fitted")}
    if sets.held_out is not None:
        read["grid"] = (films(sets.held_out, reporter), "held out")
    neighbours: dict[str, PhoneValues] = {}
    for name, (these, use) in read.items():
        filmed = [Said(take=film.take, alignment=film.alignment) for film in these if film.alignment]
        phones[name], beside = phone_values(filmed)
        neighbours = neighbours or beside
        window[name] = windows(filmed)
        jaw[name] = jaw_of_gap(film.take for film in these)
        faces[name] = whole_face(Face(take=film.take, speech=film.speech) for film in these)
        sources[name] = _source([film.take for film in these], use)
    if sets.curves is not None:
        takes = [_measured(_ada(clip)) for clip in load_clips(sets.curves, None, reporter)]
        jaw["facegood"] = jaw_of_gap(takes)
        sources["facegood"] = _source(takes, "jaw and lips")
    if sets.live_link:
        takes = [_measured(part) for part in live_link_parts(sets.live_link, reporter)]
        faces["live_link"] = whole_face(Face(take=take) for take in takes)
        sources["live_link"] = _source(takes, "whole face")
    words = [(film.speech, film.alignment) for film in fitted if film.alignment]
    return Captured(
        sources=sources,
        phones=phones,
        neighbours=neighbours,
        windows_s=window,
        jaw_of_gap=jaw,
        whole_face=faces,
        gains=fitted_gains(phones["grid_s1"], words),
    )


def write_table(table: Captured, out: Path) -> None:
    """Write the table as JSON with sorted keys, one line per entry; the file appears whole or not at all."""
    rows = table.model_dump(mode="json")
    lines = []
    for section in sorted(rows):
        entries = ",\n  ".join(
            f"{json.dumps(key)}: {json.dumps(value, sort_keys=True, separators=(',', ':'))}"
            for key, value in sorted(rows[section].items())
        )
        lines.append(f" {json.dumps(section)}: {{\n  {entries}\n }}")
    with atomic_path(out) as temporary:
        temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _source(takes: Sequence[Measured], use: Use) -> CapturedSet:
    seconds = sum(take.num_frames / take.fps for take in takes)
    return CapturedSet(clips=len(takes), seconds=rounded(seconds, 1), use=use)


def _measured(motion: Motion) -> Measured:
    return Measured(Surface(motion, load_head("ada")))


def _ada(clip: Clip) -> Motion:
    if not isinstance(clip.motion, Motion) or clip.motion.head != "ada":
        raise InputError(f"Clip {clip.id} has no motion of ada.")
    return clip.motion


def _part(motion: Motion, first: int, last: int) -> Motion:
    pose = None if motion.pose is None else motion.pose[first:last]
    coeffs = np.ascontiguousarray(motion.coeffs[first:last])
    return Motion(coeffs=coeffs, fps=motion.fps, head=motion.head, channels=motion.channels, pose=pose)
