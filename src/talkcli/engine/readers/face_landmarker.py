"""Reader of MediaPipe's bundle of FaceLandmarker: a zip file of networks in TensorFlow Lite's format.

Only mediapipe runs the networks (`video/arkit_scores.py`); what it is given is whole, and unfolds to little.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

from talkcli.engine.errors import InputError
from talkcli.engine.readers.regular import open_file

# Networks that talk uses; the last one gives the scores, and other bundles of MediaPipe lack it.
_NETWORKS = ("face_detector.tflite", "face_landmarks_detector.tflite", "face_blendshapes.tflite")
# Identifier of TensorFlow Lite's format, and its place in a file.
_FORMAT, _FORMAT_AT = b"TFL3", slice(4, 8)
# Most bytes of a bundle, and of what is packed in it. The published one has 4 MB.
_MOST_BYTES = 64 << 20
# How parts may be packed. Other packings fail in ways of their own, and bundles do not use them.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_bundle(path: Path, *, hint: str) -> bytes:
    """Return the content of a bundle.

    Args:
        path: The file.
        hint: Next step for the user, for errors about its content.

    Raises:
        InputError: The file cannot be read, is no such bundle, or is damaged: the checksums of all its parts
            are compared.
    """
    with open_file(path) as file:
        content = file.read(_MOST_BYTES + 1)
    try:
        problem = _problem(content)
    except (
        zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    ) as error:  # fmt: skip
        # RuntimeError: a part is encrypted.
        raise InputError(
            f"{path} is no bundle of FaceLandmarker, or is cut short: it cannot be unpacked ({error}).",
            hint=hint,
        ) from error
    if problem:
        raise InputError(f"{path} {problem}.", hint=hint)
    return content


def _problem(content: bytes) -> str:
    """Return what is wrong with a bundle, as a predicate; "" for a whole one."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if max(len(content), sum(part.file_size for part in parts)) > _MOST_BYTES:
            return "is larger than any bundle of FaceLandmarker"
        if len(names) < len(parts):
            return "is no bundle of FaceLandmarker: several of its parts have one name"
        if missing := [name for name in _NETWORKS if name not in names]:
            return f"is no bundle of FaceLandmarker with scores: it lacks {', '.join(missing)}"
        if strange := next((part.filename for part in parts if part.compress_type not in _PACKINGS), ""):
            return f"is no bundle of FaceLandmarker: {strange} is packed in an unusual way"
        broken = archive.testzip() or next(
            (name for name in _NETWORKS if archive.read(name)[_FORMAT_AT] != _FORMAT), None
        )
        return f"is damaged in {broken}" if broken else ""
