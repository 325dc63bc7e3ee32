"""Reader of named arrays from npz files, also from damaged ones."""

from __future__ import annotations

import math
import struct
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

# numpy's kinds of numbers and text, without objects, dates, records and complex numbers.
_KINDS = "biufUS"
# Greatest ratio of an array's size to its compressed size; deflate itself reaches at most 1032.
_MOST_COMPRESSION = 1100
# Greatest size in bytes of an array's own header.
_HEADER_BYTES = 1 << 14
# Number of bytes that the reader takes from a zip member at a time.
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
    """Return the arrays called `names`, and those of `optional` that the file has. Unpickle nothing.

    Args:
        path: npz file to read.
        names: Names of the arrays that the file must have.
        kind: What the file should be, for errors.
        hint: Next step for the user, for errors.
        optional: Names of the arrays that the file may have.
        most_bytes: Greatest size in bytes of the array of each name, decompressed; 1 GiB for other names.

    Raises:
        InputError: The file is missing, unreadable or damaged, lacks an array of `names`, or holds a wanted
            array of anything but numbers and text. The reader allocates only the memory that the wanted
            arrays take.
    """
    try:
        with open_file(path) as raw, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            if not zipfile.is_zipfile(raw):
                raise InputError(f"{path} is not an npz archive, so it is no {kind}.")
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
        # These are the exceptions that zipfile and numpy raise for a damaged file.
        raise InputError(f"{path} is no readable {kind} ({error}).", hint=hint) from error


def array_names(path: Path) -> frozenset[str]:
    """Return the names of the arrays in an npz file; none for a file that is no archive.

    Raises InputError for a file that cannot be read.
    """
    with open_file(path) as raw:
        try:
            with zipfile.ZipFile(raw) as archive:
                return frozenset(name.removesuffix(".npy") for name in archive.namelist())
        except (
            OSError, EOFError, ArithmeticError, LookupError, MemoryError, NotImplementedError, RuntimeError,
            ValueError, struct.error, zipfile.BadZipFile, zipfile.LargeZipFile,
        ):  # fmt: skip
            return frozenset()


def _read_part(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, most_bytes: int) -> np.ndarray:
    # zipfile never decompresses a part to more than the archive states, whatever the array's header states.
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
        # zipfile compares the checksum when a read reaches the end.
        part.read(1)
    if len(content) != there:
        raise InputError(f"{path}: {info.filename} ends too early.")
    if dtype.kind == "U" and np.frombuffer(content, f"{dtype.str[0]}u4").max(initial=0) > sys.maxunicode:
        raise InputError(f"{path}: {info.filename} holds text with characters that are not in Unicode.")
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
