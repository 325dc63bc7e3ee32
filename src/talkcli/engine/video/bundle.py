"""MediaPipe's bundle of FaceLandmarker, which the user gives: where it lies, and its content."""

from __future__ import annotations

import os
from pathlib import Path

from talkcli.engine.assets import cache_dir
from talkcli.engine.errors import AssetError
from talkcli.engine.readers import face_landmarker

BUNDLE_FILE = "face_landmarker.task"
BUNDLE_URL = (
    f"https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/{BUNDLE_FILE}"
)
# The variable that names the bundle.
_VARIABLE = "TALK_FACE_LANDMARKER"
HOW_TO_GET = f"Download {BUNDLE_URL} (MediaPipe, Apache-2.0) and set {_VARIABLE}=/path/to/{BUNDLE_FILE}."


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
    """Return the content of a bundle. Raises InputError for another or a damaged file."""
    return face_landmarker.read_bundle(path, hint=HOW_TO_GET)
