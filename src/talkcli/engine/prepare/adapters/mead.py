"""MEAD in the form that DEEPTalk's training reads: a .npy of FLAME parameters and one of sound for each clip.

Below one folder of parameters and one of sound lie ACTOR/ACTOR_emotion_intensity_REST.npy; emotions are
DEEPTalk's numbers on disk, intensities 1 to 3. A row of parameters is expression 50, global rotation 3, jaw
3, shape 100, or the same without global rotation; the adapter drops the shape. Axis names: `frames` at 25
fps, `columns` = 156 or 153, `samples` at 16 kHz.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import NUM_EXPRESSION
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.labels import EMOTION_OF_DEEPTALK_DISK
from talkcli.engine.prepare.layouts import LAYOUTS
from talkcli.engine.prepare.mead_splits import (
    EXPECTED,
    LICENCE,
    SPLIT_OF_ACTOR,
    mead_emotion,
    sex_of,
    warn_of_actors,
)
from talkcli.engine.prepare.names import tell_left_out
from talkcli.engine.prepare.pairs import PairedFiles
from talkcli.engine.prepare.source import Source
from talkcli.engine.readers.npy import read_floats, read_header
from talkcli.engine.readers.regular import open_file
from talkcli.engine.types import MODEL_FPS, Emotion, Motion, Reporter, Speech
from talkcli.engine.wording import counted

PARAMETERS, SOUND = "flame_param", "audio_sample"
_ACTOR = re.compile(r"[MW]\d{3}")
_UID = re.compile(r"([MW]\d{3})_(\d{1,2})_(\d)(?:_.+)?")
# Layout of the parameters by the number of columns.
_LAYOUTS = {156: LAYOUTS["flame-156"], 153: LAYOUTS["flame-153"]}
# Largest magnitude of an expression coefficient: the authors' files reach about 9, public reconstructions 3.
_MOST_EXPRESSION = 12.0
# Largest peak of a waveform: resampling overshoots full scale a little; larger ones are in other units.
_MOST_PEAK = 2.0
# Number of arrays whose shapes decide the kind of a folder with another name.
_MOST_LOOKED_AT = 20
_HINT = (
    f"Expected below ROOT or ROOT/MEAD: {PARAMETERS}/M003/M003_5_3_001.npy and the same in {SOUND}/, or two "
    "folders of other names, one of (frames, 156 or 153) arrays and one of waveforms."
)


class MeadPair(PairedFiles):
    """A clip's FLAME parameters and its waveform."""

    origin = Origin(kind="fitted", by="EMOCA")

    @staticmethod
    def read_motion(path: Path) -> Motion:
        return _motion(path)

    @staticmethod
    def read_sound(path: Path) -> Speech:
        return _speech(path)


def mead_sources(root: Path, reporter: Reporter) -> list[Source]:
    """Return the clips of every actor in the split lists, in order of ids, also those that lack one file.

    `reporter` receives foreign files and missing actors. Raises InputError when the two folders are missing
    or ambiguous, and when no file in them is a clip.
    """
    parameters, sound = _find_folders(root)
    stems = sorted({(path.parent.name, path.stem) for path in (*_arrays(parameters), *_arrays(sound))})
    read = [(actor, uid, _emotion(actor, uid)) for actor, uid in stems]
    clips = [(actor, uid, emotion) for actor, uid, emotion in read if emotion is not None]
    misnamed = [f"{actor}/{uid}" for actor, uid, emotion in read if emotion is None]
    reporter.note(
        f"{EXPECTED}; found: {counted(len({actor for actor, *_ in clips}), 'actor')}, "
        f"{counted(len(clips), 'clip')}, with FLAME "
        f"parameters in {parameters} and sound in {sound}."
    )
    tell_left_out(
        reporter,
        "files that MEAD does not have (a name is the folder's ACTOR, emotion 1 or 3 to 9, intensity 1 to 3, "
        "neutral 1, and anything, with _ between)",
        misnamed,
        one="file that MEAD does not have (a name is the folder's ACTOR, emotion 1 or 3 to 9, intensity 1 to "
        "3, neutral 1, and anything, with _ between)",
    )
    warn_of_actors([actor for actor, *_ in clips], reporter)
    sources = [
        Source(
            id=f"mead/{uid}",
            speaker=f"mead-{actor}",
            emotion=emotion,
            split=SPLIT_OF_ACTOR[actor],
            licence=LICENCE,
            recipe=MeadPair(motion=parameters / actor / f"{uid}.npy", sound=sound / actor / f"{uid}.npy"),
            sex=sex_of(actor),
        )
        for actor, uid, emotion in clips
        if actor in SPLIT_OF_ACTOR
    ]
    if not sources:
        raise InputError(
            f"None of {counted(len(stems), 'array')} below {root} is a clip of a known actor.", hint=_HINT
        )
    return sources


def _emotion(actor: str, uid: str) -> Emotion | None:
    match = _UID.fullmatch(uid)
    if match is None or match[1] != actor:
        return None
    return mead_emotion(EMOTION_OF_DEEPTALK_DISK.get(int(match[2]), ""), int(match[3]))


def _find_folders(root: Path) -> tuple[Path, Path]:
    """Return the folder of parameters and the folder of sound: by their names, else by the arrays in them."""
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.", hint=_HINT)
    bases = [base for base in (root / "MEAD", root) if base.is_dir()]
    for base in bases:
        if (base / PARAMETERS).is_dir() and (base / SOUND).is_dir():
            return base / PARAMETERS, base / SOUND
    folders = [folder for base in bases for folder in _folders(base) if next(_arrays(folder), None)]
    kinds = {folder: _kind(folder) for folder in folders}
    found = {kind: [folder for folder in folders if kinds[folder] == kind] for kind in (PARAMETERS, SOUND)}
    if any(len(candidates) != 1 for candidates in found.values()):
        seen = [
            f"{counted(len(found[PARAMETERS]), 'folder')} of FLAME parameters",
            f"{len(found[SOUND])} of waveforms",
        ]
        names = ", ".join(str(folder.relative_to(root)) for folder in folders) or "none"
        raise InputError(
            f"{root} holds {' and '.join(seen)}, one of each is needed (folders with ACTOR/*.npy: {names}).",
            hint=_HINT,
        )
    return found[PARAMETERS][0], found[SOUND][0]


def _folders(base: Path) -> list[Path]:
    return sorted(path for path in base.iterdir() if path.is_dir())


def _arrays(folder: Path) -> Iterator[Path]:
    """Yield ACTOR/*.npy below `folder`."""
    for actor in _folders(folder):
        if _ACTOR.fullmatch(actor.name):
            yield from sorted(actor.glob("*.npy"))


def _kind(folder: Path) -> str | None:
    """Return the kind of most of the first arrays in `folder`; None without a majority."""
    votes: Counter[str] = Counter()
    for path in islice(_arrays(folder), _MOST_LOOKED_AT):
        try:
            with open_file(path) as file:
                shape, _, _ = read_header(file)
        except (InputError, OSError):
            continue
        if len(shape) == 1:
            votes[SOUND] += 1
        elif len(shape) == 2 and shape[1] in _LAYOUTS:
            votes[PARAMETERS] += 1
    winner = max(votes, key=lambda kind: votes[kind], default=None)
    return winner if winner and votes[winner] * 2 > votes.total() else None


def _motion(path: Path) -> Motion:
    rows = read_floats(path)
    if rows.ndim != 2 or rows.shape[1] not in _LAYOUTS:
        raise InputError(f"{path} holds {rows.shape}, FLAME parameters are (frames, 156) or (frames, 153).")
    try:
        motion = _LAYOUTS[rows.shape[1]].motion(rows, float(MODEL_FPS))
    except InputError as error:
        raise InputError(f"{path}: {error.problem}") from error
    largest = np.abs(motion.coeffs[:, :NUM_EXPRESSION]).max(initial=0)
    if largest > _MOST_EXPRESSION:
        raise InputError(
            f"{path} has expression up to {largest:.3g}; no face goes beyond +-{_MOST_EXPRESSION:.3g}."
        )
    return motion


def _speech(path: Path) -> Speech:
    samples = read_floats(path)
    if samples.ndim != 1:
        raise InputError(f"{path} holds {samples.shape}, a mono waveform (samples,) is needed.")
    peak = float(np.abs(samples).max(initial=0))
    if peak == 0:
        raise InputError(f"{path} is silent: nothing but zeros in {counted(len(samples), 'sample')}.")
    if peak > _MOST_PEAK:
        raise InputError(f"{path} peaks at {peak:.3g}, a waveform in [-1, 1] is needed.")
    return Speech(samples=(samples / max(peak, 1.0)).astype(np.float32))
