"""Reader of PLY files, ASCII and binary: vertices and faces; colours, normals and further elements are passed
over.

Source of the format: Turk (1994), The PLY Polygon File Format. Axis names: `verts`, `faces`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.readers.polygons import MOST_CORNERS, MOST_FACES, MOST_VERTS, mesh_of_polygons
from talkcli.engine.readers.regular import open_file
from talkcli.engine.types import Mesh

# The words of a text take many times its memory.
_LARGEST_BYTES, _LARGEST_TEXT_BYTES = 1 << 26, 1 << 24
_LONGEST_HEADER, _LONGEST_LINE = 1 << 16, 1 << 12
_MOST_PROPERTIES = 64
_MOST_ELEMENTS = 16
_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4",
    "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_CORNERS = ("vertex_indices", "vertex_index")
_POINT = ("x", "y", "z")


@dataclass(frozen=True, kw_only=True)
class _Property:
    name: str
    kind: str
    """Type of a number, as numpy names it."""
    counted_by: str | None = None
    """Type of the number of items of a list; None for a single number."""


@dataclass(frozen=True, kw_only=True)
class _Element:
    name: str
    count: int
    properties: list[_Property] = field(default_factory=list)

    @property
    def has_lists(self) -> bool:
        return any(item.counted_by for item in self.properties)


def read_ply(path: Path) -> Mesh:
    """Return the mesh of `path` in the order of its vertices; a cloud of points has no faces.

    Raises InputError for a file that is no PLY, is larger than 64 MiB (as text: 16 MiB), or holds less than
    its header says.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            order, elements = _header(path, file)
            largest = _LARGEST_BYTES if order else _LARGEST_TEXT_BYTES
            if size > largest:
                raise InputError(f"{path} has {size} bytes, more than the mesh of any head ({largest}).")
            body = file.read()
            words = iter(body.split()) if not order else None
            stream = io.BytesIO(body)
            points, polygons = np.zeros((0, 3)), None
            for element in elements:
                _check_count(path, element, len(body), order)
                names = [item.name for item in element.properties]
                if element.name == "vertex" and not element.has_lists and set(_POINT) <= set(names):
                    rows = _rows(element, order, words, stream)
                    points = np.stack([rows[names.index(name)] for name in _POINT], axis=1)
                    continue
                corners = next((names.index(name) for name in _CORNERS if name in names), None)
                found = _lists(element, corners, order, words, stream)
                if element.name == "face" and corners is not None:
                    polygons = found
            return mesh_of_polygons(path, points, polygons or [])
        except (ValueError, StopIteration, OverflowError, IndexError) as error:
            raise InputError(
                f"{path} is no readable PLY file ({str(error) or 'it ends too early'})."
            ) from error


def _header(path: Path, file: BinaryIO) -> tuple[str, list[_Element]]:
    """Return the byte order, "" for text, and the elements; `file` is then at the first of them."""
    if file.readline(_LONGEST_LINE).strip() != b"ply":
        raise InputError(f"{path} is no PLY file: it does not begin with ply.")
    order: str | None = None
    elements: list[_Element] = []
    while file.tell() < _LONGEST_HEADER:
        line = file.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ValueError("its header does not end")
        kind, *words = line.decode("latin-1").split() or [""]
        if kind == "end_header":
            if order is None:
                raise ValueError("its header names no format")
            _check_elements(elements)
            return order, elements
        if kind == "format":
            order = _ORDERS.get(words[0])
            if order is None:
                raise ValueError(f"its format is {words[0][:40]!r}")
        elif kind == "element":
            elements.append(_Element(name=words[0], count=int(words[1])))
        elif kind == "property":
            elements[-1].properties.append(_property(words))
            if len(elements[-1].properties) > _MOST_PROPERTIES:
                raise ValueError(f"an element has more than {_MOST_PROPERTIES} properties")
        elif kind not in ("comment", "obj_info", ""):
            raise ValueError(f"its header has a line {kind[:40]!r}")
    raise ValueError("its header does not end")


def _check_elements(elements: list[_Element]) -> None:
    """Refuse elements whose rows would take time without taking bytes, and more of them than any head has."""
    if len(elements) > _MOST_ELEMENTS:
        raise ValueError(f"it has more than {_MOST_ELEMENTS} elements")
    if any(not element.properties for element in elements):
        raise ValueError("an element has no properties")


def _property(words: list[str]) -> _Property:
    try:
        if words[0] == "list":
            counted_by = _TYPES[words[1]]
            if counted_by[0] == "f":
                raise ValueError("the items of a list are counted by a float")
            return _Property(name=words[3], kind=_TYPES[words[2]], counted_by=counted_by)
        return _Property(name=words[1], kind=_TYPES[words[0]])
    except KeyError as error:
        raise ValueError(f"a property has the type {str(error)[:40]}") from error


def _check_count(path: Path, element: _Element, num_bytes: int, order: str) -> None:
    """Refuse more rows than a head has, or than the file can hold, before any memory is taken for them."""
    if not 0 <= element.count <= (MOST_VERTS if element.name == "vertex" else MOST_FACES):
        raise InputError(f"{path} says that it has {element.count} of {element.name[:40]!r}.")
    least = sum(
        np.dtype(item.counted_by or item.kind).itemsize if order else 2 for item in element.properties
    )
    # The last number of a text may have no space after it.
    if element.count * least > num_bytes + 1:
        raise ValueError(f"it ends too early for {element.count} rows of {element.name[:40]!r}")


def _rows(
    element: _Element, order: str, words: Iterator[bytes] | None, stream: io.BytesIO
) -> list[np.ndarray]:
    """Return the columns of an element without lists, in double precision."""
    if words is not None:
        width = len(element.properties)
        numbers = [float(next(words)) for _ in range(element.count * width)]
        return list(np.array(numbers).reshape(element.count, width).T)
    dtype = np.dtype([(f"f{at}", order + item.kind) for at, item in enumerate(element.properties)])
    data = stream.read(element.count * dtype.itemsize)
    rows = np.frombuffer(data, dtype, element.count)
    return [rows[f"f{at}"].astype(np.float64) for at in range(len(element.properties))]


def _lists(
    element: _Element, wanted: int | None, order: str, words: Iterator[bytes] | None, stream: io.BytesIO
) -> list[list[int]]:
    """Return the list of property number `wanted` in each row; all else of the element is passed over."""

    def take(kind: str, count: int) -> list[float]:
        if words is not None:
            return [float(next(words)) for _ in range(count)]
        dtype = np.dtype(order + kind)
        numbers = np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)
        values: list[float] = numbers.astype(np.float64).tolist()
        return values

    found = []
    for _ in range(element.count):
        for at, item in enumerate(element.properties):
            count = 1
            if item.counted_by is not None:
                (number,) = take(item.counted_by, 1)
                if number % 1:
                    raise ValueError(f"a list of {element.name[:40]!r} is counted by a fraction")
                count = int(number)
                if not 0 <= count <= MOST_CORNERS:
                    raise ValueError(f"a list of {element.name[:40]!r} has {count} items")
            values = take(item.kind, count)
            if at == wanted:
                if any(value % 1 for value in values):
                    raise ValueError("a face names a vertex by a fraction")
                found.append([int(value) for value in values])
    return found
