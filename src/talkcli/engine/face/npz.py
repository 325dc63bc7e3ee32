"""Named arrays out of an npz file, whatever state the file is in."""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.npy import LARGEST_BYTES, read_header
from talkcli.engine.inputs.regular import open_file


def read_arrays(
    path: Path, names: Sequence[str], *, kind: str, hint: str, optional: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """The arrays called `names`, and those of `optional` that are there; nothing is unpickled. `kind` says in
    errors what the file should have been.

    Raises InputError for a missing, unreadable or damaged file, and for one without some of the names.
    """
    try:
        with open_file(path) as raw, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            if not zipfile.is_zipfile(raw):
                raise InputError(f"{path} is no npz archive, so it is no {kind}.")
            with zipfile.ZipFile(raw) as archive:
                parts = {part.filename.removesuffix(".npy"): part for part in archive.infolist()}
                missing = [name for name in names if name not in parts]
                if missing:
                    raise InputError(f"{path} is an npz without {', '.join(missing)}, it is no {kind}.")
                there = [*names, *(name for name in optional if name in parts)]
                # A part never unfolds to more than the archive says.
                largest = max(parts[name].file_size for name in there)
                if largest > LARGEST_BYTES:
                    raise InputError(f"{path} unfolds to {largest} bytes, more than any {kind}.")
                return {name: _array(archive, parts[name]) for name in there}
    except InputError as error:
        raise InputError(error.problem, hint=hint) from error
    except (
        OSError, EOFError, ArithmeticError, LookupError, MemoryError, NotImplementedError, RuntimeError,
        SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error,
        tokenize.TokenError,
    ) as error:  # fmt: skip
        # Whatever zipfile and numpy stumble over in a damaged file.
        raise InputError(f"{path} is no readable {kind} ({error}).", hint=hint) from error


def _array(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> np.ndarray:
    """The array of one part, as long as its header says: that is known before memory is asked for.

    Raises ValueError for any other.
    """
    with archive.open(part) as file:
        assert isinstance(file, zipfile.ZipExtFile)
        try:
            shape, fortran, dtype = read_header(file)
        except InputError as error:
            raise ValueError(error.problem) from error
        if dtype.hasobject:
            raise ValueError(f"{part.filename} holds objects of Python, which are not read")
        held, promised = part.file_size - file.tell(), math.prod(shape) * dtype.itemsize
        if held != promised:
            raise ValueError(f"{part.filename} holds {held} bytes of values, its header says {promised}")
        return np.ndarray(shape, dtype, bytearray(file.read()), order="F" if fortran else "C")
