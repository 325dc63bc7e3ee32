"""All buffers and pictures of a glTF document in one buffer, the only one that a GLB holds."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from talkcli.engine.gltf.pictures import mime_type
from talkcli.engine.gltf.views import MESHOPT

# Buffers start at multiples of this: components have up to 4 bytes.
_STEP = 4


@runtime_checkable
class Parts(Protocol):
    """What is needed here of a `Document`, which needs this module."""

    json: dict[str, Any]
    buffers: list[bytes]

    def whole(self, of: dict[str, Any], key: str, default: int | None = None, *, most: int = ...) -> int:
        """See `Document`."""

    def image(self, index: object) -> bytes:
        """See `Document`."""

    def wrong(self, what: str) -> Exception:
        """See `Document`."""


def in_one_buffer(document: Parts, *, most: int) -> tuple[dict[str, Any], bytes]:
    """Return the JSON whose first buffer is the only one with bytes, and these bytes.

    Raises InputError for pictures beside the document that have more than `most` bytes together.
    """
    content = dict(document.json)
    views = [dict(view) for view in content.get("bufferViews", [])]
    parts = list(document.buffers)
    stated: list[dict[str, Any]] = list(content.get("buffers", []))
    if "images" in content:
        content["images"] = _inside(document, content["images"], views, parts, most)
    # Where each buffer's bytes lie in the one, or its place among those that have none.
    place: list[tuple[int, int]] = []
    binary = bytearray()
    without: list[dict[str, Any]] = []
    merged = any(map(len, parts))
    for index, part in enumerate(parts):
        if part:
            binary += bytes(-len(binary) % _STEP)
            place.append((0, len(binary)))
            binary += part
        else:
            place.append((len(without) + merged, 0))
            without.append(stated[index])
    for view in views:
        _move(document, view, place)
        extensions = view.get("extensions")
        if isinstance(extensions, dict):
            view["extensions"] = {name: _moved(document, name, x, place) for name, x in extensions.items()}
    if merged:
        first = next((dict(stated[i]) for i, part in enumerate(parts[: len(stated)]) if part), {})
        first.pop("uri", None)
        without.insert(0, {**first, "byteLength": len(binary)})
    if without:
        content["buffers"] = without
    if views:
        content["bufferViews"] = views
    return content, bytes(binary)


def _move(document: Parts, view: dict[str, Any], place: list[tuple[int, int]]) -> None:
    """Let `view` refer to the one buffer."""
    view["buffer"], start = place[document.whole(view, "buffer", most=len(place) - 1)]
    if start:
        view["byteOffset"] = document.whole(view, "byteOffset", 0) + start


def _moved(document: Parts, name: str, value: object, place: list[tuple[int, int]]) -> object:
    """Return the object `value` of the extension `name` of a view, which may refer to a buffer too."""
    if name not in MESHOPT or not isinstance(value, dict):
        return value
    moved = dict(value)
    _move(document, moved, place)
    return moved


def _inside(
    document: Parts, images: list[dict[str, Any]], views: list[dict[str, Any]], parts: list[bytes], left: int
) -> list[dict[str, Any]]:
    """Return `images` with views of their bytes, `left` at most, in place of files beside the document."""
    found = []
    # A file that several images name is stored once.
    known: dict[str, int] = {}
    for index, image in enumerate(images):
        uri = image.get("uri")
        if not isinstance(uri, str) or uri[:5].lower() == "data:":
            found.append(image)
            continue
        if uri not in known:
            data = document.image(index)
            left -= len(data)
            if left < 0:
                raise document.wrong("has pictures beside it that are too large for one file")
            known[uri] = len(views)
            views.append({"buffer": len(parts), "byteLength": len(data)})
            parts.append(data)
        kept = {key: value for key, value in image.items() if key != "uri"}
        kind = image.get("mimeType") or mime_type(parts[views[known[uri]]["buffer"]])
        found.append({**kept, "bufferView": known[uri], **({"mimeType": kind} if kind else {})})
    return found
