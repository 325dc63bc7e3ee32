"""Reader of tensors in third-party weight files that imports and runs none of their code.

Kinds: PyTorch files (`.pt`, `.pth`, `.bin`), safetensors, and the folders of Hugging Face and FunASR, whose
content determines the kind, not the suffix; TensorFlow's checkpoints (`.index`) and archives of arrays
(`.npz`). Settings objects (omegaconf, argparse) beside the tensors, as in files of fairseq, stay inert. A
file that refers to parts of Python itself, beyond a few records, is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from talkcli.engine.errors import InputError
from talkcli.engine.readers.npz import array_names, read_arrays
from talkcli.engine.readers.regular import open_file
from talkcli.engine.readers.tensor_bundle import SUFFIX as BUNDLE_SUFFIX
from talkcli.engine.readers.tensor_bundle import read_bundle
from talkcli.engine.readers.torch_file import read_torch_file

# Names of the weight file in a folder, in the order of preference: the safe kind first.
_IN_FOLDERS = ("model.safetensors", "pytorch_model.bin", "model.pt")
# Keys below which training programs store the weights.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "generator")
# Types of numbers that weights and counters have.
_NUMBERS = tuple(map(np.dtype, ("float16", "float32", "float64", "int32", "int64")))
# Largest number of names that a message lists.
_SHOWN = 8

# Modules and built-ins of Python whose objects settings consist of; the reader imports none of them.
_HARMLESS_MODULES = {
    "argparse", "collections", "copyreg", "enum", "pathlib", "typing", "datetime", "_codecs",
}  # fmt: skip
_HARMLESS_BUILTINS = {
    "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "set",
    "str", "tuple",
}  # fmt: skip


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Return the tensors of the network in `path` by name, on the CPU, in their stored types.

    It descends into `_WRAPPERS` and leaves out entries that are not tensors. Raises InputError when `path` is
    missing, cut short or not a weight file, when it holds no tensors, or when reading it would run code.
    """
    file = weights_file(path)
    if file.suffix == BUNDLE_SUFFIX:
        return _torch(read_bundle(file))
    if file.suffix == ".npz":
        names = sorted(array_names(file))
        hint = "Give an .npz of the variables by their official names."
        return _torch(read_arrays(file, names, kind="archive of arrays", hint=hint))
    try:
        with open_file(file) as stream:
            head = stream.read(9)
        is_safetensors = head[8:] == b"{"
        content = load_file(file) if is_safetensors else read_torch_file(file, _is_harmless)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}).") from error
    except SafetensorError as error:
        raise InputError(
            f"{file} is not a complete safetensors file ({error}).",
            hint="Use the file exactly as its authors publish it.",
        ) from error
    state = _descend(content)
    tensors = {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        found = ", ".join(sorted(map(str, state))[:_SHOWN]) or "nothing"
        raise InputError(
            f"{file} holds no named tensors (found: {found}).",
            hint="Use the file exactly as its authors publish it.",
        )
    empty = [name for name, value in tensors.items() if value.is_meta or value.layout != torch.strided]
    if empty:
        raise InputError(
            f"{file} holds tensors without data or not in dense form: {', '.join(empty[:_SHOWN])}.",
            hint="Use the file exactly as its authors publish it.",
        )
    return tensors


def _torch(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Return those of the arrays that are numbers of torch, in this machine's order of bytes."""
    numbers = {name: value for name, value in arrays.items() if value.dtype.newbyteorder("=") in _NUMBERS}
    return {
        name: torch.from_numpy(value.astype(value.dtype.newbyteorder("="))) for name, value in numbers.items()
    }


def weights_file(path: Path) -> Path:
    """Return `path` itself, or the weights in the folder `path`. Raises InputError when there is neither."""
    if path.is_dir():
        present = [path / name for name in _IN_FOLDERS if (path / name).is_file()]
        if not present:
            raise InputError(
                f"The folder {path} holds none of {', '.join(_IN_FOLDERS)}.",
                hint="Give the path of the weight file itself.",
            )
        return present[0]
    if not path.is_file():
        raise InputError(f"There is no weight file {path}.", hint="Check the path.")
    return path


def _descend(content: Any) -> dict[Any, Any]:
    while isinstance(content, dict):
        inner = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), dict)), None)
        if inner is None:
            return content
        content = inner
    return {}


def _is_harmless(name: str) -> bool:
    """Return whether a weight file may hold an object of the type `name`; it stays inert in any case."""
    module, _, attribute = name.rpartition(".")
    package = module.partition(".")[0]
    if package in {"builtins", "__builtin__"}:
        return attribute in _HARMLESS_BUILTINS
    return package in _HARMLESS_MODULES or package not in sys.stdlib_module_names
