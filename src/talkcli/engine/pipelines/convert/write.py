"""Writing of official files: state dicts as PyTorch stores them, or archives of arrays (`.npz`)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.formats import check_distinct
from talkcli.engine.files import atomic_path
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter


def check_targets(folder: Path, targets: Mapping[Path, object], model: Path, *, overwrite: bool) -> None:
    """Check that the files `targets` of `folder` can be written.

    Raises UsageError when the folder is a file, when a target is the `model`, and when it exists while
    `overwrite` is not set.
    """
    if folder.is_file():
        raise UsageError(f"{parameter('out', folder)} is a file.", hint="`to=official` writes into a folder.")
    for target in targets:
        check_distinct([target], [model])
        if target.exists() and not overwrite:
            raise UsageError(f"{target} exists.", hint="Give another folder, or `overwrite`.")


def write_state_dicts(
    targets: Mapping[Path, dict[str, Tensor]], reporter: Reporter, *, wrapper: str | None = None
) -> None:
    """Write a state dict to each path; all files are complete before the first takes its place.

    Args:
        targets: Tensors by name, by path.
        reporter: Receiver of progress.
        wrapper: Key below which a file holds its tensors; None for bare tensors.

    Raises InputError when a file cannot be written.
    """
    with contextlib.ExitStack() as stack:
        for done, (target, tensors) in enumerate(targets.items(), start=1):
            # From an open file PyTorch stores no file name, so the same tensors give the same bytes.
            with stack.enter_context(atomic_path(target)).open("wb") as file:
                _save(tensors if wrapper is None else {wrapper: tensors}, file, target)
            reporter.progress("writing", done, len(targets))


def num_values(tensors: Mapping[str, Tensor]) -> int:
    """Return the number of values in all tensors."""
    return sum(value.numel() for value in tensors.values())


def _save(content: Mapping[str, Any], file: BinaryIO, target: Path) -> None:
    try:
        if target.suffix == ".npz":
            np.savez(file, **{name: value.numpy() for name, value in content.items()})
        else:
            torch.save(content, file)
    except RuntimeError as error:
        # torch reports a full disk as a RuntimeError.
        raise InputError(
            f"{target} cannot be written; the disk may be full ({str(error).splitlines()[0]}).",
            hint="Make room there, or write to another disk.",
        ) from error
