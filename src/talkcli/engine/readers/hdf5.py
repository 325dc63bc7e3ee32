"""Reader of arrays of floats from HDF5 files, also from hickle's and from damaged ones.

An HDF5 file may point to other files, or state shapes with more numbers than it holds. The reader reads only
data in the file itself, and allocates memory only after the size of the stored data has confirmed the shapes.
hickle keeps a dictionary in a group `data`, with its keys in quotation marks; the reader unpickles nothing.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.readers.regular import open_file
from talkcli.engine.wording import counted, some

# First bytes of an HDF5 file.
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Name of the group in which hickle keeps a dictionary.
_HICKLE = "data"
# Size in bytes of the largest array. An hour of 100 coefficients takes 72 MB as doubles; a clip of MEAD lasts
# only seconds.
_LARGEST_BYTES = 1 << 27
# Greatest number of axes of an array.
_MOST_AXES = 8
# Greatest ratio of an array's size to its compressed size; deflate itself reaches at most 1032.
_MOST_COMPRESSION = 1100
# Filters that are part of HDF5; for any other HDF5 would load a library.
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}


def read_datasets(
    path: Path, names: Sequence[str], *, kind: str, hint: str
) -> dict[str, Float[np.ndarray, "..."]]:
    """Return the finite floats of the data sets called `names`, in the file's root or in hickle's group.

    Args:
        path: HDF5 file to read.
        names: Names of the data sets, without hickle's quotation marks.
        kind: What the file should be, for errors.
        hint: Next step for the user, for errors.

    Raises:
        InputError: The file is missing, damaged or not HDF5, or a data set is missing, lies in another file,
            or holds something else.
    """
    _check_signature(path, kind, hint)
    try:
        with h5py.File(path, "r", locking=False) as file:
            stored = _stored(file)
            missing = [name for name in names if name not in stored]
            if missing:
                found = some(sorted(stored)) or "nothing"
                raise InputError(
                    f"{path} holds no {', '.join(missing)} (found: {found}), it is not a {kind}.", hint=hint
                )
            return {name: _read(path, name, stored[name], hint) for name in names}
    except (
        OSError, ArithmeticError, AttributeError, LookupError, MemoryError, NotImplementedError, RuntimeError,
        TypeError, ValueError,
    ) as error:  # fmt: skip
        # These are the exceptions that h5py raises for a damaged file.
        raise InputError(f"{path} is not a readable {kind} ({error}).", hint=hint) from error


def _check_signature(path: Path, kind: str, hint: str) -> None:
    try:
        # Opening a pipe would wait for its writer.
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path} is not a regular file.", hint=hint)
        with open_file(path) as file:
            head = file.read(len(_SIGNATURE))
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing.", hint=hint) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).", hint=hint) from error
    if not head:
        raise InputError(f"{path} is an empty file (0 bytes).", hint=hint)
    if head != _SIGNATURE:
        what = "a pickle, which is not opened" if head[:1] == b"\x80" else "no HDF5 file"
        raise InputError(f"{path} is {what}; {kind} is HDF5.", hint=hint)


def _stored(file: h5py.File) -> dict[str, Any]:
    """Return the objects in the file itself by their plain names, without links to elsewhere."""
    group: Any = file
    if _is_own(file, _HICKLE) and isinstance(file[_HICKLE], h5py.Group):
        group = file[_HICKLE]
    return {name.strip("\"'"): group[name] for name in group if _is_own(group, name)}


def _is_own(group: Any, name: str) -> bool:
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _read(path: Path, name: str, stored: Any, hint: str) -> Float[np.ndarray, "..."]:
    where = f"{path}, {name}"
    if not isinstance(stored, h5py.Dataset) or stored.shape is None:
        raise InputError(f"{where}: it is no array.", hint=hint)
    if stored.dtype.kind != "f" or stored.dtype.itemsize > 8:
        raise InputError(f"{where}: it holds {stored.dtype}, floats are needed.", hint=hint)
    if stored.is_virtual or stored.external:
        raise InputError(f"{where}: the numbers lie in another file, which is not opened.", hint=hint)
    properties = stored.id.get_create_plist()
    filters = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
    if not set(filters) <= _FILTERS:
        raise InputError(f"{where}: it is packed with a filter that is not part of HDF5.", hint=hint)
    if (
        len(stored.shape) > _MOST_AXES
        or math.prod(max(length, 1) for length in stored.shape) > _LARGEST_BYTES
    ):
        raise InputError(f"{where}: it has a shape of {stored.shape}, which is too large.", hint=hint)
    promised, there = math.prod(stored.shape) * stored.dtype.itemsize, stored.id.get_storage_size()
    block = math.prod(stored.chunks or ()) * stored.dtype.itemsize
    if max(promised, block) > _LARGEST_BYTES or there > path.stat().st_size:
        raise InputError(f"{where}: {promised} bytes of numbers are more than a clip has.", hint=hint)
    if there * (_MOST_COMPRESSION if filters else 1) < promised:
        raise InputError(
            f"{where}: it has {counted(there, 'byte')}, the shape promises {promised}.", hint=hint
        )
    numbers = np.asarray(stored[()])
    if not np.isfinite(numbers).all():
        num_broken = int(np.sum(~np.isfinite(numbers)))
        broken = counted(num_broken, "value is not a finite number", "values are not finite numbers")
        raise InputError(f"{where}: {broken}.", hint=hint)
    return numbers
