"""Arrays out of npz files: what is no archive, what unfolds to gigabytes, what would be waited for."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.readers import npz
from talkcli.engine.readers.npz import read_arrays
from tests.engine.data.mutations import survives
from tests.fuzz.structured import npy_header


def read(path: Path) -> dict[str, np.ndarray]:
    return read_arrays(path, ("a",), kind="clip", hint="Look elsewhere.", optional=("b",))


def test_arrays_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(3), c=np.zeros(2))
    assert {name: values.tolist() for name, values in read(tmp_path / "x.npz").items()} == {"a": [0, 1, 2]}


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", c=np.zeros(2))
    np.savez(tmp_path / "objects.npz", a=np.array([{}]))
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "endless.npz").symlink_to("/dev/zero")
    for name, told in {
        "none.npz": "There is no file",
        "text.npz": "not an npz archive, so it is no clip",
        "other.npz": "without a, it is no clip",
        "objects.npz": "holds object, numbers or text are needed",
        "pipe.npz": "not a regular file",
        "endless.npz": "not a regular file",
    }.items():
        with pytest.raises(InputError, match=told) as caught:
            read(tmp_path / name)
        assert caught.value.hint == "Look elsewhere."


def test_a_small_file_does_not_unfold_to_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, a=np.zeros(1 << 20))
    assert path.stat().st_size < 10_000
    assert read(path)["a"].nbytes == 1 << 23
    monkeypatch.setattr(npz, "LARGEST_BYTES", 1 << 23)
    with pytest.raises(InputError, match="unfolds to 8388736 bytes, more than any clip"):
        read(path)
    # A header may promise more than the archive holds.
    with zipfile.ZipFile(path, "w") as archive:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,), }"
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00v\x00" + header.ljust(117) + b"\n" + bytes(64))
    with pytest.raises(InputError, match="holds 64 bytes of values, its header says"):
        read(path)


def test_mutations(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, a=np.arange(20.0).reshape(4, 5), b=np.array("text"))

    def read_mutant(content: bytes) -> dict[str, np.ndarray]:
        path.write_bytes(content)
        return read(path)

    def plausible(arrays: object) -> bool:
        return isinstance(arrays, dict) and "a" in arrays and arrays["a"].size <= 100

    assert survives(read_mutant, path.read_bytes(), plausible=plausible) > 50


@pytest.mark.parametrize("shape", ["(99999999999, 53)", "(3, 54)", "(0,)", "()"])
def test_a_header_that_promises_other_values_than_there_are_is_told_before_memory_is_asked_for(
    tmp_path: Path, shape: str
) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", npy_header(shape, tail=bytes(636)))
    with pytest.raises(InputError, match="holds 636 bytes of values, its header says"):
        read(tmp_path / "x.npz")


def test_empty_arrays_fortran_order_and_texts(tmp_path: Path) -> None:
    arrays = (
        np.zeros((0, 3)),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(["ä", ""]),
        np.array(""),
    )
    for array in arrays:
        np.savez(tmp_path / "x.npz", a=array)
        found = read(tmp_path / "x.npz")["a"]
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype and found.flags.writeable
