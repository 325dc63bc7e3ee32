"""Reader of pickles from untrusted sources that runs no code of them.

`pickle_machine` turns the file into inert records. This module makes arrays of the records on an allow-list:
numpy arrays and scalars, chumpy leaves and reorderings, and scipy's compressed sparse matrices (made dense).
It refuses any other global and names it. The size of the file bounds the memory that its content may take.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Shaped

from talkcli.engine.errors import InputError
from talkcli.engine.readers.npy import map_array, read_header
from talkcli.engine.readers.pickle_machine import run
from talkcli.engine.readers.pickle_records import Record, RefusedError, Span, decode
from talkcli.engine.readers.regular import open_file
from talkcli.engine.readers.unfolding import Unfolding

# Size in bytes of the largest pickle that is read whole; no model file that `talk` reads is larger.
_LARGEST_FILE_BYTES = 1 << 30
# Greatest number of file bytes that stand for one byte of an array when a pickle stores it as text.
_LONGEST_CODE = 6

# Full names of the globals that a pickle may name.
_ALLOWED = {
    "numpy.ndarray", "numpy.dtype", "_codecs.encode", "collections.OrderedDict",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
    "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer",
    "copy_reg._reconstructor", "copyreg._reconstructor",
    "__builtin__.object", "builtins.object", "__builtin__.set", "builtins.set",
    "__builtin__.bytes", "builtins.bytes",
    # DECA's landmark file holds two torch tensors that no command needs; they stay inert.
    "torch._utils._rebuild_tensor_v2", "torch.storage._load_from_bytes",
}  # fmt: skip
_ALLOWED_PACKAGES = ("chumpy.", "scipy.sparse.")


@dataclass(frozen=True, kw_only=True)
class StoredArray:
    """Array of numbers that stays in its pickle until `read` loads it."""

    path: Path
    """File that holds the pickle."""
    start: int
    """Position of the array's first byte in the file."""
    length: int
    """Length of the array in the file, in bytes."""
    coding: str
    """Encoding of the bytes in the file, as `pickle_records.decode` takes it."""
    dtype: str
    """Element type as numpy's type string."""
    shape: tuple[int, ...]
    """Shape of the array."""
    fortran: bool
    """Whether the first axis runs fastest (Fortran order)."""
    changed_ns: int = field(repr=False)
    """Modification time of the file in nanoseconds; the other fields are valid only while it is the same."""

    def read(self) -> Shaped[np.ndarray, "..."]:
        """Return the array.

        Raises InputError when the file is gone, has changed, or does not hold the array that the pickle
        describes.
        """
        dtype = np.dtype(self.dtype)
        if self.length > _LONGEST_CODE * math.prod(self.shape) * dtype.itemsize:
            raise InputError(
                f"{self.path} holds an array of shape {self.shape} in {self.length} bytes, too many for it."
            )
        try:
            with open_file(self.path) as stream:
                if self.path.stat().st_mtime_ns != self.changed_ns:
                    raise InputError(f"{self.path} has changed since it was opened.", hint="Run this again.")
                stream.seek(self.start)
                data = _as_bytes(decode(stream.read(self.length), self.coding))
            return _array_of(data, dtype, self.shape, self.fortran)
        except (RefusedError, OSError, ArithmeticError, MemoryError, TypeError, ValueError) as error:
            raise InputError(f"{self.path} holds an array that cannot be read ({error}).") from error


def read_pickle(path: Path, *, in_place: bool = False) -> Any:
    """Return the content of a pickle, or of an npy file around one, as plain containers, numbers, text and
    arrays.

    The reader takes Python 2 text as latin-1 and returns sets as lists. An allowed object without a plain
    form (a torch tensor) stays a `Record`. With `in_place` arrays of more than some 256 bytes stay on the
    disk as `StoredArray`. Raises InputError for anything else; no code of the file runs.
    """
    with _in_words(path), open_file(path) as stream:
        size = path.stat().st_size
        if size > _LARGEST_FILE_BYTES and not in_place:
            raise RefusedError(f"it has {size} bytes, more than any model file")
        magic = stream.read(6)
        stream.seek(0)
        if magic == b"\x93NUMPY" and not read_header(stream)[2].hasobject:
            return np.array(map_array(path))
        return _Arrays(path, stream, size, in_place).plain(run(stream, size, _is_allowed))


def parse_pickle(content: bytes, where: Path) -> Any:
    """Read a pickle that is part of a file, as `read_pickle` does; `where` names the file in errors."""
    with _in_words(where):
        stream = io.BytesIO(content)
        return _Arrays(where, stream, len(content), False).plain(run(stream, len(content), _is_allowed))


@contextlib.contextmanager
def _in_words(where: Path) -> Iterator[None]:
    """Turn every exception that a malformed pickle raises into an InputError that names the file `where`."""
    try:
        yield
    except RefusedError as error:
        raise InputError(
            f"{where} was not read: {error}. Nothing of it has run.",
            hint="Use the file exactly as its authors publish it.",
        ) from error
    except OSError as error:
        raise InputError(f"{where} cannot be read ({error.strerror}).") from error
    except (
        ArithmeticError, AttributeError, AssertionError, LookupError, MemoryError, TypeError, ValueError,
        struct.error, tokenize.TokenError,
    ) as error:  # fmt: skip
        raise InputError(f"{where} is not a readable pickle ({type(error).__name__}: {error}).") from error


def _is_allowed(name: str) -> bool:
    return name in _ALLOWED or name.startswith(_ALLOWED_PACKAGES)


class _Arrays(Unfolding):
    """Unfolding that makes arrays of records."""

    def __init__(self, path: Path, stream: BinaryIO | io.BytesIO, size: int, in_place: bool) -> None:
        # Arrays that stay in the file do not count towards the memory budget.
        super().__init__(stream, min(size, _LARGEST_FILE_BYTES))
        self._path, self._in_place = path, in_place
        self._contents: dict[int, bytes] = {}

    def key(self, key: Record) -> Any:
        if not key.class_name.endswith(".multiarray.scalar"):
            raise RefusedError(f"a dictionary has a {key.class_name} as a key")
        return self.interpret(key, 0).item()

    def weigh(self, made: Any) -> int:
        return made.nbytes if isinstance(made, np.ndarray) else 4

    def interpret(self, record: Record, depth: int) -> Any:
        name = record.class_name
        made: Any = record
        if name == "_codecs.encode":
            made = self._bytes(record)
        elif name.endswith(".bytes") and not record.args:
            made = b""
        elif name == "collections.OrderedDict":
            made = self.plain(record.items, depth)
        elif name.endswith(".set"):
            made = self.plain(record.args[0], depth)
        elif name.endswith(".multiarray._reconstruct"):
            _, shape, dtype, fortran, raw = record.state
            if isinstance(raw, list):
                items = self.plain(raw, depth)
                # An array of objects: the single object when it has no axes, else a flat list.
                made = items[0] if shape == () else items
            else:
                made = self._array(raw, dtype, shape, fortran)
        elif name.endswith(".numeric._frombuffer"):
            raw, dtype, shape, order = record.args
            made = self._array(raw, dtype, shape, order == "F")
        elif name.endswith(".multiarray.scalar"):
            made = np.frombuffer(self._bytes(record.args[1]), _dtype(record.args[0]), 1)[0]
        elif name.startswith("chumpy."):
            made = self._chumpy(name, self.plain(record.state, depth))
        elif name.startswith("scipy.sparse."):
            made = self._dense(name, self.plain(record.state, depth))
        return made

    def _array(self, raw: Any, dtype_record: Any, shape: Any, fortran: Any) -> np.ndarray | StoredArray:
        dtype = _dtype(dtype_record)
        if not isinstance(shape, tuple) or not all(isinstance(count, int) and count >= 0 for count in shape):
            raise RefusedError("an array has a shape that is not a tuple of counts")
        span = _encoded(raw)
        if not self._in_place or not isinstance(span, Span):
            return _array_of(self._bytes(raw), dtype, shape, bool(fortran))
        return StoredArray(
            path=self._path,
            start=span.start,
            length=span.length,
            coding=span.coding,
            dtype=dtype.str,
            shape=shape,
            fortran=bool(fortran),
            changed_ns=self._path.stat().st_mtime_ns,
        )

    def _bytes(self, value: Any) -> bytes:
        """Return the bytes of an array; arrays that share one string of the pickle share the bytes."""
        value = _encoded(value)
        if isinstance(value, Record) and value.class_name.endswith(".bytes") and not value.args:
            return b""
        if not isinstance(value, Span):
            return _as_bytes(value)
        if id(value) not in self._contents:
            raw = self.raw(value)
            is_plain = value.coding in ("bytes", "latin-1")
            self._contents[id(value)] = raw if is_plain else _as_bytes(decode(raw, value.coding))
        return self._contents[id(value)]

    def _chumpy(self, name: str, state: dict[str, Any]) -> np.ndarray:
        """Return the array of a chumpy object: a leaf has it in `x`, a reordering has its operand in `a`."""
        if "x" in state:
            return _numbers(state["x"])
        kind = name.rpartition(".")[2].lower()
        if kind not in ("select", "reshape", "transpose"):
            raise RefusedError(f"it holds a {name}, which is a computation and not a stored array")
        operand = _numbers(state["a"])
        if kind == "transpose":
            return operand.transpose(state.get("axes"))
        self.charge(operand.nbytes)
        if kind == "reshape":
            return operand.reshape(state["newshape"])
        indices = _numbers(state["idxs"]).ravel()
        self.charge(len(indices) * operand.itemsize)
        chosen = operand.ravel()[indices]
        return chosen.reshape(state.get("preferred_shape") or chosen.shape)

    def _dense(self, name: str, state: dict[str, Any]) -> np.ndarray:
        kind = name.rpartition(".")[2]
        rows, columns = state["_shape"] if "_shape" in state else state["shape"]
        if kind[:3] not in ("csc", "csr") or min(rows, columns) < 1:
            raise RefusedError(f"it holds a {name} of shape {rows} x {columns}")
        data, indices, starts = (_numbers(state[key]) for key in ("data", "indices", "indptr"))
        lines, across = (columns, rows) if kind[:3] == "csc" else (rows, columns)
        lengths = np.diff(starts)
        if starts.shape != (lines + 1,) or (lengths < 0).any() or not starts[-1] == len(data) == len(indices):
            raise RefusedError(f"the lines of a {name} do not fit its {len(data)} values")
        if len(indices) and not 0 <= indices.min() <= indices.max() < across:
            raise RefusedError(f"the indices of a {name} lie outside its shape")
        self.charge(8 * rows * columns)
        dense = np.zeros((lines, across))
        np.add.at(dense, (np.repeat(np.arange(lines), lengths), indices), data)
        return dense.T if kind[:3] == "csc" else dense


def _encoded(value: Any) -> Any:
    """Return the text that stands for bytes: before protocol 3 Python 3 stores bytes as text and a call."""
    is_call = isinstance(value, Record) and value.class_name == "_codecs.encode"
    return value.args[0] if is_call else value


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("latin-1")
    if not isinstance(value, bytes):
        raise RefusedError("the content of an array is not a string of bytes")
    return value


def _dtype(record: Any) -> np.dtype[Any]:
    code = record.args[0] if isinstance(record, Record) and record.class_name == "numpy.dtype" else None
    if not isinstance(code, str) or len(code) > 3 or code[:1] not in ("b", "i", "u", "f"):
        raise RefusedError(f"an array has elements of type {code!r}, which are not numbers")
    big_endian = bool(record.state) and record.state[1] == ">"
    return np.dtype(code).newbyteorder(">" if big_endian else "<")


def _array_of(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> np.ndarray:
    if math.prod(shape) * dtype.itemsize != len(data):
        raise RefusedError(f"an array of shape {shape} has {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _numbers(value: Any) -> np.ndarray:
    if not isinstance(value, (np.ndarray, np.generic, int, float)):
        raise RefusedError(f"a {type(value).__name__} stands where an array belongs")
    return np.asarray(value)
