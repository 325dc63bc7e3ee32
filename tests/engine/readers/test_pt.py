"""Tensors as torch.save writes them; objects, empty promises and damaged files are refused."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.engine.errors import InputError
from talkcli.engine.readers.pt import read_tensor
from tests.engine.data.mutations import survives


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1/0",)


def saved(value: object, **options: bool) -> bytes:
    content = io.BytesIO()
    torch.save(value, content, **options)
    return content.getvalue()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64, torch.bfloat16])
def test_values_arrive(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "a.pt"
    # A column of a larger tensor too, whose numbers do not lie side by side.
    values = torch.linspace(-1, 1, 24, dtype=dtype).reshape(4, 6)
    for tensor in (values, values[:, 2], torch.nn.Parameter(values)):
        path.write_bytes(saved(tensor))
        read = read_tensor(path)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, tensor.detach().float().numpy())


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": torch.zeros(2)}, "holds a dict, one tensor is needed"),
        ([torch.zeros(2)], "holds a list"),
        (Evil(), "Nothing of it has run"),
        (torch.arange(4), "torch.int64 .* plain floats are needed"),
        (torch.zeros(2, dtype=torch.complex64), "plain floats are needed"),
        (torch.zeros(2, 2).to_sparse(), "plain floats are needed"),
        (torch.zeros(2, device="meta"), "plain floats are needed"),
        (torch.zeros(1).expand(10**12), "fewer numbers than the shape"),
        (torch.tensor([1.0, float("nan")]), "1 value that is not a finite number"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, value: object, told: str) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(saved(value))
    with pytest.raises(InputError, match=told):
        read_tensor(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with pytest.raises(InputError, match="There is no file"):
        read_tensor(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty file"):
        read_tensor(path)
    path.write_bytes(saved(torch.zeros(2), _use_new_zipfile_serialization=False))
    with pytest.raises(InputError, match=r"not a file of PyTorch 1\.6"):
        read_tensor(path)
    # A hole of a terabyte takes no room on the disk, and all of the memory.
    path.write_bytes(saved(torch.zeros(2)))
    os.truncate(path, 1 << 40)
    with pytest.raises(InputError, match="has 1099511627776 bytes, more than any clip"):
        read_tensor(path)
    # Compressed, a small file could hold any number of zeros.
    with zipfile.ZipFile(io.BytesIO(saved(torch.zeros(2)))) as plain, zipfile.ZipFile(path, "w") as packed:
        for info in plain.infolist():
            packed.writestr(info.filename, plain.read(info), zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="damaged"):
        read_tensor(path)


def test_mutations(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    values = torch.linspace(-1, 1, 40).reshape(5, 8)

    def read_mutant(mutant: bytes) -> np.ndarray:
        path.write_bytes(mutant)
        return read_tensor(path)

    def plausible(read: object) -> bool:
        return isinstance(read, np.ndarray) and bool(np.isfinite(read).all()) and np.abs(read).max() <= 1

    assert survives(read_mutant, saved(values), plausible=plausible) > 50
