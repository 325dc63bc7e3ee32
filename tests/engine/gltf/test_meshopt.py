"""Streams of meshopt: bytes that meshoptimizer wrote, the examples of the specification, and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.gltf.accessors import read_accessor
from talkcli.engine.gltf.document import read_document
from talkcli.engine.gltf.meshopt import unfold
from talkcli.engine.gltf.views import packed_by

# Encoded by meshoptimizer (attribute stream version 0), and what was given to it.
_ATTRIBUTES = bytes.fromhex(
    "a01a0002224ff4666888fef58aaacccceeefffff1010101012ffff00001212141414141616010003c00006052a04444f"
    "4ff4f4444f19fef519194444f4444f4444f4191919444f44440000000019010013c40005080000000000000000000000"
    "000000000000000000000000000000000000000000"
)
_COUNTED = np.arange(40)
_VALUES = np.stack([_COUNTED**2 // 7, 3 * (_COUNTED % 5) - _COUNTED], axis=1).astype("<i2")
_VALUES[7] = [900, -900]
_CORNERS = [0, 1, 2, 2, 1, 3, 4, 6, 5, 7, 8, 9, 1, 0, 4, 4, 2, 0, 9, 8, 1, 5, 6, 20]
_TRIANGLES = bytes.fromhex("e1f010feffa5ff69bff00cff0202028a0920007687566778a9866589689801690000")
_INDICES = bytes.fromhex("d10004040002080408020804041e021000060624021a10043800000000")


def _attributes(data: bytes, count: int, stride: int, filter_: str = "NONE") -> np.ndarray:
    return unfold(data, mode="ATTRIBUTES", filter_=filter_, count=count, stride=stride)


def _stored(elements: np.ndarray) -> bytes:
    """Return a stream of at most 16 elements that stores all deltas as they are."""
    rows = elements.view(np.uint8).reshape(len(elements), -1).astype(int)
    steps = np.diff(rows, axis=0, prepend=rows[:1]) % 256
    folded = np.where(steps < 128, 2 * steps, 2 * (256 - steps) - 1).astype(np.uint8)
    blocks = b"".join(b"\x03" + bytes(column) + bytes(16 - len(column)) for column in folded.T)
    first = bytes(rows[0].astype(np.uint8))
    return b"\xa0" + blocks + bytes(max(32 - len(first), 0)) + first


def test_what_meshoptimizer_wrote() -> None:
    assert _attributes(_ATTRIBUTES, 40, 4).tobytes() == _VALUES.tobytes()
    for width in (2, 4):
        for mode, data in (("TRIANGLES", _TRIANGLES), ("INDICES", _INDICES)):
            found = unfold(data, mode=mode, filter_="NONE", count=24, stride=width)
            assert found.view(f"<u{width}")[:, 0].tolist() == _CORNERS


def test_the_deltas_of_the_specification() -> None:
    packed = bytes.fromhex("175ff0bc77a921003 4b5".replace(" ", ""))
    still = bytes(1)
    data = b"\xa0" + b"\x02" + packed + 3 * still + bytes(32)
    deltas = [-1, -4, -3, 26, -91, 0, -6, 6, -4, -4, 5, -5, 1, -1, 0, 0]
    found = _attributes(data, 16, 4)
    assert found[:, 0].tolist() == (np.cumsum(deltas) % 256).tolist()
    assert not found[:, 1:].any()


def test_filters_of_unit_vectors() -> None:
    stored = np.array(
        [[127, 0, 127, 5], [0, 0, 127, 6], [127, 127, 127, 7], [0, -7, 7, -8], [63, 64, 127, 0]], np.int8
    )
    found = _attributes(_stored(stored), 5, 4, "OCTAHEDRAL").view(np.int8)
    expected = [[127, 0, 0, 5], [0, 0, 127, 6], [0, 0, -127, 7], [0, -127, 0, -8], [89, 90, 0, 0]]
    np.testing.assert_allclose(found, expected, atol=1)
    wide = np.array([[16384, 0, 32767, 9], [0, 511, 511, 1]], "<i2")
    found = _attributes(_stored(wide), 2, 8, "OCTAHEDRAL").view("<i2")
    np.testing.assert_allclose(found, [[23171, 0, 23169, 9], [0, 32767, 0, 1]], atol=2)


def test_filters_of_quaternions_and_floats() -> None:
    half = round(32767 * np.sqrt(2) / 2)
    # The largest component is that of the last two bits; the others follow it.
    stored = np.array([[0, 0, 0, 32767], [half, 0, 0, 32764], [0, 0, 0, 32765]], "<i2")
    found = _attributes(_stored(stored), 3, 8, "QUATERNION").view("<i2") / 32767
    third = np.sqrt(1 - 0.25)
    np.testing.assert_allclose(found, [[0, 0, 0, 1], [third, 0.5, 0, 0], [0, 1, 0, 0]], atol=1e-4)
    exponents = np.array([-1, 0, 3, -100, 20], np.int64)
    mantissas = np.array([3, -7, 2**23 - 1, 1, -(2**23)], np.int64)
    packed = ((exponents << 24) | (mantissas & 0xFFFFFF)).astype(np.uint32).view("<i4").reshape(-1, 1)
    found = _attributes(_stored(packed), 5, 4, "EXPONENTIAL").view("<f4")[:, 0]
    assert found.tolist() == (mantissas * 2.0**exponents).astype(np.float32).tolist()


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        (b"", {}),
        (b"\xa1" + _ATTRIBUTES[1:], {}),
        (_ATTRIBUTES[:-1], {}),
        (_ATTRIBUTES + b"\0", {}),
        (_ATTRIBUTES, {"count": 40 + 32}),
        (_ATTRIBUTES, {"count": 1 << 30}),
        (_ATTRIBUTES, {"stride": 6}),
        (_ATTRIBUTES, {"stride": 0}),
        (_ATTRIBUTES, {"filter_": "OCTAHEDRAL", "stride": 12}),
        (_ATTRIBUTES, {"mode": "OTHER"}),
        (_ATTRIBUTES, {"filter_": "OTHER"}),
        (_TRIANGLES, {"mode": "TRIANGLES", "count": 23, "stride": 2}),
        (_TRIANGLES, {"mode": "TRIANGLES", "count": 27, "stride": 2}),
        (_TRIANGLES, {"mode": "TRIANGLES", "count": 3000, "stride": 2}),
        (_TRIANGLES[:-1], {"mode": "TRIANGLES", "count": 24, "stride": 2}),
        (_TRIANGLES, {"mode": "TRIANGLES", "count": 24, "stride": 1}),
        (_INDICES, {"mode": "INDICES", "count": 25, "stride": 4}),
        (_INDICES[:-2], {"mode": "INDICES", "count": 24, "stride": 4}),
        (b"\xd1" + b"\xff" * 40 + bytes(4), {"mode": "INDICES", "count": 8, "stride": 4}),
    ],
)
def test_damaged_streams_are_refused(data: bytes, settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        unfold(data, **{"mode": "ATTRIBUTES", "filter_": "NONE", "count": 40, "stride": 4, **settings})  # type: ignore[arg-type]


def test_flipped_bytes_never_leave_the_stream() -> None:
    random = np.random.default_rng(1)
    for data, mode, count, stride in (
        (_ATTRIBUTES, "ATTRIBUTES", 40, 4),
        (_TRIANGLES, "TRIANGLES", 24, 2),
        (_INDICES, "INDICES", 24, 2),
    ):
        for _ in range(300):
            damaged = bytearray(data)
            damaged[random.integers(1, len(data))] ^= 1 << int(random.integers(8))
            try:
                found = unfold(bytes(damaged), mode=mode, filter_="NONE", count=count, stride=stride)
            except ValueError:
                continue
            assert found.shape == (count, stride)


@pytest.mark.data
def test_a_public_file_has_the_bounds_that_it_states(shared_data: Path) -> None:
    document = read_document(shared_data / "avatars" / "vroid.glb")
    checked = 0
    for index, accessor in enumerate(document.json["accessors"]):
        view = document.json["bufferViews"][accessor["bufferView"]]
        if packed_by(view) is None or "min" not in accessor or checked > 400:
            continue
        values = read_accessor(document, index)
        if accessor.get("normalized"):
            most = np.iinfo(
                {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16}[accessor["componentType"]]
            ).max
            values = np.rint(values * most)
        assert values.min(0).tolist() == accessor["min"] and values.max(0).tolist() == accessor["max"]
        checked += 1
    assert checked > 400
