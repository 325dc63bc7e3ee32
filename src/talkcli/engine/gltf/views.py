"""Bytes of buffer views, also of those that an extension compressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talkcli.engine.gltf.document import Document

MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")


def packed_by(view: dict[str, Any]) -> dict[str, Any] | None:
    """Return the object of the extension that compressed `view`; None where none did."""
    extensions = view.get("extensions")
    if not isinstance(extensions, dict):
        return None
    return next((found for name in MESHOPT if isinstance(found := extensions.get(name), dict)), None)


def unpacked(document: Document, index: object, largest: int) -> memoryview:
    """Return the bytes of buffer view `index`, uncompressed, of which there may be `largest` at most.

    Raises InputError where the bytes are not there, and for a damaged stream.
    """
    view = document.element("bufferViews", index)
    packed = packed_by(view)
    if packed is None:
        return document.view(index)
    from talkcli.engine.gltf.meshopt import unfold

    count, stride = document.whole(packed, "count"), document.whole(packed, "byteStride")
    if count * stride > largest or count * stride != document.whole(view, "byteLength"):
        raise document.wrong(
            f"has a compressed buffer view {index} of {count} elements of {stride} bytes, which do not fit it"
        )
    data = document.bytes_of(packed, f"a compressed buffer view {index}")
    try:
        elements = unfold(
            data,
            mode=str(packed.get("mode")),
            filter_=str(packed.get("filter", "NONE")),
            count=count,
            stride=stride,
        )
    except ValueError as error:
        raise document.wrong(f"has a damaged buffer view {index}: {error}") from error
    return elements.reshape(-1).data
