"""The bones of an avatar that a face moves: head, jaw and eyes, and how far they turn.

Axis names: `frames`, `points`. All turns are axis-angle in radians in the subject's space, as a motion's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from talkcli.engine.face.ada.head import EYE_TURN_RAD
from talkcli.engine.face.avatar.nodes import Nodes
from talkcli.engine.face.avatar.vrm import Vrm
from talkcli.engine.face.channels import JAW_OPEN_RAD, JAW_SIDE_RAD

HEAD, JAW, LEFT_EYE, RIGHT_EYE = "head", "jaw", "leftEye", "rightEye"
EYES = (LEFT_EYE, RIGHT_EYE)
# Letters of a node's name, without prefixes such as mixamorig: and separators.
_NAMES = {
    HEAD: ("head", "jbipchead", "bip01head", "headbone", "ccbasehead"),
    "neck": ("neck", "jbipcneck", "bip01neck"),
    JAW: ("jaw", "jawbone", "lowerjaw", "jawmaster", "mandible", "ccbasejawroot", "jawroot"),
    LEFT_EYE: (
        "lefteye", "eyeleft", "eyel", "leye", "jadjlfaceeye", "ccbaseleye", "lefteyeball", "eyeballl",
    ),
    RIGHT_EYE: (
        "righteye", "eyeright", "eyer", "reye", "jadjrfaceeye", "ccbasereye", "righteyeball", "eyeballr",
    ),
}  # fmt: skip
# How far a bone of VRM turns where it states nothing, of a look of how many degrees.
_USUAL_GAZE = (90.0, 10.0)
_WAYS = {"In": "in", "Out": "out", "Up": "up", "Down": "down"}


@dataclass(frozen=True)
class Rig:
    """The bones by what they are; of what an avatar does not have there is none."""

    nodes: Nodes
    bones: Mapping[str, int]
    gaze: Mapping[str, tuple[float, float]]
    """As in `Vrm`; empty where eyes turn as ada's do."""

    def owner(self, node: int) -> int | None:
        """Return the bone that moves `node` with it; None for what stays."""
        return self._owners.get(node)

    @cached_property
    def _owners(self) -> dict[int, int | None]:
        """Return the bone of every node that is shown: what is not shown, no bone carries."""
        moved = {bone for name, bone in self.bones.items() if name != "neck"}
        found: dict[int, int | None] = {}
        for node in self.nodes.shown:
            parent = self.nodes.parents[node]
            found[node] = node if node in moved else None if parent is None else found[parent]
        return found

    def turns(
        self,
        curves: Mapping[str, Float[np.ndarray, "frames"]],
        pose: Float[np.ndarray, "frames 3"] | None,
        *,
        eyes: bool,
        jaw: Collection[str],
    ) -> dict[str, Float[np.ndarray, "frames 3"]]:
        """Return how each bone turns over time.

        Args:
            curves: ARKit's 52 curves.
            pose: Turn of the head; None where it keeps still.
            eyes: Whether the bones of the eyes look, rather than shapes.
            jaw: Curves that the bone of the jaw shows, rather than shapes.
        """
        found: dict[str, Float[np.ndarray, "frames 3"]] = {}
        if pose is not None and HEAD in self.bones:
            found[HEAD] = np.asarray(pose, np.float64)
        if jaw and JAW in self.bones:
            still = np.zeros_like(curves["jawOpen"])
            opened, left, right = (
                curves[name] if name in jaw else still for name in ("jawOpen", "jawLeft", "jawRight")
            )
            found[JAW] = np.stack([JAW_OPEN_RAD * opened, JAW_SIDE_RAD * (left - right), still], axis=1)
        for name, of, outwards in ((LEFT_EYE, "Left", 1.0), (RIGHT_EYE, "Right", -1.0)):
            if eyes and name in self.bones:
                look = {way: self._angle(way, curves[f"eyeLook{way}{of}"]) for way in _WAYS}
                aside = outwards * (look["Out"] - look["In"])
                found[name] = np.stack([look["Down"] - look["Up"], aside, np.zeros_like(aside)], axis=1)
        return {name: turn.astype(np.float64) for name, turn in found.items()}

    def _angle(self, way: str, curve: Float[np.ndarray, "frames"]) -> Float[np.ndarray, "frames"]:
        """Return the angle of an eye for a curve of looking, which is 1 at the edge of ada's gaze."""
        if not self.gaze:
            return EYE_TURN_RAD * curve
        farthest, scale = self.gaze.get(_WAYS[way], _USUAL_GAZE)
        share = np.minimum(math.degrees(EYE_TURN_RAD) * curve / max(farthest, 1e-3), 1.0)
        turned: Float[np.ndarray, "frames"] = np.radians(scale) * share
        return turned

    def moves(
        self, turns: Mapping[str, Float[np.ndarray, "frames 3"]], num_frames: int
    ) -> dict[int, Float[np.ndarray, "frames 4 4"]]:
        """Return for each bone the matrix that takes what it carries from rest to its place in a frame."""
        found: dict[int, Float[np.ndarray, "frames 4 4"]] = {}
        # From the head down, so that what carries a bone is known before the bone.
        depth = {node: len(self.nodes.chain(node)) for name, node in self.bones.items() if name != "neck"}
        names = {node: name for name, node in self.bones.items() if name != "neck"}
        for node in sorted(depth, key=lambda bone: depth[bone]):
            own = np.tile(np.eye(4), (num_frames, 1, 1))
            turn = turns.get(names[node])
            if turn is not None:
                about = self.nodes.place(node)
                own[:, :3, :3] = Rotation.from_rotvec(turn).as_matrix()
                own[:, :3, 3] = about - own[:, :3, :3] @ about
            parent = self.nodes.parents[node]
            carrier = None if parent is None else self.owner(parent)
            found[node] = own if carrier is None else found[carrier] @ own
        return found

    def rotations(
        self, turns: Mapping[str, Float[np.ndarray, "frames 3"]]
    ) -> dict[int, Float[np.ndarray, "frames 4"]]:
        """Return the rotation (x, y, z, w) of the node of each turning bone within what carries it, as
        animations of glTF want it."""
        found = {}
        for name, turn in turns.items():
            node = self.bones[name]
            parent = self.nodes.parents[node]
            if parent is None:
                carried = Rotation.from_euler("y", 180 if self.nodes.turned else 0, degrees=True)
            else:
                carried = self.nodes.turn(parent)
            local = carried.inv() * self.nodes.turn(node)
            quaternions = (carried.inv() * Rotation.from_rotvec(turn) * carried * local).as_quat()
            # One of the two signs, so that neighbours are near each other.
            flips = np.sign((quaternions[1:] * quaternions[:-1]).sum(axis=1))
            quaternions[1:] *= np.cumprod(np.where(flips == 0, 1.0, flips))[:, None]
            found[node] = quaternions
        return found


def read_rig(nodes: Nodes, vrm: Vrm | None) -> Rig:
    """Return the bones: those that VRM states, else by the names of nodes that joints of a skin are.

    A node that shows a mesh is a bone only where no other has the name.
    """
    document = nodes.document
    bones = {} if vrm is None else {name: vrm.bones[name] for name in _NAMES if name in vrm.bones}
    joints = {
        joint
        for skin in document.json.get("skins", [])
        if isinstance(skin.get("joints"), list)
        for joint in skin["joints"]
        if isinstance(joint, int)
    }
    for name, words in _NAMES.items():
        if name in bones:
            continue
        found = [node for node in nodes.shown if _letters(nodes.name(node)) in words]
        found.sort(key=lambda node: ("mesh" in document.json["nodes"][node], node not in joints))
        if found:
            bones[name] = found[0]
    shown = set(nodes.shown)
    bones = {name: node for name, node in bones.items() if node in shown}
    gaze = {} if vrm is None else (vrm.gaze or dict.fromkeys(_WAYS.values(), _USUAL_GAZE))
    return Rig(nodes, bones, gaze)


def _letters(name: str) -> str:
    """Return the letters of a name in lower case, without what stands before a colon: mixamorig:Head."""
    return re.sub(r"[^a-z0-9]", "", re.split(r"[:|]", name[:200])[-1].lower())
