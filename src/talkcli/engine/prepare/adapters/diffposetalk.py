"""DiffPoseTalk's HDTF_TFHP: FLAME coefficients (.npz) of talking faces with head pose at 25 fps, and sound.

The data set is published as an LMDB database of pickles: PERSON/VIDEO/metadata with n_frames, and segments
PERSON/VIDEO/000 and so on, each with `audio`, a flac file, and `coef`, for seg_len frames. The adapter also
reads the files that the authors' scripts write before packing: FLAME_coeffs/PERSON/VIDEO.npz and
audio/PERSON/VIDEO.flac, or sound beside the motion. Axis names: `frames` at 25 fps; pose is the head's
axis-angle, then the jaw's. Source: Sun et al. (2024), DiffPoseTalk, ACM TOG 43(4), and its repository.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float

from talkcli.engine.data.manifest import Split
from talkcli.engine.errors import InputError
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.flame_motion import flame_motion, join_motions
from talkcli.engine.prepare.labels import UNLABELLED
from talkcli.engine.prepare.names import Unusable, files_below, plain, tell_left_out, tell_missing
from talkcli.engine.prepare.pairs import PairedFiles, paired_sounds
from talkcli.engine.prepare.source import Recipe, Recording, Source
from talkcli.engine.readers.lmdb import read_index, read_value
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.readers.safe_pickle import parse_pickle
from talkcli.engine.readers.text import read_text
from talkcli.engine.types import (
    MODEL_FPS,
    SAMPLES_PER_FRAME,
    SPEECH_RATE_HZ,
    Motion,
    Reporter,
    Speech,
)
from talkcli.engine.wording import counted

LICENCE = "HDTF_TFHP: not stated"
COEFFS, SOUND = "FLAME_coeffs", "audio"
_DATABASE, _METADATA, _END = "data.mdb", "metadata", "/metadata"
# Most frames of a clip: an hour; clips of the set take minutes.
_MOST_FRAMES = 3600 * MODEL_FPS
# Start of the names of files with means and standard deviations of all coefficients: they are no clips.
_STATISTICS = "stats"
_SPLITS: tuple[Split, ...] = ("train", "val", "test")
_HINT = (
    f"Expected below ROOT: lmdb/{_DATABASE}; or {COEFFS}/PERSON/VIDEO.npz (arrays exp and pose) and "
    f"{SOUND}/PERSON/VIDEO.flac; or sound beside the npz."
)


class DiffPoseTalkClip(PairedFiles):
    """A clip's coefficients and its sound."""

    origin = Origin(kind="fitted")

    @staticmethod
    def read_motion(path: Path) -> Motion:
        return read_coeffs(path)


@dataclass(frozen=True, kw_only=True)
class PackedClip:
    """A clip in the database."""

    database: Path
    name: str
    """PERSON/VIDEO."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.database,)

    def make(self, source: Source) -> Recording:  # noqa: ARG002  the database holds both
        return read_packed(self.database, self.name)


def diffposetalk_sources(root: Path, reporter: Reporter) -> list[Source]:
    """Return every clip below `root` in order of ids, clips without sound included; a person is a speaker.

    If there are npz files and a database, it reads only the npz files. Splits come from train.txt, val.txt
    and test.txt, if these lie in `root`, in its folder lmdb or beside the database. Raises InputError when
    there are no clips.
    """
    files = [path for path in files_below(root, (".npz",)) if not path.stem.startswith(_STATISTICS)]
    databases = files_below(root, (_DATABASE,))
    clips = _unpacked(root, files) if files else _packed(databases)
    if not clips:
        raise InputError(f"{root} holds no npz with coefficients, and no database with clips.", hint=_HINT)
    if files and databases:
        reporter.warn(f"Read: {counted(len(files), 'npz file')}, not the database {databases[0]}.")
    splits = read_splits([root, root / "lmdb", *(path.parent for path in databases)])
    if not splits:
        reporter.warn("There are no train.txt, val.txt and test.txt: all clips go to train.")
    silent = sum(isinstance(recipe, Unusable) for _, recipe in clips)
    expected = f"The lists of splits have {counted(len(splits), 'clip')}; found" if splits else "Found"
    reporter.note(
        f"{expected}: {counted(len(clips), 'clip')}, "
        f"{len(clips) - silent} of them with sound. The set has no labels of "
        "emotion: all are neutral at level 0."
    )
    there = {_key(name) for name, _ in clips}
    tell_missing(reporter, "of the listed clips", sorted(splits.keys() - there))
    unlisted = [name for name, _ in clips if splits and _key(name) not in splits]
    tell_left_out(reporter, "clips that no split names", unlisted, one="clip that no split names")
    if len(unlisted) == len(clips):
        raise InputError(f"None of {counted(len(clips), 'clip')} below {root} is in a split.", hint=_HINT)
    return [
        Source(
            id=f"diffposetalk/{plain(name)}",
            speaker="-".join(["diffposetalk", *plain(name).split("/")[:-1]]),
            emotion=UNLABELLED,
            split=splits.get(_key(name), "train"),
            licence=LICENCE,
            recipe=recipe,
        )
        for name, recipe in clips
        if not splits or _key(name) in splits
    ]


def _unpacked(root: Path, files: Sequence[Path]) -> list[tuple[str, Recipe]]:
    clips: list[tuple[str, Recipe]] = []
    for name, coeffs, sound in paired_sounds(root, files, (COEFFS, SOUND)):
        if sound is None:
            clips.append((name, Unusable(reason=f"There is no sound of {name} beside it or in {SOUND}.")))
        else:
            clips.append((name, DiffPoseTalkClip(motion=coeffs, sound=sound)))
    return clips


def _packed(databases: Sequence[Path]) -> list[tuple[str, Recipe]]:
    return [
        (key.removesuffix(_END), PackedClip(database=database, name=key.removesuffix(_END)))
        for database in databases
        for key in read_index(database)
        if key.endswith(_END)
    ]


def read_packed(database: Path, name: str) -> Recording:
    """Return sound and motion of the clip PERSON/VIDEO. Raise InputError if a part is missing or damaged."""
    segment_frames = _number(database, _METADATA, "seg_len")
    num_frames = _number(database, f"{name}{_END}", "n_frames")
    sounds, motions = [], []
    for index in range(math.ceil(num_frames / segment_frames)):
        key = f"{name}/{index:03d}"
        part = _part(database, key)
        audio, coef = part.get("audio"), part.get("coef")
        if not isinstance(audio, bytes) or not isinstance(coef, dict):
            raise InputError(f"{database}, {key}: audio and coef are needed.")
        motions.append(_motion(f"{database}, {key}", coef))
        if sum(len(motion.coeffs) for motion in motions) > num_frames:
            raise InputError(
                f"{database}, {name}: its segments have more than {counted(num_frames, 'frame')}."
            )
        sounds.append(_sound(f"{database}, {key}", audio, len(motions[-1].coeffs)))
    motion = join_motions(motions)
    if len(motion.coeffs) != num_frames:
        raise InputError(
            f"{database}, {name}: it holds {len(motion.coeffs)} of {counted(num_frames, 'frame')}."
        )
    speech = Speech(samples=np.concatenate(sounds))
    return Recording(speech=speech, motion=motion, origin=DiffPoseTalkClip.origin)


def _part(database: Path, key: str) -> dict[str, Any]:
    place = read_index(database).get(key)
    if place is None:
        raise InputError(f"{database}: {key} is missing.")
    part = parse_pickle(read_value(database, place), database)
    if not isinstance(part, dict):
        raise InputError(f"{database}, {key}: a dictionary is needed.")
    return part


def _number(database: Path, key: str, name: str) -> int:
    value = _part(database, key).get(name)
    if not isinstance(value, int) or not 0 < value < _MOST_FRAMES:
        raise InputError(f"{database}, {key}: {name} is {value!r}, a number of frames is needed.")
    return value


def _sound(where: str, content: bytes, num_frames: int) -> Float[np.ndarray, "samples"]:
    """Return the samples of a flac file, which must last `num_frames` frames."""
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate_hz, shape = file.samplerate, (file.frames, file.channels)
            # A small file may unpack to hours of silence: check the length before unpacking.
            expected = (num_frames * SAMPLES_PER_FRAME, 1)
            samples = file.read(dtype="float32") if shape == expected else np.zeros(0, np.float32)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        raise InputError(f"{where}: audio cannot be read ({error}).") from error
    if rate_hz != SPEECH_RATE_HZ or samples.shape != expected[:1]:
        raise InputError(
            f"{where}: audio is {shape} at {rate_hz} Hz; {num_frames} frames last {expected[0]} samples at "
            f"{SPEECH_RATE_HZ} Hz."
        )
    if not np.isfinite(samples).all():
        raise InputError(f"{where}: audio has values that are not numbers.")
    return samples


def read_coeffs(path: Path) -> Motion:
    """Return the motion of an npz with exp (frames, 50) and pose (frames, 6), at 25 fps.

    Raises InputError for anything else.
    """
    return _motion(path, read_arrays(path, ("exp", "pose"), kind="clip of DiffPoseTalk", hint=_HINT))


def _motion(where: object, coef: Mapping[str, Any]) -> Motion:
    pose, expression = coef.get("pose"), coef.get("exp")
    if not isinstance(pose, np.ndarray) or not isinstance(expression, np.ndarray):
        raise InputError(f"{where}: arrays exp and pose are needed.")
    if pose.ndim != 2 or pose.shape[1] != 6:
        raise InputError(f"{where}: pose is {pose.shape}, (frames, 6) is needed.")
    return flame_motion(where, expression=expression, jaw=pose[:, 3:], pose=pose[:, :3], fps=float(MODEL_FPS))


def read_splits(folders: Iterable[Path]) -> dict[str, Split]:
    """Return the split of every clip, by its person and the number of its video.

    Raises InputError for a clip in two splits.
    """
    splits: dict[str, Split] = {}
    folders = list(dict.fromkeys(folders))
    for split in _SPLITS:
        for folder in folders:
            path = folder / f"{split}.txt"
            if not path.is_file():
                continue
            for name in read_text(path).split():
                if splits.setdefault(_key(name), split) != split:
                    raise InputError(f"{path} names {name}, which is in {splits[_key(name)]} as well.")
    return splits


def _key(name: str) -> str:
    """Return PERSON/NUMBER with the number's leading zeros removed."""
    person, _, video = name.rpartition("/")
    return f"{person}/{video.lstrip('0') or '0'}" if video.isdecimal() else name
