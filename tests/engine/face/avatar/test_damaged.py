"""Damaged and hostile avatars: an error in words or finite vertices, within bounded time and memory."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from talkcli.engine.errors import TalkError
from talkcli.engine.exports.formats import export
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.avatar.as_rig import read_avatar_rig
from talkcli.engine.face.avatar.geometry import read_parts
from talkcli.engine.face.avatar.nodes import read_nodes
from talkcli.engine.face.avatar.read import inspect_avatar, read_avatar
from talkcli.engine.face.channels import ADA
from talkcli.engine.gltf.document import read_document
from talkcli.engine.types import Motion, Silent
from tests.engine.face.avatar.samples import ARKIT_FEW, face
from tests.fuzz.kinds_avatars import avatar

_MOST_S, _MOST_BYTES = 20, 600 << 20


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore")
def test_mutated_avatars_are_refused_in_words_or_move(tmp_path: Path, seed: int) -> None:
    drawn = Random(f"avatars {seed}")
    (tmp_path / "ada.npz").write_bytes(b"")
    coeffs = np.full((2, len(ADA)), 0.3, np.float32)
    motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA, pose=np.full((2, 3), 0.1, np.float32))
    moved = 0
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        case = avatar(drawn, tmp_path, folder)
        path = folder / case.note.split()[0]
        before = {found.name for found in folder.iterdir()}
        began_s = time.monotonic()
        tracemalloc.start()
        try:
            inspect_avatar(path)
            head = read_avatar(path)
            out = folder / "out.glb"
            export(out, Piece(motion=motion, meta={}, reporter=Silent(), topology=head))
            assert out.read_bytes()[:4] == b"glTF"
            assert np.isfinite(head.posed(motion.coeffs, motion.pose)).all()
            moved += 1
        except TalkError as error:
            assert 10 < len(error.problem) < 2100
            assert {found.name for found in folder.iterdir()} - {"out.glb"} == before
        finally:
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert time.monotonic() - began_s < _MOST_S and most < _MOST_BYTES, case.note
    assert moved > 2


def test_numbers_without_end_are_refused_before_they_are_allocated(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW)
    for target in glb.json["meshes"][0]["primitives"][0]["targets"]:
        # Without bytes, so that only the count would make them large.
        target["POSITION"] = glb.add(
            "accessors", {"componentType": 5126, "count": 20_000_000, "type": "VEC3"}
        )
    with pytest.raises(TalkError, match="more vertices and shapes than any avatar"):
        read_avatar(glb.write(tmp_path / "a.glb"))


def test_many_nodes_of_one_mesh_are_bounded(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW, skinned=False)
    glb.json["nodes"] += [{"mesh": 0} for _ in range(3_000)]
    glb.json["scenes"][0]["nodes"] += list(range(6, 3_006))
    began_s = time.monotonic()
    with pytest.raises(TalkError, match="more than"):
        read_avatar(glb.write(tmp_path / "a.glb"))
    assert time.monotonic() - began_s < _MOST_S


@pytest.mark.parametrize("children", [[1, 2], [0], [2, 2], [99], ["1"]])
def test_nodes_that_carry_each_other_are_refused(tmp_path: Path, children: list[object]) -> None:
    glb = face(ARKIT_FEW, skinned=False, eyes=False)
    glb.json["nodes"][2]["children"] = children
    with pytest.raises(TalkError):
        read_avatar(glb.write(tmp_path / "a.glb"))


def test_files_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(10_000))
    inside = tmp_path / "inside"
    inside.mkdir()
    glb = face(ARKIT_FEW)
    for uri in ("../secret", str(tmp_path / "secret"), f"file://{tmp_path}/secret"):
        content = {**glb.json, "buffers": [{"byteLength": len(glb.binary), "uri": uri}]}
        (inside / "a.gltf").write_text(json.dumps(content))
        with pytest.raises(TalkError, match=r"no file beside it|outside its folder"):
            read_avatar(inside / "a.gltf")


@pytest.mark.parametrize("read", [read_avatar, read_avatar_rig])
def test_shapes_of_points_that_are_not_drawn_are_bounded(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    glb = face(ARKIT_FEW, skinned=False)
    attributes = glb.json["meshes"][0]["primitives"][0]["attributes"]
    points = {"mode": 0, "attributes": attributes, "targets": [{}] * 4000}
    mesh = glb.add("meshes", {"primitives": [points]})
    first = len(glb.json["nodes"])
    glb.json["nodes"] += [{"mesh": mesh}] * 2_000
    glb.json["scenes"][0]["nodes"] += range(first, first + 2_000)
    with pytest.raises(TalkError, match="more than 300 parts"):
        read(glb.write(tmp_path / "a.glb"))


@pytest.mark.parametrize("name", ["POSITION", "TEXCOORD_0", "JOINTS_0", "WEIGHTS_0"])
def test_attributes_without_bytes_are_refused_before_they_are_allocated(tmp_path: Path, name: str) -> None:
    glb = face(ARKIT_FEW)
    primitive = glb.json["meshes"][0]["primitives"][0]
    accessor = glb.json["accessors"][primitive["attributes"][name]]
    del accessor["bufferView"]
    accessor["count"] = 5_000_000
    nodes = read_nodes(read_document(glb.write(tmp_path / "a.glb")))
    tracemalloc.start()
    try:
        with pytest.raises(TalkError, match="5000000 elements"):
            read_parts(nodes, lambda _: 0)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_bones_of_a_long_chain_are_found_in_one_pass(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW)
    first, many = len(glb.json["nodes"]), 15_000
    glb.json["nodes"][2]["children"].append(first)
    glb.json["nodes"] += [{"children": [first + number + 1]} for number in range(many)] + [{}]
    rig = read_avatar(glb.write(tmp_path / "a.glb")).rig
    began_s = time.process_time()
    assert {rig.owner(node) for node in range(first, first + many)} == {2}
    # A walk up the chain for each takes several seconds.
    assert time.process_time() - began_s < 0.5
