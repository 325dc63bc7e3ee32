"""HDF5 as h5py and hickle write it, files that point elsewhere, and two hundred damaged ones."""

from __future__ import annotations

import io
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.readers.hdf5 import read_datasets
from tests.engine.data.mutations import survives

VALUES = np.random.default_rng(0).normal(size=(1, 7, 5)).astype(np.float32)


def read(path: Path) -> dict[str, np.ndarray]:
    return read_datasets(path, ["exp"], kind="reconstruction", hint="Expected: a file.")


def stored(*, hickle: bool = False, **options: object) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        group = file.create_group("data") if hickle else file
        group.create_dataset('"exp"' if hickle else "exp", data=VALUES, **options)
    return content.getvalue()


@pytest.mark.parametrize("hickle", [False, True])
@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "shuffle": True, "fletcher32": True}])
def test_values_arrive(tmp_path: Path, hickle: bool, options: dict[str, object]) -> None:
    path = tmp_path / "a.hdf5"
    path.write_bytes(stored(hickle=hickle, **options))
    np.testing.assert_array_equal(read(path)["exp"], VALUES)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty file"),
        (b"\x80\x04N.", "a pickle, which is not opened"),
        (b"PK\x03\x04", "no HDF5 file"),
        (b"\x89HDF\r\n\x1a\n", "not a readable reconstruction"),
    ],
)
def test_other_files_are_told_apart(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.hdf5"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        read(path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing"):
        read(tmp_path / "a.hdf5")
    with pytest.raises(InputError, match="not a regular file"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        read(tmp_path / "pipe")


def test_only_what_lies_in_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.hdf5").write_bytes(stored())
    (tmp_path / "raw").write_bytes(VALUES.tobytes())

    def linked(file: h5py.File) -> None:
        file["exp"] = h5py.ExternalLink(str(tmp_path / "secret.hdf5"), "exp")

    def soft(file: h5py.File) -> None:
        file["exp"] = h5py.SoftLink("/elsewhere")

    def external(file: h5py.File) -> None:
        file.create_dataset("exp", VALUES.shape, "f4", external=[(str(tmp_path / "raw"), 0, 140)])

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout(VALUES.shape, "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.hdf5"), "exp", VALUES.shape)
        file.create_virtual_dataset("exp", layout)

    for make, told in ((linked, "no exp"), (soft, "no exp"), (external, "another"), (virtual, "another")):
        path = tmp_path / f"{make.__name__}.hdf5"
        with h5py.File(path, "w") as file:
            make(file)
        with pytest.raises(InputError, match=told):
            read(path)


def test_promises_are_not_believed(tmp_path: Path) -> None:
    """Arrays of which nothing was written read as zeros, however large."""
    for shape, options in (
        ((1, 1 << 20, 50), {}),
        ((1, 1 << 40, 50), {"chunks": (1, 1 << 10, 50)}),
        ((1, 7, 50), {"chunks": (1, 7, 50), "compression": "gzip"}),
    ):
        path = tmp_path / "a.hdf5"
        with h5py.File(path, "w") as file:
            file.create_dataset("exp", shape, "f4", **options)
        with pytest.raises(InputError, match=r"promises|has a shape|more than a clip has"):
            read(path)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.arange(6).reshape(2, 3), "int64, floats are needed"),
        (np.array([b"a", b"b"]), "floats are needed"),
        (np.array([1.0, np.nan]), "1 value is not a finite number"),
        (np.array([np.inf, np.inf], np.float16), "2 values are not finite numbers"),
        (h5py.Empty("f4"), "no array"),
    ],
)
def test_only_finite_floats(tmp_path: Path, values: object, told: str) -> None:
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        file.create_dataset("exp", data=values)
    with pytest.raises(InputError, match=told):
        read(path)


def test_text_of_any_length_and_groups_are_no_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        file.create_dataset("exp", data=["text"], dtype=h5py.string_dtype())
    with pytest.raises(InputError, match="floats are needed"):
        read(path)
    with h5py.File(path, "w") as file:
        file.create_group("exp")
    with pytest.raises(InputError, match="no array"):
        read(path)


@pytest.mark.parametrize(
    "content", [stored(), stored(hickle=True), stored(compression="gzip", fletcher32=True)]
)
def test_mutations(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.hdf5"

    def read_mutant(mutant: bytes) -> np.ndarray:
        path.write_bytes(mutant)
        return read(path)["exp"]

    def plausible(values: object) -> bool:
        return isinstance(values, np.ndarray) and values.dtype.kind == "f" and bool(np.isfinite(values).all())

    assert survives(read_mutant, content, plausible=plausible) > 50
