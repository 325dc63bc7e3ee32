"""Which files belong together when motion is scored: by clip id, the file's name without suffix."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from talkcli.engine.data.clips import checked_file
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.pipelines.score_words import Words, read_words

_TAKE = re.compile(r"^(?P<id>.+)\.take(?P<take>\d+)$")
_NOT_SOUND = {".npz", ".json", ".jsonl", ".txt", ".csv", ".textgrid", ".lab", ".md"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One clip: predicted takes (none yet when a model is to make them), and what is known of the truth."""

    id: str
    takes: tuple[Path, ...] = ()
    truth: Path | None = None
    audio: Path | None = None
    words: Words | None = None


def gather(
    predictions: Sequence[Path],
    *,
    truth: Path | None,
    audio: Path | None,
    dataset: str | None,
    text: Path | None = None,
) -> list[Case]:
    """The clips to score, sorted by id.

    `predictions`, `truth`, `audio` and `text` are files or folders of them; `dataset` gives truth, sound and
    words from its manifest's test split. Without predictions every clip of `dataset` or `audio` is a case
    without takes. Raises UsageError for combinations that make no sense, InputError where nothing matches.
    """
    takes = _takes_by_id(predictions)
    if dataset is not None:
        if truth or audio or text:
            raise UsageError(
                "--dataset brings its own truth, sound and words, so --truth, --audio and --text go without."
            )
        return _from_dataset(dataset, takes)
    ids = list(takes) if takes or audio is None else list(_files_by_id(audio, sound=True))
    if not ids:
        raise UsageError(
            "There is nothing to score.",
            hint="Give motion files, or --audio or --dataset with speech that the model shall animate.",
        )
    truths, sounds = _match(ids, truth, sound=False), _match(ids, audio, sound=True)
    words = read_words(text, ids) if text else {}
    return [
        Case(
            id=id_,
            takes=takes.get(id_, ()),
            truth=truths.get(id_),
            audio=sounds.get(id_),
            words=words.get(id_),
        )
        for id_ in ids
    ]


def _from_dataset(name: str, takes: dict[str, tuple[Path, ...]]) -> list[Case]:
    cases = _dataset_cases(name)
    if not takes:
        return cases
    matched = [replace(case, takes=takes[case.id]) for case in cases if case.id in takes]
    if not matched:
        raise InputError(
            f"None of the {len(takes)} predicted clips is called like a test clip of {name}.",
            hint=f"Its clips are called {', '.join(case.id for case in cases[:3])}, ...",
        )
    return matched


def dataset_folder(name: str) -> Path:
    """Where a prepared data set lies: below `$TALK_DATA`, else ./data. Raises AssetError if absent."""
    folder = Path(os.environ.get("TALK_DATA") or "data") / name
    if not (folder / "manifest.jsonl").is_file():
        raise AssetError(
            f"The data set {name} is not prepared: there is no {folder / 'manifest.jsonl'}.",
            hint=f"Make it with talk preprocess (docs/datasets.md), --out {folder}.",
        )
    return folder


def _dataset_cases(name: str) -> list[Case]:
    folder = dataset_folder(name)
    cases = []
    for entry in read_manifest(folder / "manifest.jsonl"):
        if entry.split != "test":
            continue
        if "audio" not in entry.files:
            raise InputError(f"Clip {entry.id} of {name} has no sound.")
        # Sets of sound alone, such as Emo-Vox, are there to be animated.
        files = {
            kind: checked_file(folder, *file, entry.id)
            for kind, file in entry.files.items()
            if kind in ("audio", "motion", "phones")
        }
        known = entry.text or "phones" in files
        cases.append(
            Case(
                id=entry.id,
                truth=files.get("motion"),
                audio=files["audio"],
                words=Words(text=entry.text, phones=files.get("phones")) if known else None,
            )
        )
    if not cases:
        raise InputError(f"The data set {name} has no clips in its test split.")
    return cases


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
                f"{given} is one file for {len(ids)} clips.", hint="Give a folder of files instead."
            )
        return {ids[0]: given}
    files = _files_by_id(given, sound=sound)
    matched = {id_: files[id_] for id_ in ids if id_ in files}
    if not matched:
        raise InputError(
            f"{given} holds no {'sound' if sound else 'motion'} file for any of the {len(ids)} clips.",
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
