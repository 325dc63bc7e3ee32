"""What a glTF file refers to by URI: data in the URI itself, or a file in the folder of the glTF file.

No other place is read, and nothing is fetched. All errors are InputErrors that name the glTF file.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from talkcli.engine.errors import InputError
from talkcli.engine.files import real_path
from talkcli.engine.readers.regular import open_file

_DATA = re.compile(r"data:[^,]{0,200}?(;base64)?,", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LONGEST_URI = 4096


@dataclass(frozen=True)
class Resources:
    """The folder of a glTF file; None: it refers to nothing but itself."""

    folder: Path | None = None

    def read(self, uri: str, of: str, *, largest: int, whole: bool = True) -> bytes:
        """Return the bytes behind `uri`, which the file `of` refers to.

        Raises InputError for more than `largest` bytes (unless not the `whole` is asked for: then the first
        ones are returned), for a place outside the folder, and for what cannot be read.
        """
        if uri[:5].lower() == "data:":
            found = _decoded(uri, of, largest)
        else:
            with open_file(self._file(uri, of)) as file:
                size = os.fstat(file.fileno()).st_size
                if whole and size > largest:
                    raise InputError(f"{of} refers to {_short(uri)}, which has {size} bytes.")
                found = file.read(largest)
        if whole and len(found) > largest:
            raise InputError(f"{of} holds {len(found)} bytes in a URI, {largest} at most are read.")
        return found if whole else found[:largest]

    def _file(self, uri: str, of: str) -> Path:
        """Return the file of a relative `uri`; links that lead out of the folder are refused too."""
        if self.folder is None or len(uri) > _LONGEST_URI or _SCHEME.match(uri):
            raise InputError(
                f"{of} refers to {_short(uri)}, which is no file beside it.",
                hint="Save it with all its data in one .glb file.",
            )
        try:
            name = unquote_to_bytes(uri).decode()
            folder = real_path(self.folder)
            file = real_path(folder / name)
        except ValueError as error:
            # A name that is no text, or one with a zero byte.
            raise InputError(f"{of} refers to {_short(uri)}, which is no name of a file.") from error
        if not file.is_relative_to(folder):
            raise InputError(
                f"{of} refers to {_short(uri)}, which lies outside its folder and is not read.",
                hint="Put all its files into one folder, or save it as one .glb file.",
            )
        return file


def _decoded(uri: str, of: str, largest: int) -> bytes:
    head = _DATA.match(uri)
    if head is None or head[1] is None:
        raise InputError(f"{of} has a data URI that is not base64: {_short(uri)}.")
    # Three bytes of every four characters; a little more for ends that are not checked yet.
    if (len(uri) - head.end()) // 4 * 3 > largest + 64:
        raise InputError(f"{of} has a data URI of more than the {largest} bytes that it states.")
    try:
        # Some writers leave out the padding.
        return base64.b64decode(uri[head.end() :] + "=" * (-(len(uri) - head.end()) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{of} has a data URI that is not base64 ({error}).") from error


def _short(uri: str) -> str:
    return repr(uri if len(uri) <= 60 else uri[:57] + "...")
