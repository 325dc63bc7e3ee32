"""Reader of files that torch.save wrote, without torch.load: a file can neither run code nor crash or hang
the reader, and its size bounds the memory that the reader allocates.

The reader takes both of PyTorch's formats. Since 1.6 a file is a zip archive that holds a pickle and the
tensors' numbers, with checksums. Before 1.6 a file was a sequence of pickles, followed by the numbers.
`pickle_machine` turns the pickles of either format into inert records; this module makes tensors of the
records that describe tensors and leaves all others inert.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from talkcli.engine.errors import InputError
from talkcli.engine.readers.pickle_machine import run
from talkcli.engine.readers.pickle_records import Global, Record, RefusedError
from talkcli.engine.readers.regular import open_file
from talkcli.engine.readers.unfolding import Unfolding

# Number of bytes that the reader takes from a zip member at a time.
_CHUNK = 1 << 20
# First bytes of a zip archive.
ZIP = b"PK\x03\x04"
# Contents of the first two pickles of the older format: its magic number and its version.
_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
# Greatest number of axes that the reader accepts in a tensor.
_MOST_AXES = 64

# Element type of each of PyTorch's storage classes.
_DTYPES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool, "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128, "UntypedStorage": torch.uint8,
}  # fmt: skip
# Names, besides storages and rebuild functions, that describe tensors and their containers.
_PARTS = {
    "collections.OrderedDict", "torch.Size", "torch.device", "torch.nn.parameter.Parameter",
    "torch.serialization._get_layout",
}  # fmt: skip
# Prefix of the functions with which a pickle rebuilds tensors and parameters.
_REBUILDS = "torch._utils._rebuild_"

# Exceptions that a malformed file can raise in zipfile, torch or this module.
_MALFORMED = (
    pickle.UnpicklingError, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError,
    MemoryError, NotImplementedError, RuntimeError, TypeError, ValueError, struct.error, zipfile.BadZipFile,
    zipfile.LargeZipFile, zlib.error,
)  # fmt: skip


def read_torch_file(path: Path, is_allowed: Callable[[str], bool]) -> Any:
    """Return the content of `path`: tensors on the CPU, plain values, and lists, tuples and dictionaries of
    them.

    Objects whose names `is_allowed` accepts stay inert: an object with items by key, such as the state dict
    of a network, becomes a dictionary, any other a `Record`. A tensor without plain numbers (sparse,
    quantised, without a device) becomes an empty tensor on the device meta.

    Raises:
        InputError: The file is missing, damaged, not written by PyTorch, or holds more than data.
    """
    hint = "Use the file exactly as its authors publish it."
    try:
        with open_file(path) as stream:
            is_zip = stream.read(len(ZIP)) == ZIP
            stream.seek(0)
            read = _read_zip if is_zip else _read_old
            return read(stream, path.stat().st_size, is_allowed)
    except RefusedError as error:
        raise InputError(f"{path} was not read: {error}. Nothing of it has run.", hint=hint) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error
    except _MALFORMED as error:
        raise InputError(
            f"{path} was not read: it is damaged or not a weight file ({type(error).__name__}: {error}). "
            "Nothing of it has run.",
            hint=hint,
        ) from error


def is_tensor_part(name: str) -> bool:
    """Return whether PyTorch's files use the global `name` to describe tensors and plain containers."""
    module, _, attribute = name.rpartition(".")
    return (
        name in _PARTS
        or name.startswith(_REBUILDS)
        or (module in ("torch", "torch.storage") and attribute in _DTYPES)
        or (module == "torch" and isinstance(getattr(torch, attribute, None), torch.dtype))
        or (module in ("builtins", "__builtin__") and attribute in ("set", "frozenset", "bytearray"))
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Storage:
    """Storage that a pickle refers to; in the older format it may be a view of a part of another storage."""

    key: str
    """Name of the storage in the file."""
    dtype: torch.dtype
    """Element type of the storage."""
    count: int
    """Number of elements in the storage."""
    view: tuple[int, int] | None = None
    """Start and length of the view, in elements of the storage `key`; None for the whole storage."""


def _read_zip(stream: BinaryIO, size: int, is_allowed: Callable[[str], bool]) -> Any:
    with zipfile.ZipFile(stream) as archive:
        parts = {info.filename: info for info in archive.infolist()}
        roots = [name.removesuffix("data.pkl") for name in parts if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise RefusedError("it is a zip archive, but not one that PyTorch wrote")
        if sum(info.file_size for info in parts.values()) > size:
            raise RefusedError("its parts together are longer than the file")
        for info in parts.values():
            _compare_checksum(archive, info)

        def part(name: str) -> bytearray:
            info = parts[roots[0] + name]
            content = bytearray(info.file_size)
            with archive.open(info) as file:
                for start in range(0, len(content), _CHUNK):
                    content[start : start + _CHUNK] = file.read(_CHUNK)
            if len(content) != info.file_size:
                raise RefusedError(f"{name} ends too early")
            return content

        if f"{roots[0]}byteorder" in parts and part("byteorder") != b"little":
            raise RefusedError("it was written on a big-endian machine")
        content = bytes(part("data.pkl"))
        root = run(io.BytesIO(content), len(content), is_allowed, _storage)
        return _Tensors(io.BytesIO(content), size, lambda key: part(f"data/{key}")).plain(root)


def _compare_checksum(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Raise BadZipFile for a part that is compressed or whose bytes do not match its checksum."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise zipfile.BadZipFile(f"{info.filename} is compressed, which PyTorch never does")
    if not info.CRC:
        # PyTorch can save without checksums; without the attribute zipfile compares none.
        del info.CRC
        return
    with archive.open(info) as file:
        while file.read(_CHUNK):
            pass


def _read_old(stream: BinaryIO, size: int, is_allowed: Callable[[str], bool]) -> Any:
    dtypes: dict[str, torch.dtype] = {}

    def refer(identity: Any) -> Any:
        if isinstance(identity, tuple) and identity[0] == "module":
            # The persistent id of a class also holds the text of its source, which is not needed.
            return identity[1]
        found = _storage(identity)
        dtypes[found.key] = found.dtype
        return found

    if stream.read(2) != b"\x80\x02":
        raise pickle.UnpicklingError("its first bytes are not those of a pickle of protocol 2")
    stream.seek(0)
    if run(stream, size, _nothing) != _MAGIC or run(stream, size, _nothing) != _VERSION:
        raise RefusedError("it is not a weight file of PyTorch")
    about = run(stream, size, _nothing)
    if not isinstance(about, dict) or about.get("little_endian") is not True:
        raise RefusedError("it was not written on a little-endian machine")
    root = run(stream, size, is_allowed, refer)
    keys = run(stream, size, _nothing)
    places: dict[str, tuple[int, int]] = {}
    for key in keys:
        (count,) = struct.unpack("<q", stream.read(8))
        start, length = stream.tell(), count * dtypes[key].itemsize
        if not 0 <= length <= size - start:
            raise RefusedError(f"it ends within the storage {key}")
        places[key] = start, length
        stream.seek(start + length)

    def part(key: str) -> bytearray:
        stream.seek(places[key][0])
        content = bytearray(places[key][1])
        if stream.readinto(content) != len(content):  # type: ignore[attr-defined]
            raise RefusedError(f"it ends within the storage {key}")
        return content

    return _Tensors(stream, size, part).plain(root)


def _nothing(name: str) -> bool:  # noqa: ARG001  the answer is the same for every name
    """Return False: pickles of plain values need no globals."""
    return False


def _storage(identity: Any) -> _Storage:
    """Return the storage that a persistent id of a pickle describes."""
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage":
        raise RefusedError("it refers to external data that is not a storage")
    _, kind, key, _, count, *view = identity
    name = kind.name.rpartition(".")[2] if isinstance(kind, Global) else ""
    if name not in _DTYPES or not isinstance(key, str) or not _are_counts((count,)):
        raise RefusedError("it refers to a storage of an unknown type")
    if not view or view[0] is None:
        return _Storage(key, _DTYPES[name], count)
    _, start, length = view[0]
    if not _are_counts((start, length)):
        raise RefusedError(f"the start or length of a part of storage {key} is not a valid count")
    return _Storage(key, _DTYPES[name], count, (start, length))


def _are_counts(values: Any) -> bool:
    return isinstance(values, tuple) and all(type(value) is int and 0 <= value < 1 << 62 for value in values)


class _Tensors(Unfolding):
    """Unfolding that makes tensors of records."""

    def __init__(self, stream: BinaryIO | io.BytesIO, size: int, part: Callable[[str], bytearray]) -> None:
        super().__init__(stream, size)
        self._part = part
        self._bytes: dict[str, Tensor] = {}

    def key(self, key: Record) -> Any:
        return key

    def weigh(self, made: Any) -> int:
        return made.numel() * made.element_size() if isinstance(made, Tensor) else 4

    def interpret(self, record: Record, depth: int) -> Any:
        name, args = record.class_name, record.args
        made: Any = record
        if name in (f"{_REBUILDS}tensor", f"{_REBUILDS}tensor_v2", f"{_REBUILDS}tensor_v3"):
            made = self._tensor(name, *args)
        elif name.startswith(f"{_REBUILDS}parameter") or name == "torch.Size":
            made = self.plain(args[0], depth)
        elif name == f"{_REBUILDS}from_type_v2":
            function, _, inner, _ = args
            made = self.interpret(Record(function, inner), depth)
        elif name.startswith(_REBUILDS):
            made = torch.empty(0, device="meta")
        elif record.items or name == "collections.OrderedDict":
            made = self.plain(record.items, depth)
        return made

    def _tensor(self, name: str, storage: Any, offset: Any, shape: Any, strides: Any, *others: Any) -> Tensor:
        if not isinstance(storage, _Storage) or not _are_counts((offset,)):
            raise RefusedError("a tensor has no storage")
        if not _are_counts(shape) or not _are_counts(strides) or not len(shape) == len(strides) <= _MOST_AXES:
            raise RefusedError("a tensor has a shape or strides that are not tuples of counts")
        numbers = self._numbers(storage)
        if name.endswith("_v3"):
            numbers = numbers.view(_dtype(others[2]))
        last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
        if 0 not in shape and last >= len(numbers):
            raise RefusedError(f"a tensor of the shape {shape} reaches beyond its {len(numbers)} numbers")
        # Strides of zero can expand a few numbers to any shape.
        if math.prod(shape) > len(numbers):
            try:
                self.charge(math.prod(shape) * numbers.element_size())
            except RefusedError as error:
                raise RefusedError(f"a tensor holds fewer numbers than the shape {shape} needs") from error
        return numbers.as_strided(shape, strides, offset)

    def _numbers(self, storage: _Storage) -> Tensor:
        if storage.key not in self._bytes:
            content = self._part(storage.key)
            self._bytes[storage.key] = (
                torch.frombuffer(content, dtype=torch.uint8) if content else torch.empty(0, dtype=torch.uint8)
            )
        content_bytes = self._bytes[storage.key]
        if storage.view is None and len(content_bytes) != storage.count * storage.dtype.itemsize:
            raise RefusedError(
                f"storage {storage.key} has {len(content_bytes)} bytes instead of "
                f"{storage.count * storage.dtype.itemsize}"
            )
        numbers = content_bytes.view(storage.dtype)
        if storage.view is None:
            return numbers
        start, length = storage.view
        if start + length > len(numbers):
            raise RefusedError(f"a part of storage {storage.key} reaches beyond its {len(numbers)} numbers")
        return numbers[start : start + length]


def _dtype(kind: Any) -> torch.dtype:
    found = getattr(torch, kind.name.removeprefix("torch."), None) if isinstance(kind, Global) else None
    if not isinstance(found, torch.dtype):
        raise RefusedError("a tensor has elements of an unknown type")
    return found
