"""Reader of arrays of numbers from .npy files, also from damaged ones.

The reader unpickles nothing, and allocates memory only after the size of the file has confirmed the shape in
its header. All errors are InputErrors that name the file.
"""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float, Shaped
from numpy.lib import format as npy

from talkcli.engine.errors import InputError
from talkcli.engine.readers.regular import open_file
from talkcli.engine.wording import counted

# numpy's kinds of real numbers: bool, signed and unsigned integers, floats.
_NUMBERS = "biuf"
# Versions of the .npy format that the reader knows.
_VERSIONS = ((1, 0), (2, 0), (3, 0))
# Greatest number of axes of an array.
_MOST_AXES = 8
# Greatest number of elements of an array, where an axis of length 0 counts as 1.
_MOST_ELEMENTS = 1 << 48
# Size in bytes of the largest array that is read whole. Such an array belongs to one clip or model; a
# recording of ten hours takes half of this size.
LARGEST_BYTES = 1 << 30


def read_floats(path: Path) -> Float[np.ndarray, "..."]:
    """Return the finite floats of `path`, of any shape and width. Raises InputError for anything else."""
    with open_file(path) as file:
        shape, fortran, dtype = read_header(file)
        if dtype.kind != "f":
            raise InputError(f"{path} holds {dtype}, floats are needed.")
        _check_size(path, file.tell(), shape, dtype)
        if math.prod(shape) * dtype.itemsize > LARGEST_BYTES:
            raise InputError(f"{path} holds {shape}, more numbers than any clip.")
        numbers = np.frombuffer(file.read(), dtype)
    if not np.isfinite(numbers).all():
        num_broken = int(np.sum(~np.isfinite(numbers)))
        broken = counted(
            num_broken, "value that is not a finite number", "values that are not finite numbers"
        )
        raise InputError(f"{path} holds {broken}.")
    return numbers.reshape(shape, order="F" if fortran else "C")


def map_array(path: Path) -> Shaped[np.ndarray, "..."]:
    """Return the numbers of `path` as a memory map; they may be infinite or NaN.

    Raises InputError for a file that does not match its header, or that holds no numbers.
    """
    with open_file(path) as file:
        shape, fortran, dtype = read_header(file)
        start = file.tell()
    if dtype.kind not in _NUMBERS:
        raise InputError(f"{path} holds {dtype}, numbers are needed.")
    _check_size(path, start, shape, dtype)
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype)
    try:
        return np.memmap(path, dtype, mode="r", offset=start, shape=shape, order="F" if fortran else "C")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error


def read_header(file: BinaryIO | zipfile.ZipExtFile) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Return the shape, whether the first axis runs fastest, and the element type of a .npy file.

    Afterwards `file` is at the first number. Raises InputError for a damaged header.
    """
    path = file.name
    if not file.read(1):
        raise InputError(f"{path} is an empty file (0 bytes).")
    file.seek(0)
    try:
        with warnings.catch_warnings():
            # numpy reads headers that Python 2 wrote, but warns about them.
            warnings.simplefilter("ignore")
            version = npy.read_magic(file)
            if version not in _VERSIONS:
                raise ValueError(f"format {version[0]}.{version[1]} is not known")
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = read(file)
    except (
        ArithmeticError, LookupError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError,
        tokenize.TokenError,
    ) as error:  # fmt: skip
        # These are the exceptions that numpy raises for a damaged header.
        raise InputError(f"{path} is not a readable .npy array ({error}).") from error
    # With an axis of length 0 the size of the file says nothing about the lengths of the other axes.
    num_elements = math.prod(max(length, 1) for length in shape)
    if min(shape, default=0) < 0 or len(shape) > _MOST_AXES or num_elements > _MOST_ELEMENTS:
        raise InputError(f"{path} has a shape of {shape}, which is negative or too large.")
    return tuple(int(length) for length in shape), fortran, dtype


def _check_size(path: Path, start: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
    there, promised = path.stat().st_size - start, math.prod(shape) * dtype.itemsize
    if there != promised:
        raise InputError(f"{path} holds {there} bytes of numbers, its header says {promised}.")
