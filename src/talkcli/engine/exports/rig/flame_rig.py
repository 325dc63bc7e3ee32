"""FLAME's head as a rig, without any error: its expressions are linear, and its jaw turns as a joint does.

Axis names: `frames`, `coeffs`, `verts`, `targets`. FLAME's correctives of the jaw are linear in the entries
of its rotation, which become the weights of nine targets. Its hinge moves with the expressions, and so does
the joint.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.exports.rig.rig import AtRest, Joint, Moves, Rig
from talkcli.engine.face.channels import NUM_EXPRESSION
from talkcli.engine.face.flame import JAW_FEATURES, FlameHead
from talkcli.engine.face.flame_file import JAW_JOINT
from talkcli.engine.face.quaternions import quaternions, rotations
from talkcli.engine.face.turning import Neck
from talkcli.engine.types import Motion

_HEAD, _JAW = 1, 2
LICENCE = "The mesh is FLAME's: the licence of your FLAME model says how it may be used."


def moved_flame(head: FlameHead, motion: Motion) -> tuple[Rig, Moves]:
    """Return the rig of `head` and the moves that show `motion`.

    Raises AssetError for motion with a turn of the head where FLAME's landmarks, which tell the place of the
    neck, are not known.
    """
    arrays, coeffs = head.arrays, motion.coeffs.astype(np.float64)
    expression = coeffs[:, :NUM_EXPRESSION]
    at_rest = AtRest(arrays.template, arrays.faces)
    features = arrays.pose_correctives[..., JAW_FEATURES]
    targets = [
        at_rest.target(name, moves)
        for name, moves in (
            *((f"expression{k:02d}", arrays.expressions[..., k]) for k in range(NUM_EXPRESSION)),
            *((f"jawCorrective{k + 1}", features[..., k]) for k in range(features.shape[-1])),
        )
    ]
    neck = None if motion.pose is None else Neck(head)
    pivot = np.zeros(3) if neck is None else neck.pivot
    regressor = arrays.joint_regressor[JAW_JOINT].astype(np.float64)
    hinge = regressor @ arrays.template
    share = arrays.weights[:, JAW_JOINT].astype(np.float64)
    shares = np.zeros((len(share), 3))
    shares[:, _JAW] = share
    shares[:, 0] = 0.0 if neck is None else np.minimum(1 - neck.share, 1 - share)
    shares[:, _HEAD] = 1 - shares.sum(axis=1)
    turns = quaternions(coeffs[:, NUM_EXPRESSION:])
    turn = rotations(turns)
    # A turn about the hinge of the frame is a turn about the hinge at rest and a step.
    hinge_now = hinge + expression @ np.einsum("v,vxe->ex", regressor, arrays.expressions)
    place = hinge_now + np.einsum("fxy,fy->fx", turn, hinge - hinge_now)
    rig = Rig(
        topology=head,
        normals=at_rest.normals,
        targets=tuple(targets),
        joints=(Joint("neck", pivot), Joint("head", pivot, 0), Joint("jaw", hinge, _HEAD)),
        shares=shares.astype(np.float32),
        licence=LICENCE,
    )
    return rig, Moves(
        fps=motion.fps,
        weights=np.concatenate([expression, (turn - np.eye(3)).reshape(-1, 9)], axis=1).astype(np.float32),
        turns={_JAW: turns} if motion.pose is None else {_JAW: turns, _HEAD: quaternions(motion.pose)},
        places={_JAW: place - pivot},
    )
