"""The heads by name, and where the user's own licensed head is looked for."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from talkcli.engine.assets import cache_dir
from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.face.head import Head, Posable
from talkcli.engine.types import Reporter

# Name -> what it is; the path of a head's file is its name too.
HEADS: dict[str, str] = {
    "ada": "a woman of about 30; talk's own head, free, with 50 named expression channels and a jaw",
    "abe": "a man of about 35, moved by the same channels",
    "bust": "neither man nor woman, without hair, for figures",
    "flame": "your own FLAME 2020 generic_model.pkl, from $TALK_FLAME or the cache folder",
}
# The heads that talk generates, which share channels, regions and the numbering of vertices.
GENERATED = ("ada", "abe", "bust")
FLAME_FILE = "generic_model.pkl"
AVATARS = (".glb", ".gltf", ".vrm")
_FILE_SUFFIXES = (".pkl", ".npz", *AVATARS)


def flame_path() -> Path | None:
    """Return the user's FLAME file: `$TALK_FLAME` (a file, or the folder of one), else the cache folder's."""
    named = os.environ.get("TALK_FLAME")
    places = [Path(named)] if named else []
    places.append(cache_dir() / "flame")
    for place in places:
        path = place / FLAME_FILE if place.is_dir() else place
        if path.is_file():
            return path
    return None


def is_head(name: str) -> bool:
    """Return whether `load_head` knows a head called `name`."""
    return name in HEADS or name.lower().endswith(_FILE_SUFFIXES)


def head_file(name: str) -> Path | None:
    """Return the user's file that `load_head` reads for the head called `name`; None where it needs none."""
    if name == "flame":
        return flame_path()
    return Path(name) if name.lower().endswith(_FILE_SUFFIXES) else None


def tell_head(head: object, reporter: Reporter) -> None:
    """Note what of an avatar moves, and warn where its mouth does not; of another head nothing."""
    if isinstance(head, Posable):
        from talkcli.engine.face.avatar.read import tell

        tell(head, reporter)


def load_head(name: str) -> Head:
    """Return the head called `name`: a key of `HEADS`, a file that `talk head`, `talk rig` or FLAME's authors
    made, or an avatar (.glb, .gltf, .vrm).

    Raises UsageError for an unknown name, AssetError when the head's files are missing, InputError when they
    are not what they should be.
    """
    if name in GENERATED:
        from talkcli.engine.face.ada.head import AdaHead

        return AdaHead.load(name)
    if name == "flame":
        path = flame_path()
        if path is None:
            raise AssetError(
                f"The FLAME model is not here: $TALK_FLAME is {os.environ.get('TALK_FLAME') or 'not set'}, "
                f"and {cache_dir() / 'flame' / FLAME_FILE} does not exist.",
                hint="Register at https://flame.is.tue.mpg.de, accept the FLAME licence, download FLAME 2020 "
                f"and set TALK_FLAME=/path/to/{FLAME_FILE}.",
            )
    elif name.lower().endswith(_FILE_SUFFIXES):
        path = Path(name)
        if not path.is_file():
            raise AssetError(
                f"The head file {name} does not exist.", hint=f"Known heads: {', '.join(HEADS)}."
            )
    else:
        near = difflib.get_close_matches(name.lower(), HEADS, n=1)
        known = (
            f"Known heads: {', '.join(HEADS)}, or the path of a head's .npz, FLAME's .pkl or an avatar's "
            ".glb, .gltf or .vrm."
        )
        raise UsageError(
            f"There is no head called {name}.", hint=f"Did you mean {near[0]}? {known}" if near else known
        )
    if path.suffix.lower() in AVATARS:
        from talkcli.engine.face.avatar.read import read_avatar

        return read_avatar(path)
    from talkcli.engine.face.head_file import is_head_file, read_head
    from talkcli.engine.face.rig_file import is_rig_file, read_rig

    if is_rig_file(path):
        return read_rig(path)
    if is_head_file(path):
        return read_head(path)
    from talkcli.engine.face.flame import FlameHead

    return FlameHead.load(path)
