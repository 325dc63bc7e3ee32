"""Clips in tar files that are read from front to back, as webdataset and wids do, from a disk or a network.

A clip's members share a key, its id with all but letters, digits, `_` and `-` as %XX: KEY.json (its line of
the manifest), KEY.flac, KEY.npz (motion), KEY.vertices.npy, KEY.neutral.npy, KEY.TextGrid
(phones). A shard holds clips of one
split; SPLIT.json lists those of a split (wids-shard-index-v1). Equal clips are equal bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.data.clips import checked_file
from talkcli.engine.data.manifest import Entry, folder_of, read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path, real_path
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter

_KIND = "wids-shard-index-v1"
_SUFFIXES = {
    "audio": ".flac", "motion": ".npz", "vertices": ".vertices.npy", "neutral": ".neutral.npy",
    "phones": ".TextGrid",
}  # fmt: skip
_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, kw_only=True)
class Sharded:
    """What a run left behind: the index of every split, and how many shards and clips there are."""

    indices: tuple[Path, ...]
    num_shards: int
    num_kept: int
    num_clips: int


def write_shards(
    manifest: Path, out: Path, reporter: Reporter, *, max_clips: int = 1000, max_mb: float | None = None
) -> Sharded:
    """Pack the clips of `manifest` (the file or its folder) into shards of at most `max_clips`, and of about
    `max_mb` megabytes where that is given; a larger clip has a shard of its own.

    A shard that is there already with these clips is kept. Raises InputError for a clip whose files are not
    those of the manifest, and for other files in `out` that bear a shard's or an index's name.
    """
    folder = folder_of(manifest)
    splits: dict[str, list[Entry]] = {}
    for entry in read_manifest(manifest, reporter):
        splits.setdefault(entry.split, []).append(entry)
    plan = {
        out / f"{split}-{number:06d}.tar": clips
        for split, entries in splits.items()
        for number, clips in enumerate(_parts(folder, entries, max_clips, max_mb))
    }
    indices = {split: out / f"{split}.json" for split in splits}
    _refuse_foreign(out, plan, indices)
    num_kept = 0
    described: dict[str, list[dict[str, object]]] = {split: [] for split in splits}
    for done, (path, clips) in enumerate(plan.items()):
        if path.exists():
            num_kept += 1
        else:
            _write_shard(path, folder, clips)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "md5").hexdigest()
        described[clips[0].split].append(
            {"url": path.name, "md5sum": digest, "nsamples": len(clips), "filesize": path.stat().st_size}
        )
        reporter.progress("packing shards", done + 1, len(plan))
    for split, index in indices.items():
        name = f"{real_path(folder).name}-{split}"
        document = {"__kind__": _KIND, "wids_version": 1, "name": name, "shardlist": described[split]}
        with atomic_path(index) as temporary:
            temporary.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Sharded(
        indices=tuple(indices.values()),
        num_shards=len(plan),
        num_kept=num_kept,
        num_clips=sum(map(len, splits.values())),
    )


def key_of(clip_id: str) -> str:
    """Return the key of a clip in shards: no dots, where names are cut into key and kind, and no slashes."""
    return urllib.parse.quote(clip_id, safe="").replace(".", "%2E").replace("~", "%7E")


def id_of(key: str) -> str:
    """Return the id of the clip that has this key."""
    return urllib.parse.unquote(key)


def _parts(
    folder: Path, entries: Sequence[Entry], max_clips: int, max_mb: float | None
) -> Iterator[list[Entry]]:
    """Yield the clips of one shard after the other, in the manifest's order."""
    most = float("inf") if max_mb is None else max_mb * 1e6
    part: list[Entry] = []
    size = 0
    for entry in entries:
        needed = sum(_BLOCK + -(-length // _BLOCK) * _BLOCK for _, length in _sizes(folder, entry))
        if part and (len(part) >= max_clips or size + needed > most):
            yield part
            part, size = [], 0
        part.append(entry)
        size += needed
    yield part


def _sizes(folder: Path, entry: Entry) -> list[tuple[str, int]]:
    """Return names and lengths of a clip's members, in order."""
    key = key_of(entry.id)
    sizes = [(f"{key}.json", len(_label(entry)))]
    for kind, (name, _) in entry.files.items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"Clip {entry.id}: {path} is missing.", hint="Run talk preprocess check.")
        sizes.append((f"{key}{_SUFFIXES[kind]}", path.stat().st_size))
    return sizes


def _label(entry: Entry) -> bytes:
    return entry.model_dump_json(exclude_none=True).encode()


def _write_shard(path: Path, folder: Path, clips: Sequence[Entry]) -> None:
    with atomic_path(path) as temporary, tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT) as archive:
        for entry in clips:
            key, label = key_of(entry.id), _label(entry)
            archive.addfile(_member(f"{key}.json", len(label)), io.BytesIO(label))
            for kind, (name, digest) in entry.files.items():
                source = checked_file(folder, name, digest, entry.id)
                with source.open("rb") as file:
                    archive.addfile(_member(f"{key}{_SUFFIXES[kind]}", source.stat().st_size), file)


def _member(name: str, size: int) -> tarfile.TarInfo:
    """Make a member without time and owner, which would make equal clips different files."""
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def _refuse_foreign(out: Path, plan: dict[Path, list[Entry]], indices: dict[str, Path]) -> None:
    """Raise InputError unless what bears our files' names in `out` is what would be written."""
    hint = "Choose another `out`, or remove it."
    if out.exists() and not out.is_dir():
        raise InputError(f"{parameter('out', out)} is a file, a folder is needed.")
    for split, index in indices.items():
        if index.exists() and not _is_index(index):
            raise InputError(f"{index} is there and is no index of shards.", hint=hint)
        for path in sorted(out.glob(f"{split}-*.tar")):
            if path not in plan or not _holds(path, plan[path]):
                raise InputError(f"{path} is there and does not hold the clips that belong there.", hint=hint)


def _is_index(path: Path) -> bool:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("__kind__") == _KIND


def _holds(path: Path, clips: Sequence[Entry]) -> bool:
    """Return whether the shard's members are those of `clips`, byte for byte."""
    try:
        with tarfile.open(path, "r:") as archive:
            found = {
                member.name: hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
                for member in archive
                if (content := archive.extractfile(member)) is not None
            }
    except (OSError, tarfile.TarError, EOFError, ValueError, OverflowError):
        # Whatever tarfile stumbles over in a damaged file.
        return False
    wanted = {}
    for entry in clips:
        key = key_of(entry.id)
        wanted[f"{key}.json"] = hashlib.sha256(_label(entry)).hexdigest()
        wanted |= {f"{key}{_SUFFIXES[kind]}": digest for kind, (_, digest) in entry.files.items()}
    return found == wanted
