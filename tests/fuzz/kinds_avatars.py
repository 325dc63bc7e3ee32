"""Attacks on avatars: binary glTF, glTF as JSON with files beside it, VRM of both versions, compressed views."""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.engine.face.avatar.samples import ARKIT_FEW, Glb, face
from tests.fuzz import mutate, structured
from tests.fuzz.case import Case, Kind, common

_URIS = (
    "../outside/secret.txt", "file:///etc/passwd", "/etc/passwd", "http://localhost:1/a.bin", "..", "", "face.bin",
    "data:;base64,AAAA", "data:application/octet-stream;base64,!!", "face.bin\x00", "%2e%2e/outside/secret.txt",
)  # fmt: skip
_SMALL = ("--size", "64", "--overwrite")
# Lists whose entries an attacker changes.
_LISTS = (
    "accessors",
    "bufferViews",
    "nodes",
    "skins",
    "meshes",
    "materials",
    "textures",
    "images",
    "buffers",
)
_HUGE = (0, -1, 1, 2, 3, 255, 65535, 1 << 28, 1 << 31, 1 << 40, 1e308, -1e308, 0.5, True, None, "0", [], {})


def avatar(drawn: Random, files: Path, folder: Path) -> Case:
    """An avatar, damaged in its bytes or in its JSON; shown, drawn or exported."""
    glb = _made(drawn)
    name = drawn.choice(("a.glb", "a.glb", "a.vrm", "a.gltf"))
    sort = drawn.random()
    if sort < 0.4:
        content = _bytes(glb, name, folder)
        data, note, _ = mutate.damaged(drawn, content, face(("jawOpen",)).bytes())
    elif sort < 0.7:
        _strike(drawn, glb.json)
        data, note = _bytes(glb, name, folder), "struck"
    else:
        glb.json, note = structured.edited(drawn, glb.json)
        if not isinstance(glb.json, dict):
            glb.json = {"asset": {"version": "2.0"}, "nodes": glb.json}
        data = _bytes(glb, name, folder)
    (folder / name).write_bytes(data)
    (folder / "m.npz").write_bytes((files / "ada.npz").read_bytes())
    outputs: tuple[str, ...] = ()
    argv: tuple[str, ...] = ("head", name)
    how = drawn.random()
    if how > 0.6:
        argv, outputs = ("render", "m.npz", "--head", name, "--out", "fr", *_SMALL), ("fr",)
    elif how > 0.2:
        out = drawn.choice(("o.glb", "o.vrm"))
        argv, outputs = ("export", "m.npz", "--head", name, "--out", out), (out,)
    return Case(argv=common(drawn, *argv), note=f"{name} {note}", outputs=outputs)


def _made(drawn: Random) -> Glb:
    names = drawn.choice(
        (ARKIT_FEW, ("viseme_aa", "viseme_O", "viseme_PP", "eyesClosed"), ("jawOpen", "Fcl_MTH_A"))
    )
    picture = np.random.default_rng(drawn.randrange(99)).integers(0, 255, (8, 8, 4), np.uint8)
    glb = face(
        names,
        skinned=drawn.random() < 0.7,
        picture=picture if drawn.random() < 0.5 else None,
        jaw=drawn.random() < 0.3,
        double=drawn.random() < 0.3,
        alpha=drawn.choice(("OPAQUE", "MASK", "BLEND")),
    )
    if drawn.random() < 0.3:
        binds = [{"node": 3, "index": 0, "weight": 1.0}]
        expressions = {
            "preset": {"aa": {"morphTargetBinds": binds, "isBinary": True, "overrideBlink": "block"}}
        }
        glb.json["extensions"] = {
            "VRMC_vrm": {"humanoid": {"humanBones": {"head": {"node": 2}}}, "expressions": expressions}
        }
    elif drawn.random() < 0.3:
        groups = [{"presetName": "a", "binds": [{"mesh": 0, "index": 0, "weight": 100}]}]
        glb.json["extensions"] = {"VRM": {"blendShapeMaster": {"blendShapeGroups": groups}}}
    if drawn.random() < 0.3:
        _pack(glb)
    return glb


def _pack(glb: Glb) -> None:
    """Store the positions as meshopt does, all deltas as they are."""
    content = glb.json
    accessor = content["accessors"][content["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    view = content["bufferViews"][accessor["bufferView"]]
    rows = (
        np.frombuffer(glb.binary, np.uint8, view["byteLength"], view["byteOffset"])
        .reshape(-1, 12)
        .astype(int)
    )
    steps = np.diff(rows, axis=0, prepend=rows[:1]) % 256
    folded = np.where(steps < 128, 2 * steps, 2 * (256 - steps) - 1).astype(np.uint8)
    padded = np.zeros((32, 12), np.uint8)
    padded[: len(folded)] = folded
    data = b"\xa0" + b"".join(b"\x0f" + bytes(column) for column in padded.T)
    data += bytes(20) + bytes(rows[0].astype(np.uint8))
    number = glb.view(data)
    packed = {**content["bufferViews"][number], "byteStride": 12, "count": len(rows), "mode": "ATTRIBUTES"}
    view["extensions"] = {"EXT_meshopt_compression": packed}


def _strike(drawn: Random, content: dict[str, Any]) -> None:
    """Change a few numbers and references in the lists of a document."""
    for _ in range(drawn.choice((1, 1, 2, 4))):
        entries = content.get(drawn.choice(_LISTS))
        if not entries:
            continue
        entry = drawn.choice(entries)
        if drawn.random() < 0.1:
            entry["uri"] = drawn.choice(_URIS)
        elif drawn.random() < 0.1:
            entry["children"] = [drawn.randrange(6) for _ in range(3)]
        elif entry:
            key = drawn.choice(list(entry))
            value = entry[key]
            if isinstance(value, list) and value and drawn.random() < 0.7:
                value[drawn.randrange(len(value))] = drawn.choice(_HUGE)
            elif isinstance(value, dict) and value and drawn.random() < 0.7:
                value[drawn.choice(list(value))] = drawn.choice(_HUGE)
            else:
                entry[key] = drawn.choice(_HUGE)


def _bytes(glb: Glb, name: str, folder: Path) -> bytes:
    """Return the file as GLB, or as JSON whose buffer lies beside it or in a URI."""
    if not name.endswith(".gltf"):
        return _packed(glb)
    uri = "face.bin"
    if len(glb.binary) % 8:
        uri = f"data:;base64,{base64.b64encode(glb.binary).decode()}"
    (folder / "face.bin").write_bytes(glb.binary)
    content = dict(glb.json)
    content.setdefault("buffers", [{"byteLength": len(glb.binary), "uri": uri}])
    return structured.dumped(content).encode("utf-8", "surrogatepass")


def _packed(glb: Glb) -> bytes:
    content = dict(glb.json)
    content.setdefault("buffers", [{"byteLength": len(glb.binary)}])
    text = structured.dumped(content).encode("utf-8", "surrogatepass")
    text += b" " * (-len(text) % 4)
    binary = glb.binary + bytes(-len(glb.binary) % 4)
    chunks = (
        struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    )
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


KINDS = (Kind("avatar", 8, avatar),)
