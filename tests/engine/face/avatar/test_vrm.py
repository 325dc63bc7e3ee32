"""VRM 0 and VRM 1: expressions with their rules, bones, gaze, and which way a model looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.exports.formats import export
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.avatar.read import inspect_avatar, read_avatar
from talkcli.engine.face.avatar.vrm import Expression, applied, read_vrm
from talkcli.engine.face.channels import ADA
from talkcli.engine.gltf.document import read_document
from talkcli.engine.types import Motion, Silent
from tests.engine.face.avatar.samples import Glb, evaluated, face, split

_SHAPES = ("a", "b", "c", "d", "e")


def _one(**values: float) -> np.ndarray:
    row = np.zeros((1, len(ADA)), np.float32)
    for name, value in values.items():
        row[0, ADA.index(name)] = value
    return row


def _vrm_1(expressions: dict[str, Any], look: dict[str, Any] | None = None) -> Glb:
    glb = face(_SHAPES)
    glb.json["extensions"] = {
        "VRMC_vrm": {
            "specVersion": "1.0",
            "humanoid": {
                "humanBones": {"head": {"node": 2}, "leftEye": {"node": 4}, "rightEye": {"node": 5}}
            },
            "expressions": expressions,
            "lookAt": look or {},
        }
    }
    return glb


def _binds(*shapes: int, weight: float = 1.0) -> list[dict[str, Any]]:
    return [{"node": 3, "index": shape, "weight": weight} for shape in shapes]


@pytest.mark.parametrize(
    ("settings", "asked", "found"),
    [
        # Without rules weights stay.
        (({}, {}), (0.6, 0.4), (0.6, 0.4)),
        (({"overrides": {"overrideMouth": "block"}}, {}), (0.01, 0.4), (0.01, 0.0)),
        (({"overrides": {"overrideMouth": "block"}}, {}), (0.0, 0.4), (0.0, 0.4)),
        (({"overrides": {"overrideMouth": "blend"}}, {}), (0.25, 0.4), (0.25, 0.3)),
        (({"overrides": {"overrideBlink": "block"}}, {}), (0.9, 0.4), (0.9, 0.4)),
        (({"binary": True}, {}), (0.5, 0.4), (0.0, 0.4)),
        (({"binary": True, "overrides": {"overrideMouth": "blend"}}, {}), (0.51, 0.4), (1.0, 0.0)),
        # What is on or off and held back a little is off.
        (({"overrides": {"overrideMouth": "blend"}}, {"binary": True}), (0.1, 0.9), (0.1, 0.0)),
        (({"overrides": {"overrideMouth": "blend"}}, {"binary": True}), (0.0, 0.9), (0.0, 1.0)),
    ],
)
def test_rules_of_expressions(settings: Any, asked: tuple[float, float], found: tuple[float, float]) -> None:
    expressions = [
        Expression(name=name, preset=True, **rules)
        for name, rules in zip(("happy", "aa"), settings, strict=True)
    ]
    weights = applied(expressions, np.array([asked], np.float32))
    np.testing.assert_allclose(weights, [found], atol=1e-6)


def test_vrm_1_speaks_with_vowels_and_smiles_within_the_rules(tmp_path: Path) -> None:
    vowels = {name: {"morphTargetBinds": _binds(number)} for number, name in enumerate(("aa", "ih", "ou"))}
    happy = {"morphTargetBinds": _binds(3, weight=0.5), "overrideMouth": "blend"}
    blink = {"morphTargetBinds": _binds(4)}
    path = _vrm_1({"preset": {**vowels, "happy": happy, "blink": blink}}).write(tmp_path / "a.vrm")
    report = inspect_avatar(path)
    assert report["format"] == "VRM 1" and report["visemes"] == "vrm" and report["usable"]
    assert report["derived"]["mouthSmileLeft"] == "happy, which moves the whole face"
    assert report["derived"]["eyeBlinkRight"] == "blink, which moves both sides"
    head = read_avatar(path)
    wide = {
        f"{name}{side}": 0.29 for name in ("mouthLowerDown", "mouthUpperUp") for side in ("Left", "Right")
    }
    spoken = _one(jawPitch=0.46 * 0.42, **wide)
    smiling = spoken + _one(mouthSmileLeft=0.4, mouthSmileRight=0.4)
    for coeffs, happiness in ((spoken, 0.0), (smiling, 0.4)):
        weights, _ = head.driven(coeffs, None)
        shown = [float(weights.get((3, number), np.zeros(1))[0]) for number in range(5)]
        assert shown[3] == pytest.approx(0.5 * happiness)
        if not happiness:
            assert shown[0] > 0.9
            full = shown[0]
        else:
            assert shown[0] < full * (1 - happiness) + 0.05


def test_custom_expressions_named_as_arkit_are_its_shapes(tmp_path: Path) -> None:
    custom = {"BrowDownLeft": {"morphTargetBinds": _binds(1, 2, weight=0.5)}, "Wink": {}}
    head = read_avatar(_vrm_1({"custom": custom}).write(tmp_path / "a.vrm"))
    assert head.plan.named["browDownLeft"] == "BrowDownLeft"
    weights, _ = head.driven(_one(browDownLeft=0.8), None)
    assert {target: float(track[0]) for target, track in weights.items()} == pytest.approx(
        {(3, 1): 0.4, (3, 2): 0.4}
    )


def test_eyes_of_vrm_turn_as_it_says(tmp_path: Path) -> None:
    look = {"type": "bone", "rangeMapHorizontalOuter": {"inputMaxValue": 15.0, "outputScale": 8.0}}
    head = read_avatar(_vrm_1({}, look).write(tmp_path / "a.vrm"))
    _, turns = head.driven(_one(eyeLookOutLeft=1.0), None)
    # Ada's eyes turn by 30 degrees at 1, where the map ends at 15.
    np.testing.assert_allclose(turns["leftEye"], [[0, np.radians(8), 0]], atol=1e-6)
    np.testing.assert_allclose(turns["rightEye"], [[0, 0, 0]], atol=1e-6)


def test_vrm_0_looks_the_other_way_and_is_turned(tmp_path: Path) -> None:
    glb = face(_SHAPES, eyes=True)
    # A model of VRM 0 looks along -z: all of it is turned about y.
    glb.json["nodes"].append({"name": "root", "rotation": [0, 1, 0, 0], "children": [0, 3]})
    glb.json["scenes"] = [{"nodes": [len(glb.json["nodes"]) - 1]}]
    bones = [{"bone": name, "node": node} for name, node in (("head", 2), ("leftEye", 4), ("rightEye", 5))]
    groups = [
        {"presetName": "blink_l", "name": "Blink_L", "binds": [{"mesh": 0, "index": 0, "weight": 100}]},
        {"presetName": "unknown", "name": "jawOpen", "binds": [{"mesh": 0, "index": 1, "weight": 50}]},
        {"presetName": "joy", "isBinary": True, "binds": [{"mesh": 0, "index": 2, "weight": 100}]},
    ]
    glb.json["extensions"] = {
        "VRM": {"humanoid": {"humanBones": bones}, "blendShapeMaster": {"blendShapeGroups": groups}}
    }
    # Skins were bound where the nodes are: turned, they stay what they are to each other.
    path = glb.write(tmp_path / "a.vrm")
    assert inspect_avatar(path)["format"] == "VRM 0"
    head = read_avatar(path)
    assert head.plan.named == {"eyeBlinkLeft": "blink_l", "jawOpen": "jawOpen"}
    # The left eye is to the subject's left.
    assert head.rig.nodes.place(head.rig.bones["leftEye"])[0] > 0.02
    motion = Motion(
        coeffs=_one(eyeBlinkLeft=0.5, jawPitch=0.42, mouthSmileLeft=1, mouthSmileRight=1),
        fps=25.0,
        head="ada",
        channels=ADA,
        pose=np.array([[0.1, 0.3, -0.05]], np.float32),
    )
    export(tmp_path / "out.vrm", Piece(motion=motion, meta={}, reporter=Silent(), topology=head))
    weights, turns = head.driven(motion.coeffs, motion.pose)
    assert {number: float(track[0]) for (_, number), track in weights.items()} == pytest.approx(
        {0: 0.5, 1: 0.5, 2: 1.0}
    )
    ours = head.mesh.vertices(weights, head.rig.moves(turns, 1), 1)[0]
    file = np.concatenate(evaluated(tmp_path / "out.vrm", 0))
    np.testing.assert_allclose(ours, file * [-1, 1, -1], atol=2e-6)
    assert split(tmp_path / "out.vrm")[0]["extensions"] == glb.json["extensions"]


@pytest.mark.data
@pytest.mark.parametrize("name", ["Overridden", "Overrides"])
def test_public_samples_without_shapes_are_refused_and_their_rules_read(shared_data: Path, name: str) -> None:
    path = shared_data / "avatars" / f"VRMC_vrm_expressions_isBinary_{name}.vrm"
    with pytest.raises(InputError, match=r"2 expressions without shapes \(happy \(textures\), blink"):
        read_avatar(path)
    vrm = read_vrm(read_document(path))
    assert vrm is not None
    asked = np.array([[0.7, 0.8]], np.float32)
    # Happy holds blinks back: as one that is on or off, or a blink that is.
    assert applied(vrm.expressions, asked)[0, 1] == 0.0
    assert applied(vrm.expressions, asked)[0, 0] == pytest.approx(1.0 if name == "Overrides" else 0.7)
