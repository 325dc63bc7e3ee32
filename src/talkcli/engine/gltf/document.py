"""A glTF 2.0 file in memory: its JSON as it is, and the bytes of its buffers.

Source: Khronos, glTF 2.0 specification (ISO/IEC 12113). Keys and extensions that talk does not know stay in
the JSON untouched. All errors are InputErrors that name the file.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.gltf.container import MAGIC, join, split
from talkcli.engine.gltf.merge import in_one_buffer
from talkcli.engine.gltf.resources import Resources
from talkcli.engine.gltf.views import MESHOPT
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.regular import open_file

# Avatars have up to some 100 MB. A file, the buffers beside it and what they unfold to all keep to this.
LARGEST_BYTES = 1 << 28
_LARGEST_JSON = 1 << 26
# Values in the JSON, each of which takes some hundred bytes of memory; base64 has no commas.
_MOST_COMMAS = 2_000_000
_HINT = "Give a whole .glb, .gltf, .vrm or .vrma file of glTF 2.0."
# Top-level keys whose value is a list of objects.
_LISTS = (
    "accessors", "animations", "buffers", "bufferViews", "cameras", "images", "materials", "meshes", "nodes",
    "samplers", "scenes", "skins", "textures",
)  # fmt: skip


@dataclass
class Document:
    """One glTF file. `json["buffers"][i]` describes `buffers[i]`, which is empty where the file has no bytes
    for it (a buffer that only decompression fills).
    """

    json: dict[str, Any]
    buffers: list[bytes] = field(default_factory=list)
    name: str = "the document"
    """What errors call it: the path of the file."""
    resources: Resources = field(default_factory=Resources)
    """Files beside it, where it has a folder."""

    def wrong(self, what: str) -> InputError:
        """Return the error that this file `what` ("has no node 3")."""
        return InputError(f"{self.name} {what}.", hint=_HINT)

    def element(self, key: str, index: object) -> dict[str, Any]:
        """Return entry `index` of the list `key` of the JSON. Raises InputError where there is none."""
        entries = self.json.get(key, [])
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(entries):
            raise self.wrong(f"refers to entry {str(index)[:40]} of {key}, of which it has {len(entries)}")
        entry: dict[str, Any] = entries[index]
        return entry

    def add(self, key: str, entry: dict[str, Any]) -> int:
        """Append `entry` to the list `key` of the JSON, and return its index."""
        entries: list[dict[str, Any]] = self.json.setdefault(key, [])
        entries.append(entry)
        return len(entries) - 1

    def whole(self, of: dict[str, Any], key: str, default: int | None = None, *, most: int = 1 << 40) -> int:
        """Return the whole number `of[key]`, from 0 to `most`; `default` where it is absent.

        Raises InputError for anything else.
        """
        value = of.get(key, default)
        if isinstance(value, float) and value.is_integer():
            # JSON knows one kind of number, and some writers add a point.
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self.wrong(f"has {key} {str(value)[:40]}, a whole number from 0 to {most} is needed")
        return value

    def view(self, index: object) -> memoryview:
        """Return the bytes of buffer view `index` as they are stored. Raises InputError where they are not
        there.
        """
        return self.bytes_of(self.element("bufferViews", index), f"a buffer view {index}")

    def bytes_of(self, view: dict[str, Any], called: str) -> memoryview:
        """Return the bytes of a buffer that `view` states: a buffer view, or what an extension has for one.

        Raises InputError, which says what it is `called`, where they are not there.
        """
        number = self.whole(view, "buffer")
        self.element("buffers", number)
        start, length = self.whole(view, "byteOffset", 0), self.whole(view, "byteLength")
        held = self.buffers[number]
        if start + length > len(held):
            raise self.wrong(
                f"has {called} of bytes {start} to {start + length}, but buffer {number} has {len(held)}"
            )
        return memoryview(held)[start : start + length]

    def add_view(self, data: bytes, **fields: Any) -> int:
        """Add `data` as a buffer with one view that has `fields`, and return the view's index.

        `write_glb` makes one buffer of all.
        """
        buffer = self.add("buffers", {"byteLength": len(data)})
        self.buffers.append(data)
        return self.add("bufferViews", {"buffer": buffer, "byteLength": len(data), **fields})

    def image(self, index: object) -> bytes:
        """Return the bytes of the picture of image `index`. Raises InputError where there are none."""
        image = self.element("images", index)
        if "bufferView" in image:
            return bytes(self.view(image["bufferView"]))
        if not isinstance(image.get("uri"), str):
            raise self.wrong(f"has an image {index} without a picture")
        return self.resources.read(image["uri"], self.name, largest=LARGEST_BYTES)


def object_of(entry: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object `entry[key]`; an empty one where there is none."""
    found = entry.get(key)
    return found if isinstance(found, dict) else {}


def new_document(generator: str, **asset: Any) -> Document:
    """Return an empty document; `asset` are further fields of its asset, such as `copyright`."""
    return Document({"asset": {"version": "2.0", "generator": generator, **asset}})


def read_document(path: Path) -> Document:
    """Return the glTF file `path`: .gltf, or a binary .glb, .vrm or .vrma; the contents tell which.

    Buffers beside a .gltf are read where they lie in its folder or below. Raises InputError for a file that
    is damaged, is no glTF 2.0, has more than 256 MiB or more than 64 MiB of JSON (with the buffers that a
    .gltf embeds as text), or refers to bytes that are not there.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_BYTES:
            raise InputError(f"{path} has {size} bytes, {LARGEST_BYTES} at most are read.", hint=_HINT)
        data = file.read(size)
    try:
        text, binary = split(data) if data.startswith(MAGIC) else (data, None)
    except ValueError as error:
        raise InputError(f"{path} is no whole binary glTF: {error}.", hint=_HINT) from error
    document = Document(_parse(path, text), name=str(path), resources=Resources(path.parent))
    _check(document)
    left = LARGEST_BYTES
    for index, buffer in enumerate(document.json.get("buffers", [])):
        document.buffers.append(_buffer(document, index, buffer, binary if index == 0 else None, left))
        left -= len(document.buffers[-1])
    return document


def write_glb(path: Path, document: Document) -> None:
    """Write `document` to `path` as binary glTF with all its buffers in one; the file appears whole or not.

    Pictures beside the document come into the file. The document stays as it is, and all keys that talk does
    not know are written as they are. Raises InputError where a picture cannot be read.
    """
    data = to_glb(document)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def to_glb(document: Document) -> bytes:
    """Return the bytes that `write_glb` writes."""
    content, binary = in_one_buffer(document, most=LARGEST_BYTES)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return join(text.encode(), binary)


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    if len(text) > _LARGEST_JSON:
        raise InputError(
            f"{path} has JSON of {len(text)} bytes, {_LARGEST_JSON} at most are read.",
            hint="Save it as .glb: a .gltf that embeds its buffers has them as text.",
        )
    if text.count(b",") > _MOST_COMMAS:
        raise InputError(f"{path} has JSON of more than {_MOST_COMMAS} values.", hint=_HINT)
    try:
        found = parse_json(text, longest=_LARGEST_JSON)
    except ValueError as error:
        raise InputError(f"{path} is neither glTF nor binary glTF ({error}).", hint=_HINT) from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds JSON, but no glTF: no object.", hint=_HINT)
    return found


def _check(document: Document) -> None:
    """Raise InputError for another version, and for lists that are none."""
    asset = document.json.get("asset")
    version = asset.get("version") if isinstance(asset, dict) else None
    if not isinstance(version, str) or version.split(".")[0] != "2":
        said = "no version of glTF" if version is None else f"version {str(version)[:20]} of glTF"
        raise document.wrong(f"states {said}, 2.0 is read")
    for key in _LISTS:
        entries = document.json.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise document.wrong(f"has {key} that are no list of objects")


def _buffer(document: Document, index: int, buffer: dict[str, Any], binary: bytes | None, left: int) -> bytes:
    """Return the bytes of buffer `index`: those of `binary`, a data URI or a file; at most `left`."""
    length = document.whole(buffer, "byteLength")
    uri = buffer.get("uri")
    if uri is None and binary is None:
        extensions = buffer.get("extensions")
        if isinstance(extensions, dict) and not extensions.keys().isdisjoint(MESHOPT):
            return b""
        raise document.wrong(f"has no bytes for buffer {index}")
    if length > left:
        raise document.wrong(f"has buffers of more than {LARGEST_BYTES} bytes")
    if uri is None:
        assert binary is not None
        held = binary
    elif isinstance(uri, str):
        held = document.resources.read(uri, document.name, largest=length, whole=False)
    else:
        raise document.wrong(f"has a buffer {index} whose URI is no text")
    if len(held) < length:
        raise document.wrong(f"has {len(held)} of the {length} bytes of buffer {index}")
    return held[:length]
