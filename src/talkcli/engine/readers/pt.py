"""Reader of PyTorch's files (.pt) that hold only data: one tensor, or tensors and plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.errors import InputError
from talkcli.engine.readers.npy import LARGEST_BYTES
from talkcli.engine.readers.regular import open_file
from talkcli.engine.readers.torch_file import ZIP, is_tensor_part, read_torch_file
from talkcli.engine.wording import counted


def load_weights_only(path: Path) -> Any:
    """Return the tensors and plain values in `path`, on the CPU, as torch.load returns them with
    `weights_only`.

    The reader compares checksums. Raises InputError for a missing, damaged or hostile file, and for a file
    that also holds other objects.
    """
    return read_torch_file(path, is_tensor_part)


def read_tensor(path: Path) -> Float[np.ndarray, "..."]:
    """Return the finite floats of the one tensor that `path` holds, as float32.

    Raises InputError for anything else, before it allocates more memory than the file has bytes.
    """
    size, begin = _looked_at(path)
    if size == 0:
        raise InputError(f"{path} is an empty file (0 bytes).")
    if size > LARGEST_BYTES:
        raise InputError(f"{path} has {size} bytes, more than any clip.")
    if begin != ZIP:
        raise InputError(f"{path} is not a file of PyTorch 1.6 or later.")
    tensor = load_weights_only(path)
    if not isinstance(tensor, Tensor):
        raise InputError(f"{path} holds a {type(tensor).__name__}, one tensor is needed.")
    if tensor.is_meta or not tensor.is_floating_point():
        raise InputError(f"{path} holds {tensor.dtype} or no plain numbers, plain floats are needed.")
    # Strides of zero can expand a few numbers to any shape.
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise InputError(f"{path} holds fewer numbers than the shape {tuple(tensor.shape)} needs.")
    numbers = tensor.to(torch.float32).numpy()
    if not np.isfinite(numbers).all():
        num_broken = int(np.sum(~np.isfinite(numbers)))
        broken = counted(
            num_broken, "value that is not a finite number", "values that are not finite numbers"
        )
        raise InputError(f"{path} holds {broken}.")
    return numbers


def _looked_at(path: Path) -> tuple[int, bytes]:
    """Return the size of a regular file in bytes, and its first bytes, as many as a zip signature has."""
    try:
        with open_file(path) as stream:
            return path.stat().st_size, stream.read(len(ZIP))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error
