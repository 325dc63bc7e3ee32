"""Accessors of glTF: typed arrays in its buffers, read and added.

Axis names: `elements`. Source: Khronos, glTF 2.0 specification, chapter "Accessors". Matrices are stored
column after column, each of which starts at a multiple of four bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from talkcli.engine.gltf.document import LARGEST_BYTES, Document
from talkcli.engine.gltf.views import packed_by

COMPONENTS: dict[int, np.dtype[Any]] = {
    5120: np.dtype("<i1"),
    5121: np.dtype("<u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
# Shape of one element.
_SHAPES: dict[str, tuple[int, ...]] = {
    "SCALAR": (), "VEC2": (2,), "VEC3": (3,), "VEC4": (4,), "MAT2": (2, 2), "MAT3": (3, 3), "MAT4": (4, 4),
}  # fmt: skip
_TYPES = {shape: name for name, shape in _SHAPES.items()}
_CODES = {dtype: code for code, dtype in COMPONENTS.items()}
_ALIGNMENT = 4
# Greatest uint16 that is an index: 65535 restarts a strip.
_LAST_SHORT = 65534


def read_accessor(document: Document, index: object) -> np.ndarray:
    """Return accessor `index` as an array (elements ...): a number, vector or matrix of each element.

    Matrices have rows and columns in this order. Normalised whole numbers become float32 in [0, 1] or
    [-1, 1], others keep their type. Sparse values are in their places. The array is a copy.

    Raises:
        InputError: When the accessor does not fit its bytes, has more than 256 MiB, or its compressed view is
            damaged.
    """
    accessor = document.element("accessors", index)
    dtype = COMPONENTS.get(document.whole(accessor, "componentType"))
    shape = _SHAPES.get(str(accessor.get("type")))
    if dtype is None or shape is None:
        raise document.wrong(
            f"has an accessor {index} of type {str(accessor.get('type'))[:20]} and components "
            f"{accessor['componentType']}, which glTF does not know"
        )
    count = document.whole(accessor, "count")
    if count * max(int(np.prod(shape)), 1) * max(dtype.itemsize, 4) > LARGEST_BYTES:
        raise document.wrong(f"has an accessor {index} of {count} elements, more than are read")
    if "bufferView" in accessor:
        start = document.whole(accessor, "byteOffset", 0)
        values = _elements(document, accessor["bufferView"], start, count, dtype, shape)
    else:
        values = np.zeros((count, *shape), dtype)
    if "sparse" in accessor:
        _replace(document, accessor["sparse"], values)
    if accessor.get("normalized") is True and dtype.kind != "f":
        # The least value of a signed type would be a little below -1.
        values = np.maximum(values.astype(np.float32) / np.float32(np.iinfo(dtype).max), np.float32(-1.0))
    return values


def add_accessor(
    document: Document,
    array: np.ndarray,
    *,
    target: int | None = None,
    normalized: bool = False,
    bounds: bool = False,
) -> int:
    """Add `array` (elements ...) with a buffer view of its own, and return the accessor's index.

    Float64 becomes float32, and int64 the smallest type of whole numbers without sign that holds it.

    Args:
        document: Document that gets the accessor.
        array: Numbers, vectors of 2 to 4, or square matrices of 2 to 4 rows, one each element.
        target: `ARRAY_BUFFER` for attributes of vertices, `ELEMENT_ARRAY_BUFFER` for indices, else None.
        normalized: Whether whole numbers stand for [0, 1] or [-1, 1].
        bounds: Whether to state the least and the greatest value of each component, as glTF asks of positions
            and of the times of animations.

    Raises:
        ValueError: For an array that no accessor holds: without elements, or of another shape or type.
    """
    values = _stored(np.asarray(array))
    kind = _TYPES.get(values.shape[1:])
    if kind is None or not len(values) or values.dtype not in _CODES:
        raise ValueError(f"no accessor holds an array of {array.dtype} {array.shape}")
    accessor: dict[str, Any] = {
        "componentType": _CODES[values.dtype],
        "count": len(values),
        "type": kind,
    }
    if bounds:
        flat = values.reshape(len(values), -1)
        accessor |= {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
    if normalized:
        accessor["normalized"] = True
    data, stride = _laid_out(values, target)
    fields: dict[str, Any] = {} if target is None else {"target": target}
    if stride is not None:
        fields["byteStride"] = stride
    return document.add("accessors", {"bufferView": document.add_view(data, **fields), **accessor})


def add_sparse(
    document: Document, count: int, rows: np.ndarray, values: np.ndarray, *, bounds: bool = False
) -> int:
    """Add an accessor of `count` elements that are 0 but for `values` at `rows`, and return its index.

    `rows` rise. Arguments and errors are those of `add_accessor`; one row at least is needed, since glTF has
    no empty arrays.
    """
    stored = _stored(values)
    index = add_accessor(document, stored, bounds=bounds)
    accessor = document.json["accessors"][index]
    places = _stored(rows)
    document.json["accessors"][index] = accessor | {
        "count": count,
        "sparse": {
            "count": len(stored),
            "indices": {
                "bufferView": document.add_view(places.tobytes()),
                "componentType": _CODES[places.dtype],
            },
            "values": {"bufferView": accessor["bufferView"]},
        },
    }
    del document.json["accessors"][index]["bufferView"]
    if bounds and len(stored) < count:
        # The other elements are zero.
        zeros = [0.0] * len(accessor["min"])
        document.json["accessors"][index] |= {
            "min": list(map(min, accessor["min"], zeros)),
            "max": list(map(max, accessor["max"], zeros)),
        }
    return index


def _elements(
    document: Document, view: object, start: int, count: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> np.ndarray:
    """Return `count` elements from byte `start` of a buffer view on."""
    stated = document.element("bufferViews", view)
    data = _unpacked(document, view)
    # A column of a matrix starts at a multiple of four bytes.
    rows = shape[0] if shape else 1
    column = rows * dtype.itemsize
    if len(shape) == 2:
        column += -column % _ALIGNMENT
    columns = shape[1] if len(shape) == 2 else 1
    size = column * (columns - 1) + rows * dtype.itemsize
    stride = document.whole(stated, "byteStride", 0) or column * columns
    if stride < size:
        raise document.wrong(f"has a buffer view {view} with elements of {size} bytes every {stride} bytes")
    if count and start + stride * (count - 1) + size > len(data):
        raise document.wrong(
            f"has an accessor of {count} elements that end beyond the {len(data)} bytes of buffer view {view}"
        )
    if not count:
        return np.zeros((0, *shape), dtype)
    strides = (stride, column, dtype.itemsize)
    # Elements may lie at any byte, so their type is set after the bytes are copied.
    bytes_of = np.lib.stride_tricks.as_strided(
        np.frombuffer(data, np.uint8, offset=start),
        (count, columns, rows, dtype.itemsize),
        (*strides, 1),
        writeable=False,
    )
    values = bytes_of.copy().view(dtype)[..., 0]
    return values.swapaxes(1, 2).copy() if len(shape) == 2 else values.reshape(count, *shape)


def _unpacked(document: Document, index: object) -> memoryview:
    """Return the bytes of buffer view `index`, uncompressed."""
    view = document.element("bufferViews", index)
    packed = packed_by(view)
    if packed is None:
        return document.view(index)
    # Not at the top: its kernels take a second to load.
    from talkcli.engine.gltf.meshopt import unfold

    count, stride = document.whole(packed, "count"), document.whole(packed, "byteStride")
    if count * stride > LARGEST_BYTES or count * stride != document.whole(view, "byteLength"):
        raise document.wrong(
            f"has a compressed buffer view {index} of {count} elements of {stride} bytes, which do not fit it"
        )
    data = document.bytes_of(packed, f"a compressed buffer view {index}")
    mode, filter_ = str(packed.get("mode")), str(packed.get("filter", "NONE"))
    try:
        elements = unfold(data, mode=mode, filter_=filter_, count=count, stride=stride)
    except ValueError as error:
        raise document.wrong(f"has a damaged buffer view {index}: {error}") from error
    return elements.reshape(-1).data


def _replace(document: Document, sparse: object, values: np.ndarray) -> None:
    """Write the values of a sparse accessor into their places."""
    parts = sparse if isinstance(sparse, dict) else {}
    indices, stored = parts.get("indices"), parts.get("values")
    if not isinstance(indices, dict) or not isinstance(stored, dict):
        raise document.wrong("has a sparse accessor without indices or values")
    count = document.whole(parts, "count", most=len(values))
    dtype = COMPONENTS.get(document.whole(indices, "componentType"))
    if dtype is None or dtype.kind != "u":
        raise document.wrong("has a sparse accessor whose indices are no whole numbers")
    start = document.whole(indices, "byteOffset", 0)
    at = _elements(document, indices.get("bufferView"), start, count, dtype, ()).astype(np.int64)
    if count and (at.max() >= len(values) or (np.diff(at) <= 0).any()):
        raise document.wrong("has a sparse accessor whose indices do not rise, or go beyond its elements")
    start = document.whole(stored, "byteOffset", 0)
    values[at] = _elements(document, stored.get("bufferView"), start, count, values.dtype, values.shape[1:])


def _stored(array: np.ndarray) -> np.ndarray:
    """Return `array` in a type that glTF has."""
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    elif array.dtype in (np.int64, np.int32) and array.size and array.min() >= 0:
        array = array.astype(np.uint16 if array.max() <= _LAST_SHORT else np.uint32)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))


def _laid_out(values: np.ndarray, target: int | None) -> tuple[bytes, int | None]:
    """Return the bytes of `values`, and the distance of two elements where it is not their size."""
    if values.ndim == 3:
        columns = np.ascontiguousarray(values.swapaxes(1, 2))
        rows = columns.reshape(-1, columns.shape[-1]).view(np.uint8)
        return np.pad(rows, ((0, 0), (0, -rows.shape[1] % _ALIGNMENT))).tobytes(), None
    size = values.nbytes // len(values)
    if target != ARRAY_BUFFER or size % _ALIGNMENT == 0:
        return values.tobytes(), None
    # Attributes of vertices start at multiples of four bytes.
    rows = values.view(np.uint8).reshape(len(values), size)
    stride = size + -size % _ALIGNMENT
    return np.pad(rows, ((0, 0), (0, stride - size))).tobytes(), stride
