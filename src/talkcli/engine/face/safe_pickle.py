"""Reads a stranger's pickle without running anything of it.

The standard library's stack machine only pushes inert records here: no global is imported, nothing is called.
A second pass turns the records of an allow-list into arrays: numpy arrays and scalars, chumpy leaves and
reorderings, scipy's compressed sparse matrices (made dense). Any other global is refused by name.
"""

from __future__ import annotations

import io
import math
import pickle
import tokenize
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np

from talkcli.engine.errors import InputError

_LARGEST_FILE_BYTES = 1 << 30
_LARGEST_ARRAY = 1 << 28
_DEEPEST = 64
_KEY_TYPES = (str, bytes, int, float, type(None))

_ALLOWED = {
    "numpy.ndarray", "numpy.dtype", "_codecs.encode", "collections.OrderedDict",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
    "copy_reg._reconstructor", "copyreg._reconstructor",
    "__builtin__.object", "builtins.object", "__builtin__.set", "builtins.set",
    "__builtin__.bytes", "builtins.bytes",
    # DECA's landmark file holds two torch tensors that nobody here needs; they stay unread.
    "torch._utils._rebuild_tensor_v2", "torch.storage._load_from_bytes",
}  # fmt: skip
_ALLOWED_PACKAGES = ("chumpy.", "scipy.sparse.")


@dataclass(eq=False)
class Global:
    """The name of something importable, never imported."""

    name: str


@dataclass(eq=False)
class Record:
    """What would have been `call(*args)` with `state` set on it."""

    call: Global
    args: tuple[Any, ...]
    state: Any = field(default=None)

    @property
    def class_name(self) -> str:
        """Where `copy_reg` builds the object, the class is its first argument."""
        if self.call.name.endswith("._reconstructor") and self.args and isinstance(self.args[0], Global):
            return self.args[0].name
        return self.call.name


class _RefusedError(Exception):
    """Says what about the pickle is not acceptable."""


class _Recorder(pickle._Unpickler):
    """The pure-Python machine: its steps can be replaced, and its memo is a dict (no allocation by index)."""

    # Untyped in the standard library's stubs.
    stack: list[Any]
    pop_mark: Callable[[], list[Any]]
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in _ALLOWED and not full.startswith(_ALLOWED_PACKAGES):
            raise _RefusedError(f"it asks for {full}")
        return Global(full)

    def load_reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = _record(self.stack[-1], args)

    def load_newobj_ex(self) -> None:
        raise _RefusedError("it builds an object with keyword arguments")

    def load_build(self) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], Record):
            raise _RefusedError("it sets the state of something that has none")
        self.stack[-1].state = state

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items([key, value])

    def load_setitems(self) -> None:
        self._set_items(self.pop_mark())

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, Record) and target.call.name == "collections.OrderedDict":
            return
        if not isinstance(target, dict):
            raise _RefusedError("it sets items of something that is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Hashing a deeply nested tuple would overflow the C stack.
            if not isinstance(key, _KEY_TYPES):
                raise _RefusedError(f"a dictionary key is a {type(key).__name__}")
            target[key] = value

    def refuse(self) -> NoReturn:
        raise _RefusedError("it uses an instruction that model files do not need")

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_reduce
    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex
    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    for _code in (
        pickle.INST, pickle.OBJ, pickle.PERSID, pickle.BINPERSID, pickle.EXT1, pickle.EXT2, pickle.EXT4,
        pickle.ADDITEMS, pickle.FROZENSET, pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER,
    ):  # fmt: skip
        dispatch[_code[0]] = refuse


def _record(call: Any, args: Any) -> Record:
    if not isinstance(call, Global) or not isinstance(args, tuple):
        raise _RefusedError("it calls something that is not a named global")
    return Record(call, args)


def read_pickle(path: Path) -> Any:
    """The content of a pickle, or of an npy file around one, as plain containers, numbers, text and arrays.

    Python 2 text is read as latin-1. Sets come back as lists; what is allowed but has no plain form (torch
    tensors) stays a `Record`. Raises InputError for anything else, before anything of the file has run.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise _RefusedError(f"it has {path.stat().st_size} bytes, more than any model file")
        stream = io.BytesIO(path.read_bytes())
        if stream.getvalue().startswith(b"\x93NUMPY"):
            version = np.lib.format.read_magic(stream)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }
            if version not in read_header:
                raise _RefusedError(f"it has npy version {version}")
            if not read_header[version](stream)[2].hasobject:
                return np.load(path, allow_pickle=False)
        return _plain(_Recorder(stream, encoding="latin1").load(), {}, 0)
    except _RefusedError as error:
        raise InputError(
            f"{path} was not read: {error}. Nothing of it has run.",
            hint="Use the file exactly as its authors publish it.",
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    except (
        pickle.UnpicklingError, ArithmeticError, AttributeError, AssertionError, EOFError, LookupError,
        MemoryError, TypeError, ValueError, tokenize.TokenError,
    ) as error:  # fmt: skip
        # Whatever a malformed pickle makes the machine stumble over.
        raise InputError(f"{path} is not a readable pickle ({type(error).__name__}: {error}).") from error


def _plain(value: Any, done: dict[int, Any], depth: int) -> Any:
    """Records become arrays; `done` holds finished nodes by identity, so shared ones are visited once."""
    if depth > _DEEPEST:
        raise _RefusedError(f"it is nested more than {_DEEPEST} deep, or contains itself")
    if not isinstance(value, (dict, list, tuple, Record)):
        return value
    if id(value) not in done:
        if isinstance(value, dict):
            plain: Any = {key: _plain(item, done, depth + 1) for key, item in value.items()}
        elif isinstance(value, Record):
            plain = _interpret(value, done, depth + 1)
        else:
            plain = type(value)(_plain(item, done, depth + 1) for item in value)
        done[id(value)] = plain
    return done[id(value)]


def _interpret(record: Record, done: dict[int, Any], depth: int) -> Any:
    name = record.class_name
    plain: Any = record
    if name == "_codecs.encode":
        plain = record.args[0].encode("latin-1")
    elif name.endswith(".bytes") and not record.args:
        plain = b""
    elif name.endswith(".set"):
        plain = _plain(record.args[0], done, depth)
    elif name.endswith(".multiarray._reconstruct"):
        plain = _array(record, done, depth)
    elif name.endswith(".multiarray.scalar"):
        plain = np.frombuffer(_bytes(record.args[1]), _dtype(record.args[0]), 1)[0]
    elif name.startswith("chumpy."):
        plain = _chumpy(name, _plain(record.state, done, depth))
    elif name.startswith("scipy.sparse."):
        plain = _dense(name, _plain(record.state, done, depth))
    return plain


def _bytes(value: Any) -> bytes:
    if isinstance(value, Record):
        value = _interpret(value, {}, 0)
    if isinstance(value, str):
        value = value.encode("latin-1")
    if not isinstance(value, bytes):
        raise _RefusedError("the content of an array is no string of bytes")
    return value


def _dtype(record: Any) -> np.dtype[Any]:
    code = record.args[0] if isinstance(record, Record) and record.class_name == "numpy.dtype" else None
    if not isinstance(code, str) or len(code) > 3 or code[0] not in "biuf":
        raise _RefusedError(f"an array has elements of type {code!r}, which are no numbers")
    big_endian = bool(record.state) and record.state[1] == ">"
    return np.dtype(code).newbyteorder(">" if big_endian else "<")


def _array(record: Record, done: dict[int, Any], depth: int) -> Any:
    _, shape, dtype_record, is_fortran, raw = record.state
    count = math.prod(shape)
    if isinstance(raw, list):
        # An array of objects: the single object when it has no axes, else a flat list.
        items = _plain(raw, done, depth)
        return items[0] if shape == () else items
    dtype = _dtype(dtype_record)
    data = _bytes(raw)
    if count * dtype.itemsize != len(data):
        raise _RefusedError(f"an array of shape {shape} has {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")


def _chumpy(name: str, state: dict[str, Any]) -> np.ndarray:
    """A chumpy leaf keeps its values in `x`; a reordering keeps its operand in `a`."""
    if "x" in state:
        return np.asarray(state["x"])
    kind = name.rpartition(".")[2].lower()
    if kind == "select":
        chosen = np.asarray(state["a"]).ravel()[np.asarray(state["idxs"]).ravel()]
        return chosen.reshape(state.get("preferred_shape") or chosen.shape)
    if kind == "reshape":
        return np.asarray(state["a"]).reshape(state["newshape"])
    if kind == "transpose":
        return np.asarray(state["a"]).transpose(state.get("axes"))
    raise _RefusedError(f"it holds a {name}, which is a computation and not a stored array")


def _dense(name: str, state: dict[str, Any]) -> np.ndarray:
    kind = name.rpartition(".")[2]
    rows, columns = state["_shape"] if "_shape" in state else state["shape"]
    if kind[:3] not in ("csc", "csr") or not 0 < rows * columns <= _LARGEST_ARRAY:
        raise _RefusedError(f"it holds a {name} of shape {rows} x {columns}")
    data, indices, starts = (np.asarray(state[key]) for key in ("data", "indices", "indptr"))
    lines, across = (columns, rows) if kind[:3] == "csc" else (rows, columns)
    outer = np.repeat(np.arange(lines), np.diff(starts))
    if len(indices) and not 0 <= indices.min() <= indices.max() < across:
        raise _RefusedError(f"the indices of a {name} lie outside its shape")
    dense = np.zeros((lines, across))
    np.add.at(dense, (outer, indices), data)
    return dense.T if kind[:3] == "csc" else dense
