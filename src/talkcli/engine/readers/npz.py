"""Named arrays out of an npz file, whatever state the file is in."""

from __future__ import annotations

import math
import sys
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.readers.npy import LARGEST_BYTES, read_header
from talkcli.engine.readers.regular import open_file

# Numbers and text: no objects, dates, records or complex numbers.
_KINDS = "biufUS"
# Deflate's own limit is 1032.
_MOST_COMPRESSION = 1100
# What an array's own header takes.
_HEADER_BYTES = 1 << 14
# Bytes looked at together.
_CHUNK = 1 << 20


def read_arrays(
    path: Path,
    names: Sequence[str],
    *,
    kind: str,
    hint: str,
    optional: Sequence[str] = (),
    most_bytes: Mapping[str, int] | None = None,
) -> dict[str, np.ndarray]:
    """Return the arrays called `names`, and those of `optional` that are there: numbers and text, nothing is
    unpickled. `kind` says in errors what the file should have been, `most_bytes` how much an array of a name
    may unfold to.

    Raises InputError for a missing, unreadable or damaged file, for one without some of the names, and for
    arrays of anything else; before more memory is asked for than the parts that are wanted take.
    """
    try:
        with open_file(path) as raw, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            if not zipfile.is_zipfile(raw):
                raise InputError(f"{path} is no npz archive, so it is no {kind}.")
            with zipfile.ZipFile(raw) as archive:
                parts = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
                missing = [name for name in names if name not in parts]
                if missing:
                    raise InputError(f"{path} is an npz without {', '.join(missing)}, it is no {kind}.")
                there = [*names, *(name for name in optional if name in parts)]
                unfolded = sum(parts[name].file_size for name in there)
                if unfolded > LARGEST_BYTES:
                    raise InputError(f"{path} unfolds to {unfolded} bytes, more than any {kind}.")
                return {
                    name: _read_part(path, archive, parts[name], (most_bytes or {}).get(name, LARGEST_BYTES))
                    for name in there
                }
    except InputError as error:
        raise InputError(error.problem, hint=hint) from error
    except (
        OSError, EOFError, ArithmeticError, LookupError, MemoryError, NotImplementedError, RuntimeError,
        SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error,
        tokenize.TokenError,
    ) as error:  # fmt: skip
        # Whatever zipfile and numpy stumble over in a damaged file.
        raise InputError(f"{path} is no readable {kind} ({error}).", hint=hint) from error


def _read_part(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, most_bytes: int) -> np.ndarray:
    # A part never unfolds to more than the archive says, whatever the array's header promises.
    if info.file_size > min(most_bytes + _HEADER_BYTES, _MOST_COMPRESSION * info.compress_size + 1):
        raise InputError(f"{path}: {info.filename} unfolds to {info.file_size} bytes, more than it can hold.")
    with archive.open(info) as part:
        shape, fortran, dtype = read_header(part)  # type: ignore[arg-type]
        if dtype.kind not in _KINDS:
            raise InputError(f"{path}: {info.filename} holds {dtype}, numbers or text are needed.")
        there, promised = info.file_size - part.tell(), math.prod(shape) * dtype.itemsize
        if there != promised:
            raise InputError(
                f"{path}: {info.filename} holds {there} bytes of values, its header says {promised}."
            )
        content = bytearray(there)
        for start in range(0, there, _CHUNK):
            content[start : start + _CHUNK] = part.read(_CHUNK)
        # The checksum is compared at the end.
        part.read(1)
    if len(content) != there:
        raise InputError(f"{path}: {info.filename} ends too early.")
    if dtype.kind == "U" and np.frombuffer(content, f"{dtype.str[0]}u4").max(initial=0) > sys.maxunicode:
        raise InputError(f"{path}: {info.filename} holds text of characters that there are not.")
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
