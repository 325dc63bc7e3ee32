"""MediaPipe's bundle of FaceLandmarker, which the user gives: where it lies, and whether it is whole.

The bundle is a zip file of networks in TensorFlow Lite's format. Only mediapipe runs them
(`arkit_scores.py`); this module finds and reads the file.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from pathlib import Path

from talkcli.engine.assets import cache_dir
from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.readers.regular import open_file

BUNDLE_FILE = "face_landmarker.task"
BUNDLE_URL = (
    f"https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/{BUNDLE_FILE}"
)
# The variable that names the bundle.
_VARIABLE = "TALK_FACE_LANDMARKER"
HOW_TO_GET = f"Download {BUNDLE_URL} (MediaPipe, Apache-2.0) and set {_VARIABLE}=/path/to/{BUNDLE_FILE}."
# Networks that talk uses; the last one gives the scores, and other bundles of MediaPipe lack it.
_NETWORKS = ("face_detector.tflite", "face_landmarks_detector.tflite", "face_blendshapes.tflite")
# Identifier of TensorFlow Lite's format, and its place in a file.
_FORMAT, _FORMAT_AT = b"TFL3", slice(4, 8)
# Most bytes of a bundle, and of what is packed in it. The published one has 4 MB.
_MOST_BYTES = 64 << 20


def bundle_path() -> Path | None:
    """Return the user's bundle: `$TALK_FACE_LANDMARKER` (a file, or the folder of one), else the one in the
    cache folder; None without one.
    """
    named = os.environ.get(_VARIABLE)
    for place in (*([Path(named)] if named else []), cache_dir()):
        path = place / BUNDLE_FILE if place.is_dir() else place
        if path.is_file():
            return path.absolute()
    return None


def find_bundle() -> Path:
    """Return the path of the user's bundle. Raises AssetError without one."""
    path = bundle_path()
    if path is None:
        raise AssetError(
            f"MediaPipe's {BUNDLE_FILE} is not here: ${_VARIABLE} is "
            f"{os.environ.get(_VARIABLE) or 'not set'}, and {cache_dir() / BUNDLE_FILE} does not exist.",
            hint=HOW_TO_GET,
        )
    return path


def read_bundle(path: Path) -> bytes:
    """Return the content of a bundle.

    Raises InputError for a file that is no such bundle, or a damaged one: the checksums of all its parts are
    compared.
    """
    with open_file(path) as file:
        content = file.read(_MOST_BYTES + 1)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {info.filename: info for info in archive.infolist()}
            if len(content) > _MOST_BYTES or sum(info.file_size for info in parts.values()) > _MOST_BYTES:
                raise InputError(f"{path} is larger than any bundle of FaceLandmarker.", hint=HOW_TO_GET)
            if missing := [name for name in _NETWORKS if name not in parts]:
                raise InputError(
                    f"{path} is no bundle of FaceLandmarker with scores: it lacks {', '.join(missing)}.",
                    hint=HOW_TO_GET,
                )
            broken = archive.testzip() or next(
                (name for name in _NETWORKS if archive.read(name)[_FORMAT_AT] != _FORMAT), None
            )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        # RuntimeError: a part is encrypted.
        raise InputError(
            f"{path} is no bundle of FaceLandmarker, or is cut short: it cannot be unpacked ({error}).",
            hint=HOW_TO_GET,
        ) from error
    if broken:
        raise InputError(f"{path} is damaged in {broken}.", hint=HOW_TO_GET)
    return content
