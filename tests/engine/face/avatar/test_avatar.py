"""Avatars as heads: what moves, against a plain evaluation of the exported file, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.formats import export
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.avatar.head import AvatarHead
from talkcli.engine.face.avatar.read import inspect_avatar, read_avatar
from talkcli.engine.face.channels import ADA, ARKIT, JAW_OPEN_RAD, JAW_SIDE_RAD
from talkcli.engine.face.heads import load_head
from talkcli.engine.types import Motion, Silent
from tests.engine.face.avatar.samples import (
    ARKIT_FEW,
    array,
    evaluated,
    face,
    split,
    worlds,
)
from tests.khronos import issues, missing_validator


def _motion(frames: int = 4, seed: int = 0) -> Motion:
    random = np.random.default_rng(seed)
    return Motion(
        coeffs=random.uniform(0, 0.4, (frames, len(ADA))).astype(np.float32),
        fps=25.0,
        head="ada",
        channels=ADA,
        pose=random.normal(0, 0.2, (frames, 3)).astype(np.float32),
    )


def _one(**values: float) -> np.ndarray:
    row = np.zeros((1, len(ADA)), np.float32)
    for name, value in values.items():
        row[0, ADA.index(name)] = value
    return row


def _exported(head: AvatarHead, motion: Motion, out: Path) -> Path:
    export(out, Piece(motion=motion, meta={}, reporter=Silent(), topology=head))
    return out


def _weights(path: Path) -> dict[str, np.ndarray]:
    """Return the track of each shape of the mesh by name, from the last animation of a GLB."""
    content, binary = split(path)
    mesh = content["meshes"][0]
    names = (mesh.get("extras") or mesh["primitives"][0]["extras"])["targetNames"]
    for channel in content["animations"][-1]["channels"]:
        if channel["target"]["path"] == "weights":
            sampler = content["animations"][-1]["samplers"][channel["sampler"]]
            table = array(content, binary, sampler["output"]).reshape(-1, len(names))
            return dict(zip(names, table.T, strict=True))
    return {}


@pytest.mark.parametrize(
    ("names", "made"),
    [
        (ARKIT, {}),
        (ARKIT_FEW, {"jaw": True}),
        (ARKIT_FEW, {"skinned": False}),
        (("viseme_aa", "viseme_PP", "viseme_O", "eyesClosed"), {"jaw": False}),
        (("mouthSmile",), {"jaw": True, "eyes": True, "named_on": "primitive"}),
    ],
)
def test_the_head_moves_as_the_exported_file_says(
    tmp_path: Path, names: tuple[str, ...], made: dict[str, Any]
) -> None:
    head = read_avatar(face(names, **made).write(tmp_path / "in.glb"))
    motion = _motion()
    out = _exported(head, motion, tmp_path / "out.glb")
    weights, turns = head.driven(motion.coeffs, motion.pose)
    ours = head.mesh.vertices(weights, head.rig.moves(turns, 4), 4)
    for frame in range(4):
        # float32 of a millionth at head height.
        np.testing.assert_allclose(ours[frame], np.concatenate(evaluated(out, frame)), atol=2e-6)
    assert np.abs(ours[0] - ours[1]).max() > 1e-3
    # What is drawn is made of these vertices.
    np.testing.assert_allclose(head.posed(motion.coeffs, motion.pose)[2], head.drawn.of @ ours[2], atol=1e-7)
    np.testing.assert_allclose(
        head(torch.from_numpy(motion.coeffs)).numpy(), head.posed(motion.coeffs, None), atol=0
    )


def test_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW)
    glb.json["extensionsUsed"] = ["SOME_unknown"]
    glb.json["extensions"] = {"SOME_unknown": {"values": [1, 2.5, "ä"]}}
    glb.json["animations"] = [
        {
            "name": "idle",
            "samplers": [{"input": 0, "output": 0}],
            "channels": [{"sampler": 0, "target": {"node": 0, "path": "translation"}}],
        }
    ]
    path = glb.write(tmp_path / "in.glb")
    out = _exported(read_avatar(path), _motion(), tmp_path / "out.glb")
    (before, bytes_before), (after, bytes_after) = split(path), split(out)
    assert after["animations"][1]["name"] == "talk"
    for key in ("animations", "accessors", "bufferViews"):
        assert after[key][: len(before[key])] == before[key]
        after[key] = before[key]
    assert after["buffers"][0].pop("byteLength") == len(bytes_after)
    before["buffers"][0].pop("byteLength")
    assert after == before
    assert bytes_after[: len(bytes_before)] == bytes_before


@pytest.mark.skipif(missing_validator() is not None, reason=missing_validator() or "")
@pytest.mark.parametrize("made", [{"jaw": True}, {"skinned": False}])
def test_the_validator_of_khronos_finds_nothing_new(tmp_path: Path, made: dict[str, Any]) -> None:
    path = face(ARKIT_FEW, **made).write(tmp_path / "in.glb")
    out = _exported(read_avatar(path), _motion(), tmp_path / "out.glb")
    assert set(issues(out)) <= set(issues(path))


def test_times_begin_at_zero_and_end_with_the_motion(tmp_path: Path) -> None:
    head = read_avatar(face(ARKIT_FEW).write(tmp_path / "in.glb"))
    out = _exported(head, _motion(1500), tmp_path / "out.glb")
    content, binary = split(out)
    times = array(content, binary, content["animations"][0]["samplers"][0]["input"])[:, 0]
    np.testing.assert_allclose(times, np.arange(1500) / 25, atol=1e-5)
    accessor = content["accessors"][content["animations"][0]["samplers"][0]["input"]]
    assert accessor["min"] == [0.0] and accessor["max"] == [times[-1]]


def test_a_subset_of_shapes_is_reported_and_derived(tmp_path: Path) -> None:
    names = (
        "jawOpen",
        "mouthSmile",
        "EyeBlink_L",
        "blendShape1.eyeBlink_R",
        "browInnerUp_L",
        "browInnerUp_R",
    )
    path = face((*names, "cheekPuff", "Fcl_HA_Fung1"), still=("cheekPuff",)).write(tmp_path / "in.glb")
    found = inspect_avatar(path)
    assert found["mapped"] == {
        "jawOpen": "jawOpen",
        "eyeBlinkLeft": "EyeBlink_L",
        "eyeBlinkRight": "blendShape1.eyeBlink_R",
    }
    assert found["derived"]["mouthSmileLeft"] == "mouthSmile, which moves both sides"
    assert found["derived"]["browInnerUp"] == "browInnerUp_L and browInnerUp_R"
    assert found["derived"]["mouthClose"] == "jawOpen, which opens less"
    assert {curve for curve, how in found["derived"].items() if how.startswith("bone")} == {
        f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out") for side in ("Left", "Right")
    }
    assert (found["still"], found["unknown"]) == (["cheekPuff"], ["Fcl_HA_Fung1"])
    assert set(found["missing"]) == set(ARKIT) - found["mapped"].keys() - found["derived"].keys()
    assert "cheekPuff" in found["missing"] and len(found["missing"]) == 52 - 3 - 12
    out = _exported(
        read_avatar(path),
        Motion(
            coeffs=_one(
                mouthSmileLeft=0.8,
                mouthSmileRight=0.2,
                browInnerUp=0.7,
                jawPitch=0.5 * JAW_OPEN_RAD,
                mouthClose=0.2,
            ),
            fps=25.0,
            head="ada",
            channels=ADA,
        ),
        tmp_path / "out.glb",
    )
    shown = {name: float(track[0]) for name, track in _weights(out).items()}
    assert shown == pytest.approx(
        {
            **dict.fromkeys((*names, "cheekPuff", "Fcl_HA_Fung1"), 0.0),
            "mouthSmile": 0.5,
            "browInnerUp_L": 0.7,
            "browInnerUp_R": 0.7,
            "jawOpen": 0.3,
        },
        abs=1e-6,
    )


def test_sides_are_not_moved_twice(tmp_path: Path) -> None:
    path = face(("eyeBlinkLeft", "eyeBlinkRight", "eyesClosed", "mouthOpen", "jawOpen")).write(
        tmp_path / "a.glb"
    )
    found = inspect_avatar(path)
    assert found["mapped"].keys() == {"eyeBlinkLeft", "eyeBlinkRight", "jawOpen"}
    motion = Motion(
        coeffs=_one(eyeBlinkLeft=1, eyeBlinkRight=1, jawPitch=0.3), fps=25.0, head="ada", channels=ADA
    )
    shown = _weights(_exported(read_avatar(path), motion, tmp_path / "out.glb"))
    assert shown["eyesClosed"][0] == shown["mouthOpen"][0] == 0.0
    assert shown["eyeBlinkLeft"][0] == 1.0


def test_mouth_open_stands_in_for_the_jaw(tmp_path: Path) -> None:
    head = read_avatar(face(("mouthOpen", "eyesClosed"), eyes=False).write(tmp_path / "a.glb"))
    assert head.plan.derived["jawOpen"] == "mouthOpen"
    assert head.plan.derived["eyeBlinkLeft"] == "eyesClosed, which moves both sides"
    weights, _ = head.driven(_one(jawPitch=0.21, eyeBlinkLeft=1, eyeBlinkRight=1), None)
    assert [float(track[0]) for track in weights.values()] == pytest.approx([1.0, 0.5])


def test_visemes_speak_where_nothing_opens_the_jaw(tmp_path: Path) -> None:
    names = ("viseme_sil", "viseme_PP", "viseme_aa", "viseme_O", "viseme_U", "mouthFunnel", "jawOpen")
    head = read_avatar(face(names, still=("jawOpen",)).write(tmp_path / "a.glb"))
    assert head.plan.visemes is not None and head.plan.visemes.name == "oculus"
    assert head.plan.derived["jawOpen"] == "5 visemes"
    wide = _one(
        jawPitch=0.46 * JAW_OPEN_RAD,
        **{
            f"{name}{side}": 0.29 for name in ("mouthLowerDown", "mouthUpperUp") for side in ("Left", "Right")
        },
    )
    weights, _ = head.driven(wide, None)
    shown = {names[number]: float(track[0]) for (_, number), track in weights.items()}
    assert max(shown, key=lambda name: shown[name]) == "viseme_aa" and shown["viseme_aa"] > 0.5
    # It is part of the poses of the visemes: alone it would count twice.
    assert "mouthFunnel" not in shown


def test_the_jaw_bone_opens_and_closes(tmp_path: Path) -> None:
    head = read_avatar(face(("eyeBlinkLeft",), jaw=True, eyes=False).write(tmp_path / "a.glb"))
    _, turns = head.driven(_one(jawPitch=0.3), None)
    np.testing.assert_allclose(turns["jaw"], [[0.3, 0, 0]], atol=1e-6)
    # Lips that meet keep a jaw shut that no shape closes.
    _, turns = head.driven(_one(jawPitch=0.3, lipSeal=1.0), None)
    np.testing.assert_allclose(turns["jaw"], [[0, 0, 0]], atol=1e-6)


def test_the_jaw_goes_aside_by_its_shapes_or_its_bone(tmp_path: Path) -> None:
    aside = _one(jawPitch=0.3, jawYaw=JAW_SIDE_RAD)
    for names, yaw in ((("jawLeft", "jawRight"), 0.0), (("eyeBlinkLeft",), JAW_SIDE_RAD)):
        head = read_avatar(face(names, jaw=True, eyes=False).write(tmp_path / "a.glb"))
        _, turns = head.driven(aside, None)
        np.testing.assert_allclose(turns["jaw"], [[0.3, yaw, 0]], atol=1e-6)


def test_names_are_cut(tmp_path: Path) -> None:
    glb = face(("jawOpen",), eyes=False)
    glb.json["nodes"][2]["name"] = f"x:CC_Base_Head{' ' * 5000}"
    assert inspect_avatar(glb.write(tmp_path / "a.glb"))["bones"]["head"] == f"x:CC_Base_Head{' ' * 186}"


def test_eyes_turn_to_the_subjects_left(tmp_path: Path) -> None:
    path = face(("jawOpen",)).write(tmp_path / "in.glb")
    motion = Motion(coeffs=_one(eyeLookOutLeft=1.0, eyeLookInRight=1.0), fps=25.0, head="ada", channels=ADA)
    out = _exported(read_avatar(path), motion, tmp_path / "out.glb")
    content, binary = split(out)
    animation = content["animations"][0]
    turned = {
        channel["target"]["node"]: array(
            content, binary, animation["samplers"][channel["sampler"]]["output"]
        )[0]
        for channel in animation["channels"]
        if channel["target"]["path"] == "rotation"
    }
    before, after = worlds(content), worlds(content, turned)
    for node in (4, 5):
        # The direction that was straight ahead at rest.
        ahead = after[node][:3, :3] @ np.linalg.inv(before[node][:3, :3]) @ [0, 0, 1]
        np.testing.assert_allclose(ahead, [np.sin(0.52), 0, np.cos(0.52)], atol=1e-6)


@pytest.mark.parametrize("names", [(), ("Fcl_HA_Fung1", "fat"), ("jawOpen",)])
def test_an_avatar_without_a_face_is_refused_with_what_it_has(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = face(names, still=("jawOpen",), eyes=False).write(tmp_path / "in.glb")
    with pytest.raises(InputError, match="nothing that moves a face") as error:
        load_head(str(path))
    assert "25 vertices" in error.value.problem
    for name in names:
        assert name in error.value.problem
    assert "Head" in error.value.problem
    assert inspect_avatar(path)["usable"] is False


def test_gltf_with_files_beside_it_becomes_one_glb(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW)
    (tmp_path / "face.bin").write_bytes(glb.binary)
    content = {**glb.json, "buffers": [{"byteLength": len(glb.binary), "uri": "face.bin"}]}
    (tmp_path / "in.gltf").write_text(json.dumps(content))
    out = _exported(read_avatar(tmp_path / "in.gltf"), _motion(), tmp_path / "out.glb")
    written, binary = split(out)
    assert [buffer.keys() for buffer in written["buffers"]] == [{"byteLength"}]
    assert binary[: len(glb.binary)] == glb.binary
    assert written["nodes"] == glb.json["nodes"]


def test_bones_whose_nodes_have_a_matrix_rest(tmp_path: Path) -> None:
    glb = face(ARKIT_FEW, eyes=False)
    head = glb.json["nodes"][2]
    head["matrix"] = (
        np.block([[np.eye(3), np.zeros((3, 1))], [np.array([head.pop("translation")]), 1]]).ravel().tolist()
    )
    out = _exported(read_avatar(glb.write(tmp_path / "in.glb")), _motion(), tmp_path / "out.glb")
    channels = split(out)[0]["animations"][0]["channels"]
    assert [channel["target"]["path"] for channel in channels] == ["weights"]


def test_only_avatars_are_exported_so(tmp_path: Path) -> None:
    head = read_avatar(face(ARKIT_FEW).write(tmp_path / "in.glb"))
    with pytest.raises(UsageError, match="is no VRM"):
        _exported(head, _motion(), tmp_path / "out.vrm")
    with pytest.raises(UsageError, match="no gradients"):
        head(torch.zeros(1, len(ADA), requires_grad=True))


def test_a_part_that_its_node_shrinks_to_a_point_stays_there(tmp_path: Path) -> None:
    """Its shapes then move nothing, though their steps are in the file."""
    made = face(ARKIT_FEW, skinned=False)
    made.json["nodes"][3]["scale"] = [0, 0, 0]
    head = read_avatar(made.write(tmp_path / "a.glb"))
    motion = _motion()
    assert (head.posed(motion.coeffs, motion.pose) == 0).all()
