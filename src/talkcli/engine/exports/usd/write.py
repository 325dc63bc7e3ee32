"""Export to USD: `.usda` (text), `.usdc` and `.usd` (binary), their sound beside; `.usdz`, the sound inside.

Heads become skeletons with blend shapes, motion of vertices becomes points over time. Source: Pixar, UsdSkel
and UsdMedia schemas; the usdz specification.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from talkcli.engine.audio.io import write_wav
from talkcli.engine.errors import TalkError
from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.rig.of_head import moved_rig
from talkcli.engine.exports.sound_beside import name_of_sound, write_sound_beside
from talkcli.engine.exports.usd.library import pxr
from talkcli.engine.exports.usd.skeleton import add_rig
from talkcli.engine.exports.usd.vertices import add_vertices
from talkcli.engine.files import atomic_path, check_file, temporary_folder
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Motion
from talkcli.engine.version import __version__

_PACKAGE = ".usdz"
# Path of the root, and names of the files inside a package.
_ROOT, _SOUND = "/head", "/head/sound"
_SCENE_FILE, _SOUND_FILE = "face.usdc", "speech.wav"


def check(out: Path, shot: Shot, overwrite: bool) -> None:  # noqa: ARG001  a scene is one file
    """Raise InputError when `out` cannot be a file, and ExtraError without the package usd-core."""
    check_file(out)
    pxr()


def write(out: Path, piece: Piece) -> None:
    """Write the piece to `out`.

    Raises what `Piece.surface` raises, AssetError for vertices whose triangles are unknown, and TalkError
    when the library fails.
    """
    try:
        _write(out, piece)
    except pxr("Tf").ErrorException as error:
        raise TalkError(f"USD could not write {out}.", hint="Check the free space.") from error


def _write(out: Path, piece: Piece) -> None:
    if out.suffix.lower() != _PACKAGE:
        with atomic_path(out) as temporary:
            _write_scene(temporary, piece, name_of_sound(out, piece))
        write_sound_beside(out, piece)
        return
    with temporary_folder() as folder, atomic_path(out) as temporary:
        sound = None
        if piece.speech is not None:
            sound = _SOUND_FILE
            write_wav(folder / sound, piece.speech)
        _write_scene(folder / _SCENE_FILE, piece, sound, suffix=out.suffix)
        usd_utils = pxr("UsdUtils")
        asset = pxr("Sdf").AssetPath(str(folder / _SCENE_FILE))
        if not usd_utils.CreateNewUsdzPackage(asset, str(temporary)):
            raise TalkError(f"USD could not pack {out}.", hint="Check the free space.")


def _write_scene(path: Path, piece: Piece, sound: str | None, suffix: str | None = None) -> None:
    """Write the scene to `path`; errors name `suffix`, by default that of `path`."""
    usd = pxr("Usd")
    geometry = pxr("UsdGeom")
    surface = piece.surface()
    stage = usd.Stage.CreateNew(str(path))
    geometry.SetStageUpAxis(stage, geometry.Tokens.y)
    geometry.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(surface.fps)
    stage.SetFramesPerSecond(surface.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(surface.num_frames - 1)
    stage.SetMetadata("comment", f"talk {__version__}")
    stage.SetMetadata("customLayerData", {"talk": json.dumps(dict(piece.meta), sort_keys=True)})
    if isinstance(surface.motion, Motion):
        rig, moves = moved_rig(surface, suffix or path.suffix)
        root = add_rig(stage, _ROOT, rig, moves)
    else:
        root = add_vertices(stage, _ROOT, surface)
    stage.SetDefaultPrim(root)
    if sound is not None:
        _add_sound(stage, sound, surface.num_frames)
    stage.GetRootLayer().Save()


def _add_sound(stage: Any, file: str, num_frames: int) -> None:
    """Add the sound in `file`, which begins with frame 0 and is heard everywhere at the same level."""
    media = pxr("UsdMedia")
    sdf = pxr("Sdf")
    sound = media.SpatialAudio.Define(stage, _SOUND)
    # A path beside the scene; without ./ it would be looked for along a search path.
    sound.CreateFilePathAttr(sdf.AssetPath(f"./{file}"))
    sound.CreateAuralModeAttr(media.Tokens.nonSpatial)
    sound.CreatePlaybackModeAttr(media.Tokens.onceFromStartToEnd)
    sound.CreateStartTimeAttr(sdf.TimeCode(0))
    # The last frame is shown for as long as any other.
    sound.CreateEndTimeAttr(sdf.TimeCode(num_frames))
