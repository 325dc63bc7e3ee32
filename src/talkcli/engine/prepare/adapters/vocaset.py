"""VOCASET: twelve people read forty sentences each; 5,023 vertices of FLAME at 60 fps, and sound.

Two forms are read: the authors' four files (all vertices in one array, sound, templates and the index of
frames in pickles of Python 2), and the wav and npy files that trainers make of them (vertex_files.py). Axis
names: `frames` at 60 fps, `verts` = 5023, `samples`, `channels`.
Source: Cudeiro et al. 2019, "Capture, Learning, and Synthesis of 3D Speaking Styles", whose split it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeGuard

import numpy as np
import soxr
from jaxtyping import Float

from talkcli.engine.audio.gathering import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from talkcli.engine.data.manifest import Split
from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.face.heads import flame_path
from talkcli.engine.face.template import read_templates
from talkcli.engine.face.vertex_motion import between_frames
from talkcli.engine.prepare.adapters.vertex_files import (
    LONGEST_S,
    SOUND,
    TEMPLATES,
    VERTICES,
    VertexSet,
    mesh_of,
    recipe_of,
    recorded,
    stems_of,
)
from talkcli.engine.prepare.labels import UNLABELLED
from talkcli.engine.prepare.names import Unusable, tell_left_out, tell_missing
from talkcli.engine.prepare.source import Recipe, Recording, Source
from talkcli.engine.readers.npy import map_array
from talkcli.engine.readers.safe_pickle import StoredArray, read_pickle
from talkcli.engine.types import SPEECH_RATE_HZ, Reporter, Speech
from talkcli.engine.wording import counted, some

LICENCE = "VOCASET's own terms, research only"
FLAME = VertexSet(name="flame", fps=60.0)
ALL_VERTICES, ALL_SOUND, INDEX = "data_verts.npy", "raw_audio_fixed.pkl", "subj_seq_to_idx.pkl"
Sentences = Literal["published", "all"]
_SUBJECTS: dict[Split, str] = {
    "train": "170728_03272 170904_00128 170725_00137 170915_00223 170811_03274 170913_03279 170904_03276"
    " 170912_03278",
    "val": "170811_03275 170908_03277",
    "test": "170809_00138 170731_00024",
}
SPLIT_OF_SUBJECT: dict[str, Split] = {
    f"FaceTalk_{name}_TA": split for split, names in _SUBJECTS.items() for name in names.split()
}
SENTENCES = tuple(f"sentence{number:02d}" for number in range(1, 41))
# Who validates and tests reads the second half; the first is what those who train have in common.
_PUBLISHED: dict[Split, Sequence[str]] = {"train": SENTENCES, "val": SENTENCES[20:], "test": SENTENCES[20:]}
# The published files lack their vertices.
ABSENT = ("FaceTalk_170811_03274_TA_sentence24", "FaceTalk_170809_00138_TA_sentence32")
_NAME = re.compile(r"(FaceTalk_\d{6}_\d{5}_TA)_(sentence\d\d)")
_FOLDERS = (".", "trainingdata", "training_data", "VOCASET", "vocaset")
_LONGEST_GAP_S = 0.2
_FULL_SCALE = 1 << 15
_MOST_CHANNELS = 8
_HINT = (
    f"Expected in ROOT: {ALL_VERTICES}, {ALL_SOUND}, {INDEX} and {TEMPLATES} of VOCASET's training data; or "
    f"{VERTICES}/FaceTalk_170725_00137_TA_sentence01.npy, the same .wav in {SOUND}/, and {TEMPLATES}."
)


@dataclass(frozen=True, kw_only=True)
class VocasetFrames:
    """A clip's rows in the array of all vertices, and its sound and template, which stay in their pickles."""

    vertices: Path
    rows: tuple[int, ...]
    numbers: tuple[int, ...]
    """When each row was taken, counted in frames from the beginning of the sound; rising."""
    sound: StoredArray
    rate_hz: int
    neutral: StoredArray
    flame: Path | None = None
    """The FLAME model whose coefficients are wanted too."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.vertices, self.sound.path, self.neutral.path, *([self.flame] if self.flame else []))

    def make(self, source: Source) -> Recording:  # noqa: ARG002  everything is there already
        rows = _map_vertices(self.vertices)
        if max(self.rows) >= len(rows):
            raise InputError(
                f"{self.vertices} has {counted(len(rows), 'row')}, {max(self.rows)} is asked for."
            )
        with np.errstate(over="ignore", invalid="ignore"):
            vertices = np.asarray(rows[list(self.rows)], dtype=np.float32)
        if self.numbers != tuple(range(len(self.numbers))):
            wanted = np.arange(self.numbers[-1] + 1)
            at = np.interp(wanted, self.numbers, np.arange(len(self.numbers)))
            vertices = between_frames(vertices, at)
        mesh = mesh_of(vertices, self.neutral, FLAME)
        return recorded(_speech(self.sound, self.rate_hz), mesh, self.flame)


def vocaset_sources(
    root: Path, reporter: Reporter, *, sentences: Sentences = "published", coefficients: bool = False
) -> list[Source]:
    """Return the sentences of the published split, or all forty of everybody, in order of their ids; with
    `coefficients` FLAME's are fitted to the vertices.

    A sentence of which a part is missing is among them and says so; those that are not there at all are
    told. Raises InputError when neither form is there, or a file they have in common cannot be read, and
    AssetError when there is no FLAME model to fit.
    """
    flame = _flame() if coefficients else None
    folder = next((root / name for name in _FOLDERS if _form(root / name)), None)
    if folder is None:
        raise InputError(
            f"{root} is not VOCASET: neither {ALL_VERTICES} nor {VERTICES} is in it.", hint=_HINT
        )
    if _form(folder) == "authors":
        if (folder / VERTICES).is_dir():
            reporter.note(f"{folder} holds both forms of VOCASET; {ALL_VERTICES} is read.")
        recipes = _authors_recipes(folder, flame)
    else:
        templates = read_templates(_there(folder / TEMPLATES))
        recipes = {
            stem: recipe_of(folder, stem, templates.get(stem.rpartition("_")[0]), FLAME, flame)
            for stem in stems_of(folder)
        }
    sources = _sources(recipes, sentences, reporter)
    if not sources:
        raise InputError(
            f"None of {counted(len(recipes), 'clip')} in {folder} is one of VOCASET.", hint=_HINT
        )
    return sources


def _flame() -> Path:
    path = flame_path()
    if path is None:
        raise AssetError(
            "`coefficients` needs the FLAME model, which is not here.",
            hint="Register at https://flame.is.tue.mpg.de and set TALK_FLAME=/path/to/generic_model.pkl.",
        )
    return path


def _form(folder: Path) -> str | None:
    if (folder / ALL_VERTICES).is_file():
        return "authors"
    return "files" if (folder / VERTICES).is_dir() and (folder / SOUND).is_dir() else None


def _there(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path} is missing.", hint=_HINT)
    return path


def _sources(recipes: Mapping[str, Recipe], sentences: Sentences, reporter: Reporter) -> list[Source]:
    named = {stem: match.groups() for stem in recipes if (match := _NAME.fullmatch(stem))}
    known = {
        stem: subject
        for stem, (subject, sentence) in named.items()
        if subject in SPLIT_OF_SUBJECT and sentence in SENTENCES
    }
    # Names of a pickle may hold anything, and go to a terminal.
    foreign = [ascii(stem)[1:-1] for stem in sorted(recipes.keys() - known.keys())]
    tell_left_out(
        reporter, "clips that VOCASET does not have", foreign, one="clip that VOCASET does not have"
    )
    wanted = [
        f"{subject}_{sentence}"
        for subject, split in SPLIT_OF_SUBJECT.items()
        for sentence in (_PUBLISHED[split] if sentences == "published" else SENTENCES)
    ]
    there = [stem for stem in wanted if stem in known]
    published = " (`sentences=all` reads the others)" if sentences == "published" else ""
    reporter.note(
        f"VOCASET has {len(SPLIT_OF_SUBJECT)} speakers with {len(SENTENCES)} sentences each, of which "
        f"{len(wanted)} are asked for{published}; found: "
        f"{counted(len({known[stem] for stem in there}), 'speaker')} and "
        f"{counted(len(there), 'sentence')}, and {len(known) - len(there)} that are not asked for."
    )
    absent = [stem for stem in wanted if stem not in known]
    if expected := [stem for stem in absent if stem in ABSENT]:
        reporter.note(f"Not there, as in the published files: {some(expected)}.")
    missing = [stem for stem in absent if stem not in ABSENT]
    tell_missing(reporter, f"of {counted(len(wanted), 'sentence')}", missing)
    return [
        Source(
            id=f"vocaset/{stem}",
            speaker=f"vocaset-{known[stem]}",
            # Read without an emotion, and labelled with none.
            emotion=UNLABELLED,
            split=SPLIT_OF_SUBJECT[known[stem]],
            licence=LICENCE,
            recipe=recipes[stem],
        )
        for stem in sorted(there)
    ]


def _authors_recipes(folder: Path, flame: Path | None) -> dict[str, Recipe]:
    vertices = folder / ALL_VERTICES
    num_rows = len(_map_vertices(vertices))
    index = _by_sentence(folder / INDEX, read_pickle(_there(folder / INDEX)))
    sounds = _by_sentence(folder / ALL_SOUND, read_pickle(_there(folder / ALL_SOUND), in_place=True))
    templates = read_templates(_there(folder / TEMPLATES))
    recipes: dict[str, Recipe] = {}
    # Without rows a sentence is not there: the sound holds more than the vertices do.
    for (subject, sentence), frames in index.items():
        try:
            rows, numbers = _rows(frames, num_rows)
            sound, rate_hz = _sound(sounds.get((subject, sentence)))
            if subject not in templates:
                raise InputError(f"{TEMPLATES} has no template of its subject.")
            recipe: Recipe = VocasetFrames(
                vertices=vertices,
                rows=rows,
                numbers=numbers,
                sound=sound,
                rate_hz=rate_hz,
                neutral=templates[subject],
                flame=flame,
            )
        except InputError as error:
            recipe = Unusable(reason=error.problem)
        recipes[f"{subject}_{sentence}"] = recipe
    return recipes


def _by_sentence(path: Path, content: Any) -> dict[tuple[str, str], Any]:
    """Return what a dictionary of subjects, of dictionaries of sentences, holds of each."""
    if not isinstance(content, dict) or not all(isinstance(value, dict) for value in content.values()):
        raise InputError(f"{path} is no dictionary of subjects and their sentences.", hint=_HINT)
    return {
        (str(subject), str(sentence)): value
        for subject, sentences in content.items()
        for sentence, value in sentences.items()
    }


def _map_vertices(path: Path) -> Float[np.ndarray, "rows verts 3"]:
    rows = map_array(path)
    if rows.dtype.kind != "f" or rows.shape[1:] != (FLAME.num_verts, 3):
        raise InputError(
            f"{path} holds {rows.dtype} of shape {rows.shape}, floats of (rows, 5023, 3) are needed.",
            hint=_HINT,
        )
    return rows


def _rows(frames: Any, num_rows: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return rows of the array in order of time, and the numbers of their frames."""
    if not isinstance(frames, dict) or not frames:
        raise InputError(f"{INDEX} holds no frames of it.")
    pairs = sorted(frames.items()) if all(map(_is_count, frames)) else []
    if not pairs or not all(_is_count(row) and row < num_rows for _, row in pairs):
        raise InputError(
            f"{INDEX} names frames or rows of it that are not there ({ALL_VERTICES}: {num_rows})."
        )
    numbers = tuple(int(number) for number, _ in pairs)
    if numbers[-1] >= LONGEST_S * FLAME.fps:
        raise InputError(f"{INDEX} gives it {counted(numbers[-1] + 1, 'frame')}, more than {LONGEST_S} s.")
    gap = int(max(np.diff([-1, *numbers]))) - 1
    if gap > _LONGEST_GAP_S * FLAME.fps:
        raise InputError(
            f"{INDEX} lacks {counted(gap, 'frame')} of it in a row, more than {_LONGEST_GAP_S} s."
        )
    return tuple(int(row) for _, row in pairs), numbers


def _is_count(value: Any) -> TypeGuard[int | np.integer]:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) >= 0


def _sound(content: Any) -> tuple[StoredArray, int]:
    """Return samples and their rate."""
    if content is None:
        raise InputError(f"There is no sound of it in {ALL_SOUND}.")
    samples, rate = (
        content.get(key) if isinstance(content, dict) else None for key in ("audio", "sample_rate")
    )
    if not isinstance(samples, StoredArray) or not _is_count(rate):
        raise InputError(f"{ALL_SOUND} holds no samples of it, or not their rate.")
    rate_hz = int(rate)
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise InputError(f"{ALL_SOUND} gives its sound a rate of {rate_hz} Hz.")
    length, channels = (*samples.shape, 1)[:2] if len(samples.shape) in (1, 2) else (0, 0)
    if not 0 < length <= LONGEST_S * rate_hz or not 0 < channels <= _MOST_CHANNELS:
        raise InputError(f"{ALL_SOUND} holds its sound as {samples.shape}, up to {LONGEST_S} s are expected.")
    return samples, rate_hz


def _speech(sound: StoredArray, rate_hz: int) -> Speech:
    """Return mono at 16 kHz of samples on the scale of 16 bits, whatever their type."""
    samples = sound.read().astype(np.float64)
    mono = samples.reshape(len(samples), -1).mean(axis=1) / _FULL_SCALE
    peak = float(np.abs(mono).max())
    if not 1 / _FULL_SCALE < peak <= 1:
        raise InputError(
            f"{ALL_SOUND} holds its sound with a peak of {peak * _FULL_SCALE:.3g}, of 32768 at most."
        )
    resampled = soxr.resample(mono.astype(np.float32), rate_hz, SPEECH_RATE_HZ, quality="HQ")
    # The resampler's ringing may pass full scale by a hair.
    return Speech(samples=np.clip(resampled, -1, 1))
