"""Frames to a folder of files, `frame_000000.png` and on.

Axis names: `frames`, `height`, `width`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import errors_naming, temporary_folder
from talkcli.engine.types import Reporter

_OURS = re.compile(r"frame_\d{6}")
# zlib's fast end: a fifth larger, three times faster than its default.
_COMPRESSION = 2


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds anything, unless `overwrite`; InputError when `folder` is a file."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, a folder for frames is needed.", hint="Give another `out`.")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise UsageError(
            f"The folder {folder} is not empty.",
            hint="Name a new folder, or add `overwrite`: it replaces frame_* and leaves all else alone.",
        )


def write_frames(
    folder: Path,
    frames: Iterable[np.ndarray],
    *,
    num_frames: int,
    metadata: dict[str, Any],
    overwrite: bool,
    reporter: Reporter,
) -> None:
    """Write sRGB pictures (height width 3, or 4 with alpha, uint8) into `folder`.

    `metadata` is every file's comment, as JSON. Files and errors are those of `write_sequence`.
    """
    text = PngInfo()
    text.add_text("comment", json.dumps(metadata, sort_keys=True))
    pictures = (partial(_save, picture, text) for picture in frames)
    write_sequence(folder, ".png", pictures, num_frames=num_frames, overwrite=overwrite, reporter=reporter)


def write_sequence(
    folder: Path,
    suffix: str,
    frames: Iterable[Callable[[Path], None]],
    *,
    num_frames: int,
    overwrite: bool,
    reporter: Reporter,
) -> None:
    """Write `frame_000000` and on, with `suffix`, into `folder`; each of `frames` writes one file.

    The files are made beside `folder` and moved there when all of them are complete; on any failure `folder`
    is as before. Raises what `check_folder` raises.
    """
    check_folder(folder, overwrite=overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with errors_naming(folder), temporary_folder(folder.parent) as temporary:
        names = []
        for index, save in enumerate(frames):
            names.append(f"frame_{index:06d}{suffix}")
            save(temporary / names[-1])
            reporter.progress("frames", index + 1, num_frames)
        folder.mkdir(exist_ok=True)
        for name in names:
            (temporary / name).replace(folder / name)
        # The rest of an earlier, longer set would read as part of this one.
        for old in folder.iterdir():
            if _OURS.fullmatch(old.stem) and old.suffix == suffix and old.name not in set(names):
                old.unlink()


def _save(picture: np.ndarray, text: PngInfo, path: Path) -> None:
    Image.fromarray(picture).save(path, compress_level=_COMPRESSION, pnginfo=text)
