"""The judges' weights: ours, which come with talk or the user trains, and published ones.

The hashes of the published files are unknown to us, so that `talk doctor` shows a file's hash and compares it
with nothing; the exact names and shapes of its tensors are checked when it is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from talkcli.engine.assets import WEIGHTS_DIR, cache_dir
from talkcli.engine.checkpoints.model_file import Header, load_model
from talkcli.engine.checkpoints.own_judges import OWN_JUDGES
from talkcli.engine.checkpoints.published_judges import load_inception, load_syncnet
from talkcli.engine.errors import AssetError
from talkcli.engine.files import sha256

# Digits of a hash that stand beside a value.
_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class PublishedJudge:
    """A judge whose weights somebody published."""

    name: str
    """Name in words."""
    file: str
    """Name of the file, as its authors publish it."""
    variable: str
    """Environment variable that names the file or its folder."""
    where: str
    """Where the authors publish it."""
    unlocks: str
    """Metrics that need it."""
    load: Callable[[Path], Any]
    """Reader of the file."""

    @property
    def how_to_get(self) -> str:
        """Say how to get the file, in a sentence."""
        return f"Get {self.file} ({self.where}) and set {self.variable}=/path/to/{self.file}."


PUBLISHED_JUDGES = {
    "syncnet": PublishedJudge(
        name="SyncNet v2",
        file="syncnet_v2.model",
        variable="TALK_SYNCNET",
        where="joonson/syncnet_python on GitHub names the address",
        unlocks="lse_d@syncnet, lse_c@syncnet, lse_offset@syncnet and the same @wav2lip",
        load=load_syncnet,
    ),
    "inception": PublishedJudge(
        name="FID's Inception",
        file="pt_inception-2015-12-05-6726825d.pth",
        variable="TALK_INCEPTION",
        where="a release of mseitzer/pytorch-fid on GitHub",
        unlocks="fid, fid@pytorch-fid",
        load=load_inception,
    ),
}


def own_file(name: str) -> Path:
    """Return the path of our judge's weights: the one that the user trained and put into the cache folder,
    else the one that comes with talk. Raises AssetError without either.
    """
    for folder in (cache_dir(), WEIGHTS_DIR):
        path = folder / OWN_JUDGES[name]
        if path.is_file():
            return path
    # The sentence stands alone in a table's cell, so that it says what to do.
    raise AssetError(
        f"Our judge {name} does not come with this version. Run: talk train-judge MANIFEST --recipe {name} "
        f"--out RUN, and copy RUN/best.safetensors to {cache_dir() / OWN_JUDGES[name]}."
    )


def own_judge(name: str) -> tuple[Any, Header]:
    """Return our judge with weights, in evaluation mode on the CPU, and the header of its file.

    Raises AssetError when the file is missing, InputError when it is damaged.
    """
    return _own(own_file(name))


@lru_cache(maxsize=len(OWN_JUDGES))
def _own(path: Path) -> tuple[Any, Header]:
    return load_model(path)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Who judged, for reports."""

    name: str
    """Name in words that stand beside a value."""
    sha256: str
    """Hash of the file of its weights, by which two reports have the same judge or not."""


def judge_of(weights: str, words: str) -> Judge | None:
    """Return the judge that measures with the file of `weights`; None where there is no file.

    Args:
        weights: Name in `OWN_JUDGES` or `PUBLISHED_JUDGES`.
        words: Name of the judge that comes with talk, or of the published one. A judge that the user
            trained is called the user's, with the first digits of its hash.
    """
    if weights in PUBLISHED_JUDGES:
        path = published_file(weights)
        return None if path is None else Judge(name=words, sha256=_hash(path))
    try:
        path = own_file(weights)
    except AssetError:
        return None
    digest = _hash(path)
    if path.parent != WEIGHTS_DIR:
        words = f"your judge {digest[:_DIGITS]}, not comparable with the papers"
    return Judge(name=words, sha256=digest)


def _hash(path: Path) -> str:
    # A report names the judge for every metric and emotion; the file is read again only when it changes.
    state = path.stat()
    return _hash_of(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _hash_of(path: Path, changed_ns: int, size: int) -> str:
    del changed_ns, size
    return sha256(path)


def published_file(name: str) -> Path | None:
    """Return the user's file of a judge of `PUBLISHED_JUDGES`: the one that its variable names (a file, or
    the folder of one), else the one in the cache folder; None without one.
    """
    judge = PUBLISHED_JUDGES[name]
    named = os.environ.get(judge.variable)
    for place in (*([Path(named)] if named else []), cache_dir()):
        path = place / judge.file if place.is_dir() else place
        if path.is_file():
            return path.absolute()
    return None


def published_judge(name: str) -> Any:
    """Return the network of a judge of `PUBLISHED_JUDGES`, frozen, on the CPU.

    Raises AssetError without its file, InputError for another or a damaged file.
    """
    judge, path = PUBLISHED_JUDGES[name], published_file(name)
    if path is None:
        # The sentence stands alone in a table's cell, so that it says what to get.
        raise AssetError(f"The weights of {judge.name} are not here. {judge.how_to_get}")
    return _loaded(name, path)


@lru_cache(maxsize=len(PUBLISHED_JUDGES))
def _loaded(name: str, path: Path) -> Any:
    return PUBLISHED_JUDGES[name].load(path)
