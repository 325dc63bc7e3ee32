"""3D-MEAD: EMOTE's reconstructions of MEAD as FLAME parameters, in HDF5, or in hickle's older HDF5 (.pkl).

Clips are ACTOR/front/EMOTION/level_N/NNN/shape_pose_cam.hdf5 in a folder named after the reconstruction,
below mead_25fps/processed/reconstructions; their sound is MEAD's own, which the release lacks. Axis names:
`frames` at 25 fps; every array has a first axis of 1. Source: Danecek et al. (2023), EMOTE, SIGGRAPH Asia,
and github.com/radekd91/inferno.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from talkcli.engine.errors import InputError
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.flame_motion import flame_motion
from talkcli.engine.prepare.labels import EMOTION_OF_MEAD, LEVEL_OF_MEAD
from talkcli.engine.prepare.mead_splits import (
    EXPECTED,
    LICENCE,
    SPLIT_OF_ACTOR,
    mead_emotion,
    sex_of,
    warn_of_actors,
)
from talkcli.engine.prepare.names import Unusable, files_below, tell_left_out, tell_missing
from talkcli.engine.prepare.pairs import PairedFiles
from talkcli.engine.prepare.source import Source
from talkcli.engine.readers.hdf5 import read_datasets
from talkcli.engine.types import MODEL_FPS, Motion, Reporter
from talkcli.engine.wording import counted, parameter, some

_RECONSTRUCTIONS = Path("mead_25fps", "processed", "reconstructions")
_FILES = ("shape_pose_cam.hdf5", "shape_pose_cam.pkl")
_ACTOR = re.compile(r"[MW]\d{3}")
# W021's own folder has one more below it, 1.
_CLIP = re.compile(r"([MW]\d{3})/(?:\d/)?(\w+)/(\w+)/level_(\d)/(\w+)/[^/]+")
_SOUND = re.compile(r"(?:.*/)?([MW]\d{3})/(?:\d/)?(?:audio/|video/)?(?:front/)?(\w+)/level_(\d)/(\w+)\.\w+")
# Sound before films; later ones are preferred.
_SUFFIXES = (".mp4", ".aac", ".m4a", ".flac", ".wav")
_SOUND_FOLDERS = ("original_data", "resampled_videos", "processed/audio", "audio")
_HINT = (
    "Expected below ROOT: mead_25fps/processed/reconstructions/EMICA-MEAD_flame2020/M003/front/angry/level_1/"
    "001/shape_pose_cam.hdf5. ROOT may be any of these folders down to the reconstruction."
)
_KIND = "reconstruction of EMOTE"

Clip = tuple[str, str, int, str]
"""Actor, the emotion as MEAD writes it, intensity, number."""


class EmoteClip(PairedFiles):
    """A clip's reconstruction and its sound."""

    origin = Origin(kind="fitted", by="EMICA")

    @staticmethod
    def read_motion(path: Path) -> Motion:
        return read_reconstruction(path)


def emote_sources(
    root: Path, reporter: Reporter, *, audio: Path | None = None, reconstruction: str | None = None
) -> list[Source]:
    """Return the clips of every actor of the split lists, in order of ids; one without sound is among them.

    `audio` is a folder with MEAD's sound or films, else they are looked for where EMOTE's own tools put them
    below `root`; `reconstruction` chooses among several. Raises InputError when no reconstruction or no sound
    is found, and when it is not clear which reconstruction is meant.
    """
    folder = _find_reconstruction(root, reconstruction)
    clips = _clips(folder, reporter)
    if not clips:
        raise InputError(f"{folder} holds no {' or '.join(_FILES)} of a clip of MEAD.", hint=_HINT)
    sounds = _sounds(root, audio)
    reporter.note(
        f"{EXPECTED}; found: {counted(len({actor for actor, *_ in clips}), 'actor')}, "
        f"{counted(len(clips), 'clip')} of the "
        f"reconstruction {folder.name}, sound for {sum(clip in sounds for clip in clips)} of them. Of its "
        "expression coefficients, 50 or 100, the first 50 are kept."
    )
    warn_of_actors([actor for actor, *_ in clips], reporter)
    tell_missing(
        reporter,
        "emotions and levels of actors who are there",
        _absent(clips),
        one="emotion and level of an actor who is there",
    )
    return sorted(
        (
            _source(clip, parameters, sounds.get(clip))
            for clip, parameters in clips.items()
            if clip[0] in SPLIT_OF_ACTOR
        ),
        key=lambda source: source.id,
    )


def read_reconstruction(path: Path) -> Motion:
    """Return the motion in a shape_pose_cam file, HDF5 or hickle. Raises InputError for anything else."""
    stored = read_datasets(path, ("exp", "jaw", "global_pose"), kind=_KIND, hint=_HINT)
    for name, values in stored.items():
        if values.ndim != 3 or values.shape[0] != 1:
            raise InputError(f"{path}, {name}: the shape is {values.shape}, (1, frames, ...) is needed.")
    return flame_motion(
        path,
        expression=stored["exp"][0],
        jaw=stored["jaw"][0],
        pose=stored["global_pose"][0],
        fps=float(MODEL_FPS),
    )


def _find_reconstruction(root: Path, wanted: str | None) -> Path:
    """Return the folder with one folder for each actor."""
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.", hint=_HINT)
    parts = _RECONSTRUCTIONS.parts
    places = [root.joinpath(*parts[skipped:]) for skipped in range(len(parts) + 1)]
    base = next(place for place in places if place.is_dir())
    found = [path for path in sorted(base.iterdir()) if _has_actors(path)]
    if not found and _has_actors(root):
        found = [root]
    names = ", ".join(path.name for path in found) or "none"
    if wanted is not None:
        found = [path for path in found if path.name == wanted]
    if len(found) == 1:
        return found[0]
    if not found:
        missing = "a reconstruction" if wanted is None else f"the reconstruction {wanted}"
        raise InputError(f"{root} does not hold {missing} (found: {names}).", hint=_HINT)
    raise InputError(
        f"{root} holds {len(found)} reconstructions: {names}.",
        hint=f"Choose one, for example {parameter('reconstruction', found[0].name)}.",
    )


def _has_actors(folder: Path) -> bool:
    return folder.is_dir() and any(_ACTOR.fullmatch(path.name) for path in folder.iterdir())


def _clips(folder: Path, reporter: Reporter) -> dict[Clip, Path]:
    """Return the reconstruction of every clip seen from the front, HDF5 before hickle."""
    clips: dict[Clip, Path] = {}
    misnamed, views = [], []
    for path in reversed(files_below(folder, _FILES)):
        place = path.relative_to(folder).as_posix()
        match = _CLIP.fullmatch(place)
        clip = None if match is None else _clip(match[1], *match.group(3, 4, 5))
        if match is None or clip is None:
            misnamed.append(place)
        elif match[2] != "front":
            views.append(place)
        else:
            clips[clip] = path
    tell_left_out(
        reporter, "files that MEAD does not have", misnamed[::-1], one="file that MEAD does not have"
    )
    tell_left_out(
        reporter,
        "clips seen from other sides than the front",
        views[::-1],
        one="clip seen from another side than the front",
    )
    return clips


def _absent(clips: Iterable[Clip]) -> list[str]:
    """Return the recordings that MEAD asked of every actor and that are missing here."""
    there = {clip[:3] for clip in clips}
    return [
        f"{actor} {emotion} {level}"
        for actor in sorted({actor for actor, *_ in there} & SPLIT_OF_ACTOR.keys())
        for emotion, label in EMOTION_OF_MEAD.items()
        for level in LEVEL_OF_MEAD
        if mead_emotion(label, level) is not None and (actor, emotion, level) not in there
    ]


def _clip(actor: str, emotion: str, level: str, number: str) -> Clip | None:
    """Return None for what MEAD does not have."""
    if mead_emotion(EMOTION_OF_MEAD.get(emotion, ""), int(level)) is None:
        return None
    return actor, emotion, int(level), number


def _sounds(root: Path, audio: Path | None) -> dict[Clip, Path]:
    bases = (root, root / _RECONSTRUCTIONS.parts[0])
    known = [base / name for base in bases for name in _SOUND_FOLDERS if (base / name).is_dir()]
    folders = known if audio is None else [audio]
    sounds: dict[Clip, Path] = {}
    files = [path for folder in folders for path in files_below(folder, _SUFFIXES)]
    for path in sorted(files, key=lambda path: _SUFFIXES.index(path.suffix.lower())):
        match = _SOUND.fullmatch(path.as_posix())
        clip = None if match is None else _clip(*match.groups())
        if clip is not None:
            sounds[clip] = path
    if not sounds:
        where = some([str(folder) for folder in folders]) or f"{', '.join(_SOUND_FOLDERS)} below {root}"
        raise InputError(
            f"There is no sound of MEAD in {where}.",
            hint="EMOTE's release has none: give MEAD's own folder, with M003/audio/angry/level_1/001.m4a, "
            "as `audio=FOLDER`.",
        )
    return sounds


def _source(clip: Clip, parameters: Path, sound: Path | None) -> Source:
    actor, emotion, level, number = clip
    labelled = mead_emotion(EMOTION_OF_MEAD[emotion], level)
    assert labelled is not None
    return Source(
        id=f"emote/{actor}_{emotion}_{level}_{number}",
        speaker=f"mead-{actor}",
        emotion=labelled,
        split=SPLIT_OF_ACTOR[actor],
        licence=LICENCE,
        recipe=Unusable(reason=f"There is no sound of {actor}, {emotion}, level {level}, {number}.")
        if sound is None
        else EmoteClip(motion=parameters, sound=sound),
        sex=sex_of(actor),
    )
