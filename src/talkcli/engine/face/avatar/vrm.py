"""What VRM 0 and VRM 1 add to glTF: the bones of a human, expressions with their rules, and how eyes turn.

Sources: VRM Consortium, specifications VRM-0.x and VRMC_vrm-1.0 (humanoid, expressions, lookAt).
Axis names: `frames`, `expressions`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.avatar.names import LONGEST
from talkcli.engine.gltf.document import Document, object_of

VRM_1, VRM_0 = VRM = ("VRMC_vrm", "VRM")
BLOCK, BLEND = "block", "blend"
# Which presets each kind of override holds back; names of VRM 1 in lower case, and those of VRM 0.
_OVERRIDDEN = {
    "overrideMouth": ("aa", "ih", "ou", "ee", "oh", "a", "i", "u", "e", "o"),
    "overrideBlink": ("blink", "blinkleft", "blinkright", "blink_l", "blink_r"),
    "overrideLookAt": ("lookup", "lookdown", "lookleft", "lookright"),
}
_MOST_EXPRESSIONS, _MOST_BINDS = 1000, 20_000
# An expression that is on or off is on beyond this weight.
_ON = 0.5


@dataclass(frozen=True, kw_only=True)
class Expression:
    """An expression of VRM. `binds` are node (VRM 1) or mesh (VRM 0), number of the shape and weight."""

    name: str
    preset: bool
    binary: bool = False
    binds: tuple[tuple[int, int, float], ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    """What it holds back: a key of `_OVERRIDDEN` to "block" or "blend"."""
    others: tuple[str, ...] = ()
    """What else it changes, in words: "textures", "colours"."""


@dataclass(frozen=True, kw_only=True)
class Vrm:
    """The parts of a VRM file that move a face."""

    version: int
    expressions: tuple[Expression, ...] = ()
    bones: Mapping[str, int] = field(default_factory=dict)
    """Nodes by the names of VRM 1's human bones."""
    gaze: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """For "in", "out", "up" and "down" the angle in degrees from which eyes turn no farther, and how far an
    eye bone turns then, in degrees."""
    bones_look: bool = True
    """Whether eyes look by bones rather than by expressions."""


def read_vrm(document: Document) -> Vrm | None:
    """Return what the file states as VRM, None for another glTF. Raises InputError for what cannot be."""
    extensions = document.json.get("extensions")
    if not isinstance(extensions, dict):
        return None
    newer, older = extensions.get(VRM_1), extensions.get(VRM_0)
    if isinstance(newer, dict):
        return _read_1(document, newer)
    return _read_0(document, older) if isinstance(older, dict) else None


def applied(
    expressions: Sequence[Expression], weights: Float[np.ndarray, "frames expressions"]
) -> Float[np.ndarray, "frames expressions"]:
    """Return the weights that expressions have after their rules, for the weights that are asked for.

    One that is on or off is 0 or 1. Each that is not 0 holds back what it overrides: "block" all of it,
    "blend" as much as its own weight. What is on or off and held back at all is off.
    """
    binary = np.array([expression.binary for expression in expressions], np.bool_)
    found = np.where(binary, (weights > _ON).astype(weights.dtype), weights)
    left = np.ones_like(found)
    for kind, names in _OVERRIDDEN.items():
        held = np.zeros(len(found), found.dtype)
        for column, expression in enumerate(expressions):
            how = expression.overrides.get(kind)
            if how == BLOCK:
                held += found[:, column] > 0
            elif how == BLEND:
                held += found[:, column]
        for column, expression in enumerate(expressions):
            if expression.preset and expression.name.lower() in names:
                left[:, column] = np.clip(1.0 - held, 0.0, 1.0)
    kept = found * left
    return np.where(binary & (kept < 1.0), 0.0, kept).astype(weights.dtype)


def _read_1(document: Document, vrm: dict[str, Any]) -> Vrm:
    bones: dict[str, int] = {}
    for name, bone in object_of(object_of(vrm, "humanoid"), "humanBones").items():
        if isinstance(bone, dict) and "node" in bone:
            document.element("nodes", bone["node"])
            bones[name] = bone["node"]
    found: list[Expression] = []
    groups = object_of(vrm, "expressions")
    for key in ("preset", "custom"):
        for name, stated in object_of(groups, key).items():
            if isinstance(stated, dict) and len(found) < _MOST_EXPRESSIONS:
                found.append(_expression_1(document, name, stated, preset=key == "preset"))
    look = object_of(vrm, "lookAt")
    gaze = _gaze(look, ("inputMaxValue", "outputScale"), {
        "in": "rangeMapHorizontalInner", "out": "rangeMapHorizontalOuter",
        "up": "rangeMapVerticalUp", "down": "rangeMapVerticalDown",
    })  # fmt: skip
    return Vrm(
        version=1,
        expressions=tuple(found),
        bones=bones,
        gaze=gaze,
        bones_look=look.get("type", "bone") != "expression",
    )


def _gaze(
    stated: dict[str, Any], names: tuple[str, str], keys: dict[str, str]
) -> dict[str, tuple[float, float]]:
    """Return how far the eyes turn, by the way: the greatest angle of the gaze, and the eye's angle there, in
    degrees. `names` are what a file calls these two, `keys` what it calls the ways.
    """
    ranges = {way: object_of(stated, key) for way, key in keys.items()}
    angle, turn = names
    return {
        way: (_number(given.get(angle), 90.0), _number(given.get(turn), 10.0))
        for way, given in ranges.items()
        if given
    }


def _expression_1(document: Document, name: str, stated: dict[str, Any], *, preset: bool) -> Expression:
    binds = []
    for bind in _dicts(stated.get("morphTargetBinds")):
        document.element("nodes", bind.get("node"))
        index = document.whole(bind, "index")
        binds.append((int(bind["node"]), index, _number(bind.get("weight"), 1.0)))
    overrides = {key: str(stated[key]) for key in _OVERRIDDEN if stated.get(key) in (BLOCK, BLEND)}
    others = [
        words
        for key, words in (("textureTransformBinds", "textures"), ("materialColorBinds", "colours"))
        if stated.get(key)
    ]
    return Expression(
        name=name[:LONGEST],
        preset=preset,
        binary=stated.get("isBinary") is True,
        binds=tuple(binds),
        overrides=overrides,
        others=tuple(others),
    )


def _read_0(document: Document, vrm: dict[str, Any]) -> Vrm:
    bones: dict[str, int] = {}
    for bone in _dicts(object_of(vrm, "humanoid").get("humanBones")):
        if isinstance(bone.get("bone"), str) and bone.get("node", -1) != -1:
            document.element("nodes", bone["node"])
            bones.setdefault(bone["bone"], bone["node"])
    found = []
    for group in _dicts(object_of(vrm, "blendShapeMaster").get("blendShapeGroups"))[:_MOST_EXPRESSIONS]:
        preset = str(group.get("presetName") or "unknown").lower()
        binds = []
        for bind in _dicts(group.get("binds")):
            document.element("meshes", bind.get("mesh"))
            index = document.whole(bind, "index")
            binds.append((int(bind["mesh"]), index, _number(bind.get("weight"), 100.0) / 100.0))
        found.append(
            Expression(
                name=(str(group.get("name") or preset) if preset == "unknown" else preset)[:LONGEST],
                preset=preset != "unknown",
                binary=group.get("isBinary") is True,
                binds=tuple(binds),
                others=("materials",) if group.get("materialValues") else (),
            )
        )
    person = object_of(vrm, "firstPerson")
    gaze = _gaze(person, ("xRange", "yRange"), {
        "in": "lookAtHorizontalInner", "out": "lookAtHorizontalOuter",
        "up": "lookAtVerticalUp", "down": "lookAtVerticalDown",
    })  # fmt: skip
    return Vrm(
        version=0,
        expressions=tuple(found),
        bones=bones,
        gaze=gaze,
        bones_look=person.get("lookAtTypeName", "Bone") != "BlendShape",
    )


def _dicts(found: object) -> list[dict[str, Any]]:
    items = found if isinstance(found, list) else []
    return [item for item in items[:_MOST_BINDS] if isinstance(item, dict)]


def _number(value: object, default: float) -> float:
    """Return a weight or an angle; `default` for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return default
    return float(np.clip(value, -1000.0, 1000.0))
