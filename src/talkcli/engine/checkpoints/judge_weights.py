"""The judges' weights: ours, which come with talk, and published ones, which the user has.

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
from talkcli.engine.checkpoints.published_judges import load_inception, load_syncnet
from talkcli.engine.errors import AssetError

# Our judges by the name of their method, and their files in the package.
OWN_JUDGES = {
    "sync": "judge-sync.safetensors",
    "ffd": "judge-ffd.safetensors",
    "emotion_image": "judge-emotion-image.safetensors",
}


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
        unlocks="fid",
        load=load_inception,
    ),
}


def own_file(name: str) -> Path:
    """Return the path of our judge's weights. Raises AssetError when the installed package lacks them."""
    path = WEIGHTS_DIR / OWN_JUDGES[name]
    if not path.is_file():
        raise AssetError(f"Our judge {path} is missing.", hint="Install the package again.")
    return path


@lru_cache(maxsize=len(OWN_JUDGES))
def own_judge(name: str) -> tuple[Any, Header]:
    """Return our judge with weights, in evaluation mode on the CPU, and the header of its file.

    Raises AssetError when the file is missing, InputError when it is damaged.
    """
    return load_model(own_file(name))


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
