"""Accessors: all types of elements, from bytes made by hand and back."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.gltf.accessors import ARRAY_BUFFER, add_accessor, read_accessor
from talkcli.engine.gltf.document import Document, new_document


def _of(data: bytes, view: dict[str, Any] | None = None, **accessor: Any) -> Document:
    fields = {"bufferView": 0, "type": "SCALAR", "componentType": 5126, **accessor}
    return Document(
        {
            "asset": {"version": "2.0"},
            "buffers": [{"byteLength": len(data)}],
            "bufferViews": [{"buffer": 0, "byteLength": len(data), **(view or {})}],
            "accessors": [{key: value for key, value in fields.items() if value is not None}],
        },
        [data],
    )


@pytest.mark.parametrize(
    ("code", "form", "values"),
    [(5120, "b", (-128, 0, 127)), (5121, "B", (0, 1, 255)), (5122, "h", (-32768, 0, 32767)),
     (5123, "H", (0, 1, 65535)), (5125, "I", (0, 1, 4294967295)), (5126, "f", (-1.5, 0.0, 3.25))],
)  # fmt: skip
def test_component_types(code: int, form: str, values: tuple[float, ...]) -> None:
    # One byte before: elements need not lie where numpy wants them.
    data = b"\xff" + struct.pack(f"<3{form}", *values)
    document = _of(data, {"byteOffset": 1, "byteLength": len(data) - 1}, componentType=code, count=3)
    read = read_accessor(document, 0)
    assert read.tolist() == list(values)
    assert read.dtype.str[1:] == np.dtype(form).str[1:]


def test_normalised_components() -> None:
    signed = _of(struct.pack("<4b", -128, -127, 0, 127), componentType=5120, count=4, normalized=True)
    np.testing.assert_array_equal(read_accessor(signed, 0), np.float32([-1, -1, 0, 1]))
    unsigned = _of(struct.pack("<3H", 0, 13107, 65535), componentType=5123, count=3, normalized=True)
    np.testing.assert_array_equal(read_accessor(unsigned, 0), np.float32([0, 0.2, 1]))


def test_strides_and_offsets() -> None:
    # Position and a colour of four bytes, interleaved.
    data = b"".join(struct.pack("<3f4B", i, 2 * i, 3 * i, i, 0, 0, 255) for i in range(3))
    document = _of(data, {"byteStride": 16}, type="VEC3", count=3)
    np.testing.assert_array_equal(read_accessor(document, 0), [[0, 0, 0], [1, 2, 3], [2, 4, 6]])
    document = _of(data, {"byteStride": 16}, type="VEC4", count=3, componentType=5121, byteOffset=12)
    np.testing.assert_array_equal(read_accessor(document, 0)[:, 0], [0, 1, 2])


@pytest.mark.parametrize(
    ("kind", "code", "form"),
    [("MAT2", 5121, "2B2x2B2x"), ("MAT3", 5121, "3Bx3Bx3Bx"), ("MAT3", 5123, "3H2x3H2x3H2x"),
     ("MAT4", 5126, "16f"), ("MAT2", 5126, "4f")],
)  # fmt: skip
def test_matrices_are_stored_by_padded_columns(kind: str, code: int, form: str) -> None:
    side = int(kind[-1])
    numbers = list(range(2 * side * side))
    data = struct.pack("<" + form, *numbers[: side**2]) + struct.pack("<" + form, *numbers[side**2 :])
    read = read_accessor(_of(data, type=kind, componentType=code, count=2), 0)
    expected = np.reshape(numbers, (2, side, side)).swapaxes(1, 2)
    np.testing.assert_array_equal(read, expected)
    document = new_document("test")
    add_accessor(document, expected.astype(read.dtype))
    assert document.buffers[0] == data
    np.testing.assert_array_equal(read_accessor(document, 0), expected)


def test_sparse_values() -> None:
    data = struct.pack("<2H", 1, 3) + struct.pack("<6f", 1, 2, 3, 4, 5, 6)
    sparse = {
        "count": 2,
        "indices": {"bufferView": 0, "componentType": 5123},
        "values": {"bufferView": 0, "byteOffset": 4},
    }
    document = _of(data, type="VEC3", count=5, bufferView=None, sparse=sparse)
    expected = np.zeros((5, 3))
    expected[[1, 3]] = [[1, 2, 3], [4, 5, 6]]
    np.testing.assert_array_equal(read_accessor(document, 0), expected)


def test_sparse_values_replace_those_of_a_view() -> None:
    data = struct.pack("<3f", 1, 2, 3) + struct.pack("<H2xf", 1, 9)
    sparse = {
        "count": 1,
        "indices": {"bufferView": 0, "byteOffset": 12, "componentType": 5123},
        "values": {"bufferView": 0, "byteOffset": 16},
    }
    document = _of(data, count=3, sparse=sparse)
    assert read_accessor(document, 0).tolist() == [1, 9, 3]
    assert document.buffers[0] == data


def test_without_a_view_all_is_zero() -> None:
    document = _of(b"", type="VEC3", count=2, bufferView=None)
    np.testing.assert_array_equal(read_accessor(document, 0), np.zeros((2, 3)))


_SPARSE = {
    "count": 2,
    "indices": {"bufferView": 0, "componentType": 5123},
    "values": {"bufferView": 0, "byteOffset": 4},
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"count": 4}, "beyond the 12 bytes"),
        ({"byteOffset": 4}, "beyond the 12 bytes"),
        ({"byteOffset": 1 << 39}, "beyond the 12 bytes"),
        ({"count": 1 << 39}, "more than are read"),
        ({"count": 1 << 39, "bufferView": None}, "more than are read"),
        ({"count": -1}, "count -1"),
        ({"count": True}, "count True"),
        ({"count": 1.5}, "count 1.5"),
        ({"componentType": 5124}, "does not know"),
        ({"type": "VEC5"}, "does not know"),
        ({"type": ["VEC3"]}, "does not know"),
        ({"bufferView": 1}, "entry 1 of bufferViews"),
        ({"bufferView": "0"}, "entry 0 of bufferViews"),
        ({"sparse": {}}, "without indices"),
        ({"sparse": {**_SPARSE, "count": 9}}, "count 9"),
        ({"sparse": _SPARSE}, "do not rise"),
        ({"sparse": {**_SPARSE, "indices": {"bufferView": 0, "componentType": 5126}}}, "no whole numbers"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    document = _of(struct.pack("<3f", 1, 2, 3), **{"count": 3, **changes})
    with pytest.raises(InputError, match=words):
        read_accessor(document, 0)


def test_a_stride_below_the_elements_size_is_refused() -> None:
    with pytest.raises(InputError, match="every 4 bytes"):
        read_accessor(_of(bytes(24), {"byteStride": 4}, type="VEC3", count=2), 0)


def test_added_arrays_state_bounds_and_types() -> None:
    document = new_document("test")
    places = np.array([[0.1, -2, 3], [4, 5, -6]])
    first = add_accessor(document, places, target=ARRAY_BUFFER, bounds=True)
    accessor = document.json["accessors"][first]
    assert accessor["type"] == "VEC3" and accessor["componentType"] == 5126
    # What JSON holds is exactly the float32 in the buffer.
    assert accessor["min"] == [float(np.float32(0.1)), -2.0, -6.0] and accessor["max"] == [4.0, 5.0, 3.0]
    for values, code in (([0, 65534], 5123), ([0, 65535], 5125)):
        index = add_accessor(document, np.array(values))
        assert document.json["accessors"][index]["componentType"] == code
        assert read_accessor(document, index).tolist() == values
    index = add_accessor(document, np.uint8([[1, 2, 3], [4, 5, 6]]), target=ARRAY_BUFFER, normalized=True)
    assert document.json["bufferViews"][-1]["byteStride"] == 4
    np.testing.assert_allclose(read_accessor(document, index), np.array([[1, 2, 3], [4, 5, 6]]) / 255)
    for wrong in (np.zeros((0, 3)), np.zeros((2, 5)), np.array(["a"]), np.array([-1]), np.zeros(2, complex)):
        with pytest.raises(ValueError, match="no accessor holds"):
            add_accessor(document, wrong)
