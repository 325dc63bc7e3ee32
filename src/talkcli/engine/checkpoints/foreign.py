"""Reads tensors out of other people's weight files without importing or running anything of theirs.

Kinds: PyTorch files (`.pt`, `.pth`, `.bin`), safetensors, and the folders of Hugging Face and FunASR; told
apart by their content. Files of fairseq hold settings objects (omegaconf, argparse) beside the tensors,
which PyTorch's weights-only reader refuses: those files are read by a stack machine that builds tensors and
plain containers, and inert stand-ins for everything else. A file that asks for parts of Python itself beyond
a few records is refused.
"""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from talkcli.engine.errors import InputError
from talkcli.engine.face.pt import MALFORMED, compare_checksums, load_weights_only

# What folders keep their weights in, the safe kind first.
_IN_FOLDERS = ("model.safetensors", "pytorch_model.bin", "model.pt")
# Training programs put the weights below one of these.
_WRAPPERS = ("state_dict", "model")
_ZIP = b"PK\x03\x04"
_SHOWN = 8

_DTYPES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}  # fmt: skip
# Records of the standard library that settings consist of; nothing of them is imported either.
_HARMLESS_MODULES = {"argparse", "collections", "enum", "pathlib", "typing", "datetime", "_codecs"}
_HARMLESS_BUILTINS = {
    "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "set",
    "str", "tuple",
}  # fmt: skip


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of the network in `path` by name, on the CPU, as stored.

    Descends into `state_dict` and `model`; entries that are no tensors are left out. Raises InputError when
    `path` is missing, cut short, not a weight file, holds no tensors, or asks to run something.
    """
    file = weights_file(path)
    try:
        with file.open("rb") as stream:
            head = stream.read(9)
        if head.startswith(_ZIP):
            content = _read_zip(file)
        elif head[8:] == b"{":
            content = load_file(file)
        else:
            content = _read_old(file)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).") from error
    except SafetensorError as error:
        _refuse(file, f"it is not a whole safetensors file ({error})", error)
    state = _descend(content)
    tensors = {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        found = ", ".join(sorted(map(str, state))[:_SHOWN]) or "nothing"
        raise InputError(
            f"{file} holds no weights by name (found: {found}).",
            hint="Use the file exactly as its authors publish it.",
        )
    empty = [name for name, value in tensors.items() if value.is_meta or value.layout != torch.strided]
    if empty:
        raise InputError(
            f"{file} holds tensors without plain numbers in them: {', '.join(empty[:_SHOWN])}.",
            hint="Use the file exactly as its authors publish it.",
        )
    return tensors


def weights_file(path: Path) -> Path:
    """`path` itself, or the weights in the folder `path`. Raises InputError when there is neither."""
    if path.is_dir():
        present = [path / name for name in _IN_FOLDERS if (path / name).is_file()]
        if not present:
            raise InputError(
                f"The folder {path} holds none of {', '.join(_IN_FOLDERS)}.",
                hint="Name the weight file itself.",
            )
        return present[0]
    if not path.is_file():
        raise InputError(f"There is no weight file {path}.", hint="Check the path.")
    return path


def _refuse(file: Path, reason: str, error: Exception) -> NoReturn:
    raise InputError(
        f"{file} was not read: {reason}. Nothing of it has run.",
        hint="Use the file exactly as its authors publish it.",
    ) from error


def _descend(content: Any) -> dict[Any, Any]:
    while isinstance(content, dict):
        inner = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), dict)), None)
        if inner is None:
            return content
        content = inner
    return {}


def _read_old(file: Path) -> Any:
    """PyTorch's format before 1.6 is one pickle stream, of which only PyTorch's own reader is used."""
    try:
        return load_weights_only(file)
    except MALFORMED as error:
        _refuse(
            file, "it is no weight file, or one of before PyTorch 1.6 with more in it than tensors", error
        )


def _read_zip(file: Path) -> Any:
    try:
        compare_checksums(file)
        return load_weights_only(file)
    except MALFORMED:
        # Objects beside the tensors, or a damaged file: the second reader tells them apart.
        pass
    try:
        with zipfile.ZipFile(file) as archive:
            return _Inert(archive).load()
    except _RefusedError as error:
        _refuse(file, str(error), error)
    except MALFORMED as error:
        _refuse(file, f"it is damaged or no weight file ({type(error).__name__}: {error})", error)


class _RefusedError(Exception):
    """Says what about the file is not acceptable."""


class _Anything(dict[Any, Any]):
    """Stands for an object of whatever class: takes any arguments, items and state, keeps only items by key.

    Ordered dictionaries are read as this too, so it is what state dicts arrive in.
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def append(self, item: Any) -> None:
        pass

    extend = add = append


class _Inert(pickle._Unpickler):
    """The pure-Python stack machine over a PyTorch archive: its steps can be replaced, its memo cannot be
    made to allocate by index.
    """

    # Untyped in the standard library's stubs.
    stack: list[Any]
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def __init__(self, archive: zipfile.ZipFile) -> None:
        names = archive.namelist()
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise _RefusedError("it is a zip archive, but none that PyTorch writes")
        self._archive = archive
        self._root = pickles[0].removesuffix("data.pkl")
        self._storages: dict[str, Tensor] = {}
        if f"{self._root}byteorder" in names and self._bytes("byteorder") != b"little":
            raise _RefusedError("it was written on a big-endian machine")
        super().__init__(io.BytesIO(self._bytes("data.pkl")), encoding="latin1")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _BUILDERS:
            return _BUILDERS[module, name]
        if module in {"torch", "torch.storage"} and name in _DTYPES:
            return _DTYPES[name]
        package = module.partition(".")[0]
        if package in {"builtins", "__builtin__"}:
            harmless = name in _HARMLESS_BUILTINS
        else:
            harmless = package in _HARMLESS_MODULES or package not in sys.stdlib_module_names
        if not harmless:
            raise _RefusedError(f"it asks for {module}.{name}, which no weights need")
        return _Anything

    def persistent_load(self, pid: Any) -> Tensor:
        kind, dtype, key, _, count = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not isinstance(key, str):
            raise _RefusedError(f"it refers to a {kind!r} outside itself")
        if key not in self._storages:
            data = self._bytes(f"data/{key}")
            if len(data) != count * dtype.itemsize:
                raise _RefusedError(
                    f"storage {key} has {len(data)} bytes instead of {count * dtype.itemsize}"
                )
            empty = torch.empty(0, dtype=dtype)
            self._storages[key] = torch.frombuffer(bytearray(data), dtype=dtype) if data else empty
        return self._storages[key]

    def load_build(self) -> None:
        """The state of a stand-in is dropped; nothing else has one."""
        self.stack.pop()
        if not isinstance(self.stack[-1], _Anything):
            raise _RefusedError("it sets the state of something that has none")

    dispatch[pickle.BUILD[0]] = load_build

    def _bytes(self, name: str) -> bytes:
        info = self._archive.getinfo(self._root + name)
        if info.compress_type != zipfile.ZIP_STORED:
            raise _RefusedError("it is compressed, which PyTorch never does")
        return self._archive.read(info)


def _tensor(storage: Tensor, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    return storage.as_strided(size, stride, offset)


def _parameter(data: Tensor, *_: Any) -> Tensor:
    return data


# The only calls that are made while reading.
_BUILDERS: dict[tuple[str, str], Callable[..., Tensor]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
