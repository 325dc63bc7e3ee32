"""glTF documents: what is read and written, and what is refused."""

from __future__ import annotations

import base64
import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.gltf import document as gltf_document
from talkcli.engine.gltf.accessors import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, add_accessor, read_accessor
from talkcli.engine.gltf.document import new_document, read_document, write_glb
from tests.engine.data.mutations import survives

_CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]], np.float32)
_FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
_PNG = b"\x89PNG\r\n\x1a\n" + b"rest of a picture"


def _glb(content: dict[str, Any], binary: bytes | None = None) -> bytes:
    """A GLB made by hand from the standard's description."""
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if binary is not None:
        binary += bytes(-len(binary) % 4)
        chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _by_hand(path: Path) -> tuple[dict[str, Any], bytes]:
    """The JSON and binary chunk of a GLB with two chunks, taken apart by the standard's description."""
    data = path.read_bytes()
    magic, version, length, size, kind = struct.unpack_from("<4sIII4s", data)
    assert (magic, version, length, kind) == (b"glTF", 2, len(data), b"JSON")
    assert size % 4 == 0
    binary_size, binary_kind = struct.unpack_from("<I4s", data, 20 + size)
    assert binary_kind == b"BIN\0" and 28 + size + binary_size == len(data) and binary_size % 4 == 0
    return json.loads(data[20 : 20 + size]), data[28 + size :]


def _asset(**content: Any) -> dict[str, Any]:
    return {"asset": {"version": "2.0"}, **content}


def _tetrahedron(tmp_path: Path) -> Path:
    document = new_document("test", copyright="none")
    position = add_accessor(document, _CORNERS, target=ARRAY_BUFFER, bounds=True)
    indices = add_accessor(document, _FACES.ravel(), target=ELEMENT_ARRAY_BUFFER)
    mesh = document.add(
        "meshes", {"primitives": [{"attributes": {"POSITION": position}, "indices": indices}]}
    )
    document.json |= {"nodes": [{"mesh": mesh}], "scenes": [{"nodes": [0]}], "scene": 0}
    write_glb(tmp_path / "tetrahedron.glb", document)
    return tmp_path / "tetrahedron.glb"


def test_what_is_written_is_read_by_another_reader(tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    mesh = trimesh.load(_tetrahedron(tmp_path), force="mesh", process=False)
    np.testing.assert_array_equal(mesh.vertices, _CORNERS)
    np.testing.assert_array_equal(mesh.faces, _FACES)
    assert mesh.volume == pytest.approx(1.0)


def test_chunks_are_aligned_and_all_buffers_one(tmp_path: Path) -> None:
    document = new_document("test")
    add_accessor(document, np.arange(3, dtype=np.uint8))
    add_accessor(document, np.arange(3, dtype=np.float32))
    write_glb(tmp_path / "two.glb", document)
    content, binary = _by_hand(tmp_path / "two.glb")
    assert content["buffers"] == [{"byteLength": 16}]
    assert [view.get("byteOffset", 0) for view in content["bufferViews"]] == [0, 4]
    assert binary == bytes([0, 1, 2, 0]) + struct.pack("<3f", 0, 1, 2)
    # The document itself is as before.
    assert len(document.buffers) == 2 == len(document.json["buffers"])


def test_unknown_keys_and_extensions_survive(tmp_path: Path) -> None:
    content = _asset(
        extensionsUsed=["ABC_own"],
        extensions={"ABC_own": {"deep": [1, 2.5, None, {"ü": True}], "big": 2**53}},
        ownKey={"a": 0.1},
        buffers=[{"byteLength": 5, "name": "all", "extras": {"x": 1}}],
        bufferViews=[{"buffer": 0, "byteOffset": 1, "byteLength": 3, "extras": "kept"}],
        nodes=[{"name": "n", "extras": {"y": [1]}}],
    )
    (tmp_path / "in.glb").write_bytes(_glb(content, b"hello"))
    document = read_document(tmp_path / "in.glb")
    write_glb(tmp_path / "out.glb", document)
    again, binary = _by_hand(tmp_path / "out.glb")
    assert again == content
    assert binary == b"hello\0\0\0"
    assert read_document(tmp_path / "out.glb").buffers == [b"hello"]


def test_files_beside_a_gltf_come_into_the_glb(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a b.bin").write_bytes(struct.pack("<2f", 1.5, -2.0) + b"more")
    (tmp_path / "face.png").write_bytes(_PNG)
    inline = base64.b64encode(struct.pack("<2H", 7, 9)).decode()
    content = _asset(
        buffers=[
            {"byteLength": 8, "uri": "parts/a%20b.bin"},
            {"byteLength": 4, "uri": f"data:application/octet-stream;base64,{inline}"},
        ],
        bufferViews=[{"buffer": 1, "byteLength": 4}, {"buffer": 0, "byteLength": 8}],
        accessors=[
            {"bufferView": 0, "componentType": 5123, "count": 2, "type": "SCALAR"},
            {"bufferView": 1, "componentType": 5126, "count": 2, "type": "SCALAR"},
        ],
        images=[{"uri": "face.png", "name": "skin"}, {"uri": "face.png"}],
    )
    (tmp_path / "in.gltf").write_text(json.dumps(content))
    write_glb(tmp_path / "out.glb", read_document(tmp_path / "in.gltf"))
    document = read_document(tmp_path / "out.glb")
    assert read_accessor(document, 0).tolist() == [7, 9]
    assert read_accessor(document, 1).tolist() == [1.5, -2.0]
    assert document.image(0) == _PNG
    stored = {"bufferView": 2, "mimeType": "image/png"}
    assert document.json["images"] == [{"name": "skin", **stored}, stored]


def test_pictures_beside_a_gltf_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talkcli.engine.gltf.document.LARGEST_BYTES", 1000)
    names = [f"{number}.png" for number in range(3)]
    for name in names:
        (tmp_path / name).write_bytes(_PNG.ljust(400))
    for count in (2, 3):
        content = _asset(images=[{"uri": name} for name in names[:count]])
        (tmp_path / f"{count}.gltf").write_text(json.dumps(content))
    write_glb(tmp_path / "out.glb", read_document(tmp_path / "2.gltf"))
    with pytest.raises(InputError, match="too large"):
        write_glb(tmp_path / "out.glb", read_document(tmp_path / "3.gltf"))


def test_compressed_views_keep_their_buffers(tmp_path: Path) -> None:
    packed = {"buffer": 1, "byteLength": 6, "byteStride": 4, "count": 8, "mode": "ATTRIBUTES"}
    fallback = {"byteLength": 32, "extensions": {"EXT_meshopt_compression": {"fallback": True}}}
    view = {"buffer": 2, "byteLength": 32, "extensions": {"EXT_meshopt_compression": packed}}
    first, second = base64.b64encode(b"abcde").decode(), base64.b64encode(b"packed").decode()
    content = _asset(
        buffers=[
            {"byteLength": 5, "uri": f"data:;base64,{first}"},
            {"byteLength": 6, "uri": f"data:;base64,{second}"},
            fallback,
        ],
        bufferViews=[view],
        accessors=[{"bufferView": 0, "componentType": 5126, "count": 8, "type": "SCALAR"}],
    )
    (tmp_path / "in.gltf").write_text(json.dumps(content))
    with pytest.raises(InputError, match="damaged buffer view 0"):
        read_accessor(read_document(tmp_path / "in.gltf"), 0)
    write_glb(tmp_path / "out.glb", read_document(tmp_path / "in.gltf"))
    written, binary = _by_hand(tmp_path / "out.glb")
    assert written["buffers"] == [{"byteLength": 14}, fallback]
    assert written["bufferViews"] == [
        {
            "buffer": 1,
            "byteLength": 32,
            "extensions": {"EXT_meshopt_compression": {**packed, "buffer": 0, "byteOffset": 8}},
        }
    ]
    assert binary[8:14] == b"packed"


def _case(name: str) -> tuple[bytes, str]:
    buffer = {"byteLength": 4}
    cases: dict[str, tuple[bytes, str]] = {
        "empty": (b"", "0 bytes|neither|empty"),
        "cut": (_glb(_asset(buffers=[buffer]), b"abcd")[:-2], "states a length"),
        "version 1": (struct.pack("<4sIIII", b"glTF", 1, 20, 0, 0), "version 1"),
        "chunk beyond the end": (struct.pack("<4sIII4s", b"glTF", 2, 24, 9, b"JSON") + b"{}  ", "chunk of 9"),
        "no JSON first": (struct.pack("<4sIII4s", b"glTF", 2, 24, 4, b"BIN\0") + b"abcd", "chunk of JSON"),
        "no object": (b"[1]", "no object"),
        "no asset": (b"{}", "no version"),
        "glTF 1": (b'{"asset": {"version": "1.0"}}', "version 1.0"),
        "lists": (json.dumps(_asset(nodes={"a": 1})).encode(), "nodes"),
        "entries": (json.dumps(_asset(nodes=[1])).encode(), "nodes"),
        "no bytes": (json.dumps(_asset(buffers=[buffer])).encode(), "no bytes for buffer 0"),
        "second buffer": (_glb(_asset(buffers=[buffer, buffer]), b"abcd"), "no bytes for buffer 1"),
        "short buffer": (_glb(_asset(buffers=[{"byteLength": 99}]), b"abcd"), "4 of the 99"),
        "huge buffer": (_glb(_asset(buffers=[{"byteLength": 1 << 39}]), b"abcd"), "more than"),
        "negative": (_glb(_asset(buffers=[{"byteLength": -1}]), b"abcd"), "byteLength -1"),
        "base64": (json.dumps(_asset(buffers=[{**buffer, "uri": "data:;base64,?"}])).encode(), "not base64"),
        "deep": (b'{"asset": {"version": "2.0"}, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested"),
        "values": (b'{"asset": {"version": "2.0"}, "x": [' + b"1," * 2_000_001 + b"1]}", "values"),
        "NaN": (b'{"asset": {"version": "2.0"}, "x": NaN}', "NaN"),
    }
    return cases[name]


@pytest.mark.parametrize(
    "name",
    ["empty", "cut", "version 1", "chunk beyond the end", "no JSON first", "no object", "no asset", "glTF 1",
     "lists", "entries", "no bytes", "second buffer", "short buffer", "huge buffer", "negative", "base64",
     "deep", "values", "NaN"],
)  # fmt: skip
def test_what_is_broken_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    content, words = _case(name)
    (tmp_path / "x.glb").write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_document(tmp_path / "x.glb")
    assert str(tmp_path / "x.glb") in caught.value.problem
    assert caught.value.problem.endswith(".")


@pytest.mark.parametrize(
    "uri",
    ["../secret.bin", "%2e%2e/secret.bin", "link.bin", "inner/../../secret.bin", "file:///etc/passwd",
     "https://example.org/a.bin", "a%00b", "%ff", "x" * 5000],
)  # fmt: skip
def test_nothing_outside_the_folder_is_read(tmp_path: Path, uri: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"secret")
    (folder / "link.bin").symlink_to("../secret.bin")
    for content in (
        _asset(buffers=[{"byteLength": 4, "uri": uri}]),
        _asset(images=[{"uri": uri}]),
    ):
        (folder / "x.gltf").write_text(json.dumps(content))
        with pytest.raises(InputError) as caught:
            write_glb(tmp_path / "out.glb", read_document(folder / "x.gltf"))
        assert len(caught.value.problem) < 400
    assert not (tmp_path / "out.glb").exists()


def test_pipes_beside_a_gltf_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.bin")
    content = _asset(buffers=[{"byteLength": 4, "uri": "pipe.bin"}])
    (tmp_path / "x.gltf").write_text(json.dumps(content))
    with pytest.raises(InputError, match="not a regular file"):
        read_document(tmp_path / "x.gltf")


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    content = _tetrahedron(tmp_path).read_bytes()

    def read(mutant: bytes) -> object:
        (tmp_path / "m.glb").write_bytes(mutant)
        document = read_document(tmp_path / "m.glb")
        arrays = [read_accessor(document, index) for index in range(len(document.json.get("accessors", [])))]
        write_glb(tmp_path / "again.glb", document)
        assert read_document(tmp_path / "again.glb").json.get("nodes") == document.json.get("nodes")
        return arrays

    assert survives(read, content, count=300) > 100


@pytest.mark.data
def test_real_avatars_pass_through_unchanged(tmp_path: Path, shared_data: Path) -> None:
    files = sorted((shared_data / "avatars").glob("*.*"))
    assert files
    for path in files:
        document = read_document(path)
        write_glb(tmp_path / "again.glb", document)
        again = read_document(tmp_path / "again.glb")
        assert again.json == document.json, path.name
        assert again.buffers == document.buffers, path.name


def test_json_beyond_the_limit_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gltf_document, "_LARGEST_JSON", 1000)
    (tmp_path / "a.gltf").write_text(json.dumps({"asset": {"version": "2.0"}, "extras": "A" * 1000}))
    with pytest.raises(InputError, match="1000 at most are read") as caught:
        read_document(tmp_path / "a.gltf")
    assert ".glb" in str(caught.value.hint)
