"""Prepared data sets: what the parameter `dataset` names, and the clips of one of its splits."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.data.manifest import Entry, folder_of, read_manifest
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.files import real_path
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter

# Name of the manifest in a prepared folder.
MANIFEST = "manifest.jsonl"
# Name that stands for all splits.
ALL = "all"
SPLITS = ("train", "val", "test", ALL)
# Suffixes of manifests.
_TABLES = (".jsonl", ".parquet")
# Data sets that talk generates, so that their command has no ROOT.
_WITHOUT_ROOT = ("debug",)
# Description of ROOT of `talk preprocess`, and its source, by data set.
ROOTS: Mapping[str, str] = {
    "affectnet": "AffectNet's folder with EMOCA's codes; its authors give it out on request",
    "artalk": "the folder of ARTalk's motion files with their sound",
    "beat2": "BEAT2's folder, from its authors' repository on Hugging Face",
    "biwi": "a folder with vertices_npy, wav and templates.pkl, as trainers of vertex models share it",
    "crema-d": "CREMA-D's folder with AudioWAV, from its authors' repository on GitHub",
    "diffposetalk": "the folder of DiffPoseTalk's data, from its authors' repository on GitHub",
    "emote": "the folder of EMOTE's reconstructions of MEAD, from its authors' site",
    "facegood": "the folder of FACEGOOD's pairs, from its authors' repository on GitHub",
    "folder": "your folder of sounds with motion files of the same names",
    "hdtf": "the folder of HDTF's clips and lists; the lists are in its authors' repository on GitHub",
    "librispeech": "LibriSpeech's folder with parts such as dev-clean, from openslr.org (SLR12)",
    "live-link": "the folder of your takes of Live Link Face",
    "mead": "MEAD's folder in DEEPTalk's form",
    "mead-raw": "MEAD's folder as it was filmed; its authors give it out on request",
    "nemo": "nEMO's folder with data.tsv, from its authors' repository on Hugging Face",
    "ravdess": "the folder of RAVDESS from Zenodo (record 1188976; of its archives "
    "Audio_Speech_Actors_01-24.zip is enough), as archives or unpacked into Actor_01 to Actor_24",
    "ravdess3d": "the folder of RAVDESS's films or sound from Zenodo (record 1188976), with a tracker's "
    "coefficients of the films",
    "video": "your folder of films of talking faces",
    "vocaset": "VOCASET's folder, from its authors' site, with an account",
    "voxceleb2": "VoxCeleb2's folder; its authors give it out on request",
}
# Patterns of names in a folder that identify an unprepared data set, whatever the folder is called.
_SIGNS: Mapping[str, re.Pattern[str]] = {
    "ravdess": re.compile(r"Actor_\d\d|(Audio|Video)_(Speech|Song)_Actors?_[\d-]+\.zip"),
    "crema-d": re.compile(r"AudioWAV"),
    "vocaset": re.compile(r"data_verts\.npy"),
}


@dataclass(frozen=True, kw_only=True)
class PreparedSet:
    """The clips of one split of a data set."""

    name: str
    """Name or path by which the user gave the data set."""
    manifest: Path
    """Path of the manifest."""
    split: str
    """Name of the split, one of `SPLITS`."""
    entries: tuple[Entry, ...]
    """Entries of the clips."""

    @property
    def folder(self) -> Path:
        return folder_of(self.manifest)

    def described(self) -> dict[str, str | int]:
        """Return a description of the set for reports, ready for JSON."""
        return {
            "name": self.name,
            "manifest": str(self.manifest),
            "split": self.split,
            "clips": len(self.entries),
        }


def prepared_set(name: str, split: str, reporter: Reporter) -> PreparedSet:
    """Return the clips of a split of a data set.

    Args:
        name: Name or path of the data set, as for `manifest_of`.
        split: Name of the split, one of `SPLITS`.
        reporter: Receiver of warnings.

    Raises:
        AssetError: When the data set is not prepared.
        InputError: When the manifest cannot be read, or has no clips in that split.
    """
    manifest = manifest_of(name)
    everything = read_manifest(manifest, reporter)
    entries = tuple(entry for entry in everything if split in (ALL, entry.split))
    if not entries:
        counts = Counter(entry.split for entry in everything).most_common()
        there = " and ".join(f"{count} in {label}" for label, count in counts)
        learned = ", which models may have learned from" if counts[0][0] == "train" else ""
        raise InputError(
            f"The data set {name} has no clips in its {split} split; it has {there} ({manifest}).",
            hint=f"Score what is there with `split={counts[0][0]}`{learned}; or prepare the speakers of its "
            f"{split} split too (docs/datasets.md says who they are).",
        )
    return PreparedSet(name=name, manifest=manifest, split=split, entries=entries)


def manifest_of(name: str) -> Path:
    """Return the path of the manifest of a data set.

    `name` is the path of a prepared folder or of a manifest, or the name of a folder below `$TALK_DATA` (else
    ./data), in upper or lower case. Raises AssetError, whose hint has the command that prepares the set, when
    there is no manifest; UsageError for an empty name.
    """
    if not name.strip():
        raise UsageError("`dataset` is empty.", hint="Name a prepared data set, for example ravdess.")
    given = Path(name)
    is_path = os.sep in name or "/" in name or given.suffix in _TABLES or name in (".", "..")
    prepared = data_folder() / name
    for folder in (given,) if is_path else (prepared, *_spelled_otherwise(name), given):
        if folder.suffix in _TABLES and _is_file(folder):
            return folder
        if _is_file(folder / MANIFEST):
            return folder / MANIFEST
    for folder in (given,) if is_path else (prepared, given):
        if (known := _raw_set(folder)) is not None:
            raise AssetError(
                f"{folder} holds {known} as its authors distribute it, which must be prepared first.",
                hint=_how_from(known, folder),
            )
    if is_path:
        known = given.name.lower() if given.name.lower() in ROOTS else "NAME"
        raise AssetError(
            f"{parameter('dataset', name)} is the path of no prepared data set: there is no "
            f"{given / MANIFEST}.",
            hint=f"Prepare one: talk preprocess {known} ROOT --out {shlex.quote(str(given))} "
            "(docs/datasets.md lists the data sets).",
        )
    if name.lower() in (*ROOTS, *_WITHOUT_ROOT):
        name, prepared = name.lower(), data_folder() / name.lower()
    raise AssetError(
        f"The data set {name} is not prepared: there is no {prepared / MANIFEST}.", hint=_how(name, prepared)
    )


def data_folder() -> Path:
    """Return the folder below which talk looks for data sets by name: `$TALK_DATA`, else ./data."""
    return Path(os.environ.get("TALK_DATA") or "data")


def _spelled_otherwise(name: str) -> list[Path]:
    """Return the folders of data sets whose names differ from `name` only in upper and lower case."""
    try:
        folders = sorted(data_folder().iterdir())
    except OSError:
        return []
    return [folder for folder in folders if folder.name.lower() == name.lower() and folder.name != name]


def _raw_set(folder: Path) -> str | None:
    """Return the name of the data set that lies in `folder` unprepared; None when there is none.

    The content of the folder tells, else its name.
    """
    try:
        names = {path.name for path in folder.iterdir()}
    except (OSError, ValueError):
        # `folder` does not exist, is a file or an invalid name, or denies access.
        return None
    for known, sign in _SIGNS.items():
        if any(sign.fullmatch(name) for name in names):
            return known
    own = real_path(folder).name.lower()
    return own if names and own in ROOTS else None


def _how_from(known: str, raw: Path) -> str:
    """Return the command that prepares the data set `known` from its folder `raw`, and the next step."""
    # Clips never go into the folder of the recordings.
    prepared = next(
        folder
        for folder in (data_folder() / known, data_folder() / f"{known}-clips")
        if not _same(folder, raw)
    )
    line = f"talk preprocess {known} {shlex.quote(str(raw))} --out {shlex.quote(str(prepared))}"
    return f"Run: {line}; then give {parameter('dataset', prepared.name)}."


def _same(one: Path, other: Path) -> bool:
    return one.exists() and one.samefile(other)


def _how(name: str, prepared: Path) -> str:
    out = shlex.quote(str(prepared))
    if name in ROOTS:
        return f"Run: talk preprocess {name} ROOT --out {out} (ROOT: {ROOTS[name]})."
    if name in _WITHOUT_ROOT:
        return f"Run: talk preprocess {name} --out {out}"
    there = sorted(path.parent.name for path in data_folder().glob(f"*/{MANIFEST}"))
    near = difflib.get_close_matches(name, [*there, *ROOTS], n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    found = f"Prepared in {data_folder()}: {', '.join(there)}." if there else f"{data_folder()} holds none."
    return f"{meant}{found} `dataset` also takes a path; docs/datasets.md says how one is prepared."


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # The name is too long, or its folder denies access.
        return False
