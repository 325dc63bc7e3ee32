"""Export to VRM Animation 1.0 (.vrma): expressions, gaze and the head's turn for any VRM 1 avatar.

A VRMA is a glTF whose extension `VRMC_vrm_animation` names nodes: the X translation of a node is the weight
of an expression, the rotation of another is the gaze, the rotations of bones move the body. Presets: the five
vowels, `blink` (what both eyes share), `blinkLeft` and `blinkRight` (the rest of each), and an emotion that
the performer was told to show. Custom expressions have the names of ARKit's curves ("Perfect Sync"). The
specification keeps `lookUp` and its like out of VRMA: the gaze takes their place. Axis names: `frames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.exports.curves import Curves, arkit_of, coefficients, gaze_rad
from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.viseme_track import track_of
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.face.quaternions import quaternions
from talkcli.engine.gltf.animation import Animation
from talkcli.engine.gltf.document import Document, new_document, write_glb
from talkcli.engine.version import __version__

_EXTENSION = "VRMC_vrm_animation"
# Our emotions with the presets of VRM that show them.
_EMOTIONS = {"happy": "happy", "angry": "angry", "sad": "sad", "calm": "relaxed", "surprise": "surprised"}
# The bones that every VRM has, at rest with stretched arms (T-pose): parent, and place from it in metres.
# Nobody but the head moves; readers need the others.
_BONES: Mapping[str, tuple[str | None, tuple[float, float, float]]] = {
    "hips": (None, (0.0, 0.95, 0.0)),
    "spine": ("hips", (0.0, 0.12, 0.0)),
    "head": ("spine", (0.0, 0.42, 0.0)),
    **{
        f"{side}{bone}": (f"{side}{parent}" if parent[0].isupper() else parent, (sign * x, y, z))
        for side, sign in (("left", 1.0), ("right", -1.0))
        for bone, parent, (x, y, z) in (
            ("UpperArm", "spine", (0.16, 0.32, 0.0)),
            ("LowerArm", "UpperArm", (0.26, 0.0, 0.0)),
            ("Hand", "LowerArm", (0.24, 0.0, 0.0)),
            ("UpperLeg", "hips", (0.09, -0.06, 0.0)),
            ("LowerLeg", "UpperLeg", (0.0, -0.42, 0.0)),
            ("Foot", "LowerLeg", (0.0, -0.4, 0.0)),
        )
    },
}


def write(out: Path, piece: Piece) -> None:
    """Write the curves of the piece, its pose and its gaze to the file `out`."""
    motion, curves = coefficients(piece), arkit_of(piece)
    document = new_document(f"talk {__version__}")
    scene: list[int] = []
    document.json |= {"scene": 0, "scenes": [{"nodes": scene}], "extensionsUsed": [_EXTENSION]}
    bones = _skeleton(document, scene)
    animation = Animation(document, motion.num_frames, motion.fps)
    presets = {**_vowels(out, piece), **_blinks(curves), **_emotion(piece)}
    named: dict[str, dict[str, Any]] = {"preset": {}, "custom": {}}
    for kind, weights in (("preset", presets), ("custom", {name: curves[name] for name in ARKIT})):
        for name, weight in weights.items():
            node = document.add("nodes", {"name": name})
            scene.append(node)
            named[kind][name] = {"node": node}
            along_x = np.zeros((motion.num_frames, 3), np.float32)
            along_x[:, 0] = weight
            animation.move(node, "translation", along_x)
    gaze = document.add("nodes", {"name": "lookAt", "translation": [0.0, 1.5, 0.0]})
    scene.append(gaze)
    animation.move(gaze, "rotation", _turns(_gaze(curves)))
    if motion.pose is not None:
        animation.move(bones["head"], "rotation", _turns(motion.pose))
    animation.add("talk")
    document.json["extensions"] = {
        _EXTENSION: {
            "specVersion": "1.0",
            "humanoid": {"humanBones": {name: {"node": node} for name, node in bones.items()}},
            "expressions": named,
            "lookAt": {"node": gaze, "offsetFromHeadBone": [0.0, 0.06, 0.0]},
        }
    }
    write_glb(out, document)


def _skeleton(document: Document, scene: list[int]) -> dict[str, int]:
    """Add the bones, and return their nodes."""
    nodes: dict[str, int] = {}
    for name, (parent, place) in _BONES.items():
        nodes[name] = document.add("nodes", {"name": name, "translation": list(place)})
        if parent is None:
            scene.append(nodes[name])
        else:
            document.json["nodes"][nodes[parent]].setdefault("children", []).append(nodes[name])
    return nodes


def _vowels(out: Path, piece: Piece) -> dict[str, Float[np.ndarray, "frames"]]:
    track = track_of(out, piece, "vrm")
    return dict(zip(track.visemes.names, track.weights.T, strict=True))


def _blinks(curves: Curves) -> dict[str, Float[np.ndarray, "frames"]]:
    """Return the blinks: avatars add them up, so that what both eyes share is in one preset only."""
    left, right = curves["eyeBlinkLeft"], curves["eyeBlinkRight"]
    both = np.minimum(left, right)
    return {"blink": both, "blinkLeft": left - both, "blinkRight": right - both}


def _emotion(piece: Piece) -> dict[str, Float[np.ndarray, "frames"]]:
    """Return the preset of the emotion that the performer was told to show; nothing where it was told none,
    or one without a preset.
    """
    emotion = piece.meta.get("emotion")
    if not isinstance(emotion, Mapping) or str(emotion.get("label")) not in _EMOTIONS:
        return {}
    level = emotion.get("level")
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 <= level <= 1:
        return {}
    return {_EMOTIONS[str(emotion["label"])]: np.full(piece.motion.num_frames, float(level))}


def _gaze(curves: Curves) -> Float[np.ndarray, "frames 3"]:
    """Return the turn of the gaze, axis-angle: the mean of both eyes."""
    (left, down), (other_left, other_down) = (gaze_rad(curves, side) for side in ("Left", "Right"))
    return np.stack([(down + other_down) / 2, (left + other_left) / 2, np.zeros_like(left)], axis=1)


def _turns(axis_angle: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 4"]:
    """Return glTF's quaternions (x, y, z, w)."""
    return np.roll(quaternions(axis_angle), -1, axis=1)
