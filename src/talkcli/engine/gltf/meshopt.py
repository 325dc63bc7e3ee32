"""Unfolding of buffer views that meshopt compressed: EXT_meshopt_compression and KHR_meshopt_compression.

Source: Khronos, extension EXT_meshopt_compression, appendices A (streams) and B (filters). Version 0 of the
attribute stream is read; version 1, which KHR_meshopt_compression may use, is refused.
Axis names: `elements`, `stride` (bytes of an element).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

# First byte of a stream of each mode.
_HEADERS = {"ATTRIBUTES": 0xA0, "TRIANGLES": 0xE1, "INDICES": 0xD1}
_ATTRIBUTES_1 = 0xA1
_FILTERS = ("NONE", "OCTAHEDRAL", "QUATERNION", "EXPONENTIAL")
_MOST_STRIDE = 256
_EXPONENTS = 100


def unfold(
    data: bytes | memoryview, *, mode: str, filter_: str, count: int, stride: int
) -> UInt8[np.ndarray, "elements stride"]:
    """Return the bytes of `count` elements of a compressed view.

    Args:
        data: The compressed bytes.
        mode: ATTRIBUTES, TRIANGLES or INDICES.
        filter_: NONE, OCTAHEDRAL, QUATERNION or EXPONENTIAL.
        count: Number of elements; the caller bounds it.
        stride: Bytes of an element.

    Raises:
        ValueError: For a stream that does not fit these numbers, and for values that the extension forbids.
    """
    stream = np.frombuffer(data, np.uint8)
    if mode not in _HEADERS or filter_ not in _FILTERS:
        raise ValueError(f"mode {mode[:20]} and filter {filter_[:20]} are unknown")
    if not len(stream) or stream[0] != _HEADERS[mode]:
        if mode == "ATTRIBUTES" and len(stream) and stream[0] == _ATTRIBUTES_1:
            raise ValueError("its attributes have version 1 of the stream, 0 is read")
        raise ValueError(f"it does not begin as {mode} do")
    if mode == "ATTRIBUTES":
        return _attributes(stream, filter_, count, stride)
    if filter_ != "NONE" or stride not in (2, 4):
        raise ValueError(f"indices have no filter and 2 or 4 bytes, not {stride}")
    from talkcli.engine.gltf import meshopt_kernels as kernels

    found = np.empty(count, np.int64)
    if mode == "TRIANGLES":
        whole = count % 3 == 0 and kernels.triangles(stream, found)
    else:
        whole = kernels.indices(stream, found)
    if not whole or (count and not (found.min() >= 0 and found.max() < 1 << (8 * stride))):
        raise ValueError(f"it is no stream of {count} {mode.lower()}")
    return found.astype(f"<u{stride}").view(np.uint8).reshape(count, stride)


def _attributes(stream: np.ndarray, filter_: str, count: int, stride: int) -> np.ndarray:
    if stride % 4 or not 0 < stride <= _MOST_STRIDE:
        raise ValueError(f"attributes have 4 to {_MOST_STRIDE} bytes, a multiple of 4, not {stride}")
    if stride != 8 and (filter_ == "QUATERNION" or (filter_ == "OCTAHEDRAL" and stride != 4)):
        raise ValueError(f"the filter {filter_} is for other elements than of {stride} bytes")
    # A group of 16 elements takes two bits of each byte at least, so that a short stream promises little.
    if count * stride > 64 * max(len(stream), 1):
        raise ValueError(f"it is too short for {count} attributes")
    from talkcli.engine.gltf import meshopt_kernels as kernels

    out = np.empty(count * stride, np.uint8)
    if not kernels.attributes(stream, count, stride, out):
        raise ValueError(f"it is no stream of {count} attributes")
    elements = out.reshape(count, stride)
    if filter_ == "NONE":
        return elements
    with np.errstate(all="ignore"):
        return {"OCTAHEDRAL": _octahedral, "QUATERNION": _quaternion, "EXPONENTIAL": _exponential}[filter_](
            elements
        )


def _octahedral(elements: np.ndarray) -> np.ndarray:
    """Unit vectors out of the octahedron's x, y and what stands for 1; the fourth component stays."""
    dtype = np.dtype("i1" if elements.shape[1] == 4 else "<i2")
    stored = elements.view(dtype).copy()
    most = np.iinfo(dtype).max
    x, y, one = stored[:, :3].T.astype(np.float32)
    x, y = x / one, y / one
    z = 1.0 - np.abs(x) - np.abs(y)
    fold = np.minimum(z, 0.0)
    x, y = x - np.copysign(fold, x), y - np.copysign(fold, y)
    unit = np.stack([x, y, z], axis=1)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    stored[:, :3] = _rounded(np.nan_to_num(unit, nan=0.0) * most)
    return stored.view(np.uint8)


def _quaternion(elements: np.ndarray) -> np.ndarray:
    """Unit quaternions out of their three smaller components."""
    stored = elements.view("<i2")
    one = (stored[:, 3] | 3).astype(np.float32)
    small = stored[:, :3] / one[:, None] / np.float32(np.sqrt(2.0))
    largest = np.sqrt(np.maximum(1.0 - (small**2).sum(axis=1), 0.0))
    places = ((stored[:, 3] & 3)[:, None] + np.array([1, 2, 3, 0])) % 4
    out = np.empty((len(stored), 4), "<i2")
    values = np.nan_to_num(np.column_stack([small, largest]), nan=0.0) * 32767.0
    np.put_along_axis(
        out, places.astype(np.int64), _rounded(values.clip(-32767, 32767)).astype("<i2"), axis=1
    )
    return out.view(np.uint8)


def _exponential(elements: np.ndarray) -> np.ndarray:
    """float32 out of an exponent of 8 bits and a mantissa of 24."""
    stored = elements.view("<i4")
    exponents = (stored >> 24).clip(-_EXPONENTS, _EXPONENTS)
    return np.ldexp(((stored << 8) >> 8).astype(np.float32), exponents).astype("<f4").view(np.uint8)


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return the nearest whole numbers; halves away from zero."""
    return np.trunc(values + np.copysign(np.float32(0.5), values))
