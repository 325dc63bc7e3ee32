"""Arrays as numpy and Python 2 wrote them, and everything an .npy can claim that is not so."""

from __future__ import annotations

import io
import os
import pickle
import resource
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.readers.npy import map_array, read_floats
from tests.engine.data.mutations import survives

WHOLE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def stored(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "array.npy"
    path.write_bytes(content)
    return path


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def with_header(text: str, numbers: bytes = b"") -> bytes:
    header = text.encode("latin-1").ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + numbers


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_floats_of_every_width_and_order(tmp_path: Path, dtype: str, order: str) -> None:
    path = stored(tmp_path, npy(np.asarray(WHOLE, dtype=dtype, order=order)))
    np.testing.assert_array_equal(read_floats(path), WHOLE)
    np.testing.assert_array_equal(map_array(path), WHOLE)


def test_headers_of_python_2(tmp_path: Path) -> None:
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L, 4L), }"
    path = stored(tmp_path, with_header(text, WHOLE.tobytes()))
    np.testing.assert_array_equal(read_floats(path), WHOLE)
    np.testing.assert_array_equal(map_array(path), WHOLE)


def test_empty_and_single(tmp_path: Path) -> None:
    for array in (np.zeros((0, 5), np.float32), np.float64(3.5), np.zeros((0, 7), np.float32)):
        path = stored(tmp_path, npy(np.asarray(array)))
        np.testing.assert_array_equal(read_floats(path), array)
        np.testing.assert_array_equal(map_array(path), array)


def test_mapped_integers_stay_on_disk(tmp_path: Path) -> None:
    path = stored(tmp_path, npy(np.arange(1000, dtype=np.int16)))
    mapped = map_array(path)
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    assert mapped[999] == 999
    with pytest.raises(InputError, match="int16, floats are needed"):
        read_floats(path)


def test_a_sparse_file_of_terabytes_maps_without_memory(tmp_path: Path) -> None:
    rows = 1 << 30
    path = stored(
        tmp_path, with_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 3), }}")
    )
    os.truncate(path, path.stat().st_size + rows * 12)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert map_array(path)[rows - 1].tolist() == [0, 0, 0]
    with pytest.raises(InputError, match="more numbers than any clip"):
        read_floats(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes"),
        (b"hello", "not a readable"),
        (npy(WHOLE)[:-1], "holds 95 bytes of numbers, its header says 96"),
        (npy(WHOLE) + b"x", "holds 97 bytes of numbers, its header says 96"),
        (npy(np.array([{}, os.system], dtype=object)), "object"),
        (pickle.dumps({"a": 1}), "not a readable"),
        (npy(np.array(["text"])), "<U4"),
        (npy(np.zeros(3, "c16")), "complex128"),
        (npy(np.zeros(3, [("a", "f4")])), "'a'"),
        (b"\x93NUMPY\x07\x00" + npy(WHOLE)[8:], "format 7.0 is not known"),
        (with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }"), r"shape of \(-1, 4\)"),
        (with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (10**9,), }"), "not a readable"),
        (with_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': (0, {1 << 60}), }}"), "shape of"),
        (with_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {(1,) * 40}, }}"), "shape of"),
        (with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }"), "header says"),
        (with_header("(" * 100), "not a readable"),
    ],
)
def test_what_is_not_so_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    path = stored(tmp_path, content)
    for read in (read_floats, map_array):
        with pytest.raises(InputError, match=words) as caught:
            read(path)
        assert str(path) in caught.value.problem


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    objects = np.empty(1, dtype=object)
    path = stored(tmp_path, npy(objects))
    content = path.read_bytes()
    start = len(content) - len(content.partition(b"\n")[2])
    stored(tmp_path, content[:start] + b"\0" * 8)
    for read in (read_floats, map_array):
        with pytest.raises(InputError, match="object"):
            read(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    array = WHOLE.copy()
    array[1, 1, :2] = value
    path = stored(tmp_path, npy(array))
    with pytest.raises(InputError, match="2 values that are not finite"):
        read_floats(path)
    np.testing.assert_array_equal(map_array(path), array)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for read in (read_floats, map_array):
        with pytest.raises(InputError, match="There is no file"):
            read(tmp_path / "absent.npy")
        with pytest.raises(InputError, match="not a regular file"):
            read(tmp_path)
        with pytest.raises(InputError, match="not a regular file"):
            read(tmp_path / "pipe")


def test_mutations(tmp_path: Path) -> None:
    """A damaged file is refused, or has no more numbers than there are bytes for."""
    whole = npy(WHOLE)
    for read in (read_floats, map_array):
        refused = survives(
            lambda content, read=read: read(stored(tmp_path, content)),
            whole,
            plausible=lambda array: isinstance(array, np.ndarray) and array.nbytes <= 2 * len(whole) + 4096,
        )
        assert refused > 100
