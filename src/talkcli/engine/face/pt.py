"""Tensors out of PyTorch's files (.pt) without running anything of them, whatever state the file is in.

Only what PyTorch writes since version 1.6 is read: a zip archive with checksums, its pickle by PyTorch's
weights-only reader.
"""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.errors import InputError
from talkcli.engine.face.npy import LARGEST_BYTES

# Bytes looked at together.
_CHUNK = 1 << 20

# Whatever a malformed file makes a reader stumble over.
MALFORMED = (
    pickle.UnpicklingError, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError,
    MemoryError, NotImplementedError, RuntimeError, TypeError, ValueError, struct.error, zipfile.BadZipFile,
    zipfile.LargeZipFile, zlib.error,
)  # fmt: skip


def read_tensor(path: Path) -> Float[np.ndarray, "..."]:
    """The finite floats of the one tensor that `path` holds, as float32.

    Raises InputError for anything else, before more memory is asked for than the file has bytes.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path} is missing or not a regular file.")
        size = path.stat().st_size
        if size == 0:
            raise InputError(f"{path} is an empty file (0 bytes).")
        if size > LARGEST_BYTES:
            raise InputError(f"{path} has {size} bytes, more than any clip.")
        if not zipfile.is_zipfile(path):
            raise InputError(f"{path} is no file of PyTorch 1.6 or later.")
        compare_checksums(path)
        tensor = load_weights_only(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error
    except MALFORMED as error:
        raise InputError(f"{path} is damaged or more than a tensor; nothing of it has run.") from error
    if not isinstance(tensor, Tensor):
        raise InputError(f"{path} holds a {type(tensor).__name__}, one tensor is needed.")
    if tensor.is_meta or tensor.layout != torch.strided or not tensor.is_floating_point():
        raise InputError(f"{path} holds {tensor.dtype} ({tensor.layout}), plain floats are needed.")
    # Strides of zero would make any shape of few numbers.
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise InputError(f"{path} holds fewer numbers than the shape {tuple(tensor.shape)} needs.")
    numbers = tensor.detach().to(torch.float32).numpy()
    if not np.isfinite(numbers).all():
        raise InputError(f"{path} holds {np.sum(~np.isfinite(numbers))} values that are not finite numbers.")
    return numbers


def compare_checksums(path: Path) -> None:
    """Raise BadZipFile for a part whose bytes have changed since it was written, or that is compressed, which
    PyTorch never does; PyTorch does not look.
    """
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED:
                raise zipfile.BadZipFile(f"{info.filename} is compressed")
            # PyTorch can be told to leave checksums out; they are zero then.
            if info.CRC:
                with archive.open(info) as part:
                    while part.read(_CHUNK):
                        pass


def load_weights_only(path: Path) -> Any:
    """What PyTorch's weights-only reader makes of `path`, on the CPU. Raises any of `MALFORMED`."""
    with warnings.catch_warnings():
        # It warns of what it then refuses.
        warnings.simplefilter("ignore")
        return torch.load(path, map_location="cpu", weights_only=True)
