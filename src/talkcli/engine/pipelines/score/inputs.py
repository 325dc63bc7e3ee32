"""The clips to score: talk matches files by clip id, which is the file's name without suffix."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from talkcli.engine.data.clips import checked_file, read_vertex_clip
from talkcli.engine.data.manifest import Entry
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import only_learned
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.origin import Origin
from talkcli.engine.pipelines.prepared_sets import PreparedSet, prepared_set
from talkcli.engine.pipelines.score.video_files import film_of_each, videos_by_id
from talkcli.engine.pipelines.score.words import Words, read_words
from talkcli.engine.types import AnyMotion, Reporter, Silent
from talkcli.engine.wording import counted, some

_SILENT = Silent()
# Name of one of several takes: CLIP.take01.
_TAKE = re.compile(r"^(?P<id>.+)\.take(?P<take>\d+)$")
# Suffixes of files that a folder of sounds may hold beside the sounds.
_NOT_SOUND = {".npz", ".json", ".jsonl", ".txt", ".csv", ".textgrid", ".lab", ".md"}


@dataclass(frozen=True, kw_only=True)
class TrueMotion:
    """Place of a clip's true motion: a motion file, or the vertices of a manifest's entry."""

    path: Path
    """Path of the motion file or of the vertices."""
    folder: Path | None = None
    """Folder of the manifest, for vertices; None for a motion file."""
    entry: Entry | None = None
    """Entry of the manifest, for vertices; None for a motion file."""

    def read(self) -> tuple[AnyMotion, dict[str, Any]]:
        """Read the learned channels of the motion, or its vertices, and its meta. Raises InputError when it
        cannot be read.
        """
        if self.entry is None or self.folder is None:
            motion, meta = read_any_motion(self.path)
            return only_learned(motion), meta
        return read_vertex_clip(self.folder, self.entry), {}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One clip to score."""

    id: str
    takes: tuple[Path, ...] = ()
    """Motion files of the predicted takes; empty when a model makes the motion, and for videos."""
    videos: tuple[Path, ...] = ()
    """Videos of the takes that somebody made; empty where motion is scored."""
    film: Path | None = None
    """Real film of the clip, with which its videos are compared; None without one."""
    truth: TrueMotion | None = None
    """True motion; None when there is none."""
    audio: Path | None = None
    """Sound file; None when there is none."""
    words: Words | None = None
    """Transcript or phones; None when there are none."""
    emotion: str | None = None
    """Emotion label that the manifest states; None without a manifest."""
    level: float = 1.0
    """Level of the emotion, from 0 to 1."""
    speaker: str | None = None
    """Name of the speaker that the manifest states; None without a manifest."""
    truth_origin: Origin | None = None
    """Origin of the true motion that the manifest states; None when only the motion file may state it."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The clips to score, and the data set that they belong to."""

    cases: list[Case]
    """Clips to score."""
    described: dict[str, str | int] | None = None
    """Description of the data set for reports; None without a data set."""
    entries: tuple[Entry, ...] = ()
    """Entries of the clips in the manifest; empty without a data set."""


def gather(
    predictions: Sequence[Path],
    *,
    truth: Path | None,
    audio: Path | None,
    dataset: str | None,
    split: str = "test",
    text: Path | None = None,
    limit: int | None = None,
    videos: Path | None = None,
    films: Path | None = None,
    reporter: Reporter = _SILENT,
) -> Chosen:
    """Return the clips to score, sorted by id, or in the order of the data set.

    Without predictions, every clip of `dataset` or `audio` is a case without takes.

    Args:
        predictions: Motion files, or folders of them.
        truth: True motion: a file, or a folder of files with the clips' names.
        audio: Sound: likewise.
        dataset: Name or path of a prepared data set, which has truth, sound and words of its clips.
        split: Split of the data set.
        text: Words or phones: likewise, or a table (`read_words`).
        limit: Largest number of clips: the first ones. None for all.
        videos: Video that somebody made, or a folder of them (`videos_by_id`), in place of predictions.
        films: Real films of the clips of `videos`, likewise.
        reporter: Receiver of notes and warnings.

    Raises:
        UsageError: For arguments that exclude each other, and for none at all.
        InputError: When no files match.
        AssetError: When the data set is not prepared.
    """
    if videos is not None and predictions:
        raise UsageError("Motion files and `videos` exclude each other.", hint="Score them one by one.")
    if films is not None and videos is None:
        raise UsageError("`films` is compared with `videos`, and there are none.", hint="Add `videos`.")
    if dataset is not None and (truth or audio or text):
        raise UsageError(
            "`dataset` has its own truth, sound and words, so it excludes `truth`, `audio` and `text`."
        )
    if videos is not None and dataset is not None:
        known = [entry.id for entry in prepared_set(dataset, split, _SILENT).entries]
        found = videos_by_id(videos, known)
        if missing := [id_ for id_ in known if id_ not in found]:
            reporter.note(f"{counted(len(missing), 'clip')} of {dataset} without a video: {some(missing)}.")
        return _of_videos(_from_dataset(dataset, split, found, limit, reporter), found, films)
    if videos is not None:
        found = videos_by_id(videos)
        of_files = _cases_of_files(list(found), truth, audio, text)
        return _of_videos(Chosen(cases=of_files[:limit]), found, films)
    takes = _takes_by_id(predictions)
    if dataset is not None:
        return _from_dataset(dataset, split, takes, limit, reporter)
    ids = list(takes) if takes or audio is None else list(_files_by_id(audio, sound=True))
    if not ids:
        raise UsageError(
            "There is nothing to score.",
            hint="Give motion files, or speech to animate with `audio` or `dataset`.",
        )
    cases = _cases_of_files(ids, truth, audio, text)[:limit]
    return Chosen(cases=[replace(case, takes=takes.get(case.id, ())) for case in cases])


def _cases_of_files(
    ids: Sequence[str], truth: Path | None, audio: Path | None, text: Path | None
) -> list[Case]:
    """Return the cases of clips without a data set; their takes are still empty."""
    truths, sounds = _match(ids, truth, sound=False), _match(ids, audio, sound=True)
    words = read_words(text, ids) if text else {}
    return [
        Case(
            id=id_,
            truth=TrueMotion(path=truths[id_]) if id_ in truths else None,
            audio=sounds.get(id_),
            words=words.get(id_),
        )
        for id_ in ids
    ]


def _of_videos(chosen: Chosen, videos: Mapping[str, tuple[Path, ...]], films: Path | None) -> Chosen:
    """Return the clips with their videos in place of motion files, and with their real films."""
    real = {} if films is None else film_of_each(films, [case.id for case in chosen.cases])
    cases = [replace(case, takes=(), videos=videos[case.id], film=real.get(case.id)) for case in chosen.cases]
    return replace(chosen, cases=cases)


def _from_dataset(
    name: str, split: str, takes: dict[str, tuple[Path, ...]], limit: int | None, reporter: Reporter
) -> Chosen:
    chosen = prepared_set(name, split, reporter)
    entries = chosen.entries if takes else chosen.entries[:limit]
    cases = [_case(chosen, entry, takes.get(entry.id, ())) for entry in entries]
    if takes:
        entries = tuple(entry for entry in entries if entry.id in takes)
        if not entries:
            called = ", ".join(entry.id for entry in chosen.entries[:3])
            raise InputError(
                f"None of {counted(len(takes), 'predicted clip')} has the name of a {split} clip of {name}.",
                hint=f"Its clips are called {called}, ...",
            )
        known = {entry.id for entry in entries}
        if foreign := [id_ for id_ in takes if id_ not in known]:
            reporter.note(f"Left out, since no {split} clip of {name} has that name: {some(foreign)}.")
        entries = entries[:limit]
        cases = [case for case in cases if case.id in takes][:limit]
    return Chosen(cases=cases, described=replace(chosen, entries=entries).described(), entries=entries)


def _case(chosen: PreparedSet, entry: Entry, takes: tuple[Path, ...]) -> Case:
    if "audio" not in entry.files:
        raise InputError(f"Clip {entry.id} of {chosen.name} has no sound.")
    if entry.still:
        raise InputError(f"Clip {entry.id} of {chosen.name} is still pictures, and talk scores motion.")
    # A clip may have sound alone, such as Emo-Vox's: a model animates it.
    files = {
        kind: checked_file(chosen.folder, *file, entry.id)
        for kind, file in entry.files.items()
        if kind in ("audio", "motion", "vertices", "neutral", "phones")
    }
    known = entry.text or "phones" in files
    truth = TrueMotion(path=files["motion"]) if "motion" in files else None
    if truth is None and "vertices" in files:
        truth = TrueMotion(path=files["vertices"], folder=chosen.folder, entry=entry)
    return Case(
        id=entry.id,
        takes=takes,
        truth=truth,
        truth_origin=entry.origin,
        audio=files["audio"],
        words=Words(text=entry.text, phones=files.get("phones")) if known else None,
        emotion=entry.emotion,
        level=entry.intensity,
        speaker=entry.speaker,
    )


def _takes_by_id(predictions: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
    by_take: dict[tuple[str, int], Path] = {}
    for given in predictions:
        found = sorted(given.glob("*.npz")) if given.is_dir() else [given]
        if not found:
            raise InputError(f"{given} holds no motion files (*.npz).")
        for path in found:
            match = _TAKE.match(path.stem)
            key = (match["id"], int(match["take"])) if match else (path.stem, 0)
            if key in by_take:
                raise InputError(
                    f"{by_take[key]} and {path} are both predictions of the clip {key[0]}.",
                    hint="Call several takes of a clip NAME.take01.npz, NAME.take02.npz.",
                )
            by_take[key] = path
    takes: dict[str, tuple[Path, ...]] = {}
    for (id_, _), path in sorted(by_take.items()):
        takes[id_] = (*takes.get(id_, ()), path)
    return takes


def _match(ids: Sequence[str], given: Path | None, *, sound: bool) -> dict[str, Path]:
    if given is None:
        return {}
    if not given.is_dir():
        if not given.is_file():
            raise InputError(f"{given} does not exist.")
        if len(ids) > 1:
            raise InputError(
                f"{given} is one file for {counted(len(ids), 'clip')}.",
                hint="Give a folder of files instead.",
            )
        return {ids[0]: given}
    files = _files_by_id(given, sound=sound)
    matched = {id_: files[id_] for id_ in ids if id_ in files}
    if not matched:
        raise InputError(
            f"{given} holds no {'sound' if sound else 'motion'} file for any of {counted(len(ids), 'clip')}.",
            hint=f"Files are matched by name, for example {ids[0]}{'.wav' if sound else '.npz'}.",
        )
    return matched


def _files_by_id(given: Path, *, sound: bool) -> dict[str, Path]:
    if not given.is_dir():
        return {given.stem: given}
    files: dict[str, Path] = {}
    for path in sorted(given.iterdir()):
        suffix = path.suffix.lower()
        wanted = suffix not in _NOT_SOUND if sound else suffix == ".npz"
        if wanted and path.is_file() and not path.name.startswith("."):
            if path.stem in files:
                raise InputError(f"{files[path.stem]} and {path} are both called {path.stem}.")
            files[path.stem] = path
    return files
