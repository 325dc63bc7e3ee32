"""Export of an avatar that moves: its own file with one more animation, and all else as it was.

Axis names: `frames`, `targets` of a mesh. Frame k is at k / fps seconds, as in the other exports to glTF.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.sound_beside import write_sound_beside
from talkcli.engine.face.avatar.head import AvatarHead
from talkcli.engine.face.channels import ADA, learned
from talkcli.engine.face.surface import topology_of
from talkcli.engine.face.topology import Topology
from talkcli.engine.gltf.animation import Animation
from talkcli.engine.gltf.document import Document, write_glb
from talkcli.engine.types import Motion, MotionSpace
from talkcli.engine.wording import parameter, some

# What the animation is called.
NAME = "talk"
_VRM = ".vrm"
# Lists of the document that get new entries.
_GROWING = ("accessors", "animations", "buffers", "bufferViews")


def fits(out: Path, space: MotionSpace, fps: float, topology: Topology | None) -> None:  # noqa: ARG001
    """Raise UsageError where the head is no avatar, and for a .vrm file of one that is no VRM."""
    if topology is None:
        return
    if not isinstance(topology, AvatarHead) or learned(space.channels) != ADA:
        raise UsageError(
            f"{parameter('out', out)} holds an avatar that moves, but {topology.name} is none.",
            hint="Give `head` an avatar (.glb, .gltf or .vrm) and motion of ada.",
        )
    if out.suffix.lower() == _VRM and not topology.is_vrm:
        raise UsageError(
            f"{parameter('out', out)}: {topology.name} is no VRM.",
            hint="Give `out` a name that ends in .glb.",
        )


def write(out: Path, piece: Piece) -> None:
    """Write the avatar of the piece, animated, as binary glTF.

    The weights of every mesh that motion moves, and the rotations of the bones of head, jaw and eyes, are the
    channels of one animation. Bytes and entries of the file stay; new ones follow them. The sound is written
    beside it.

    Raises what `fits` raises.
    """
    head, motion = piece.topology or topology_of(piece.motion), piece.motion
    fits(out, motion.space, motion.fps, head)
    assert isinstance(head, AvatarHead)
    assert isinstance(motion, Motion)
    document = _copied(head.document)
    fixed = _animate(document, head, motion)
    if fixed:
        piece.reporter.warn(
            f"{some(fixed)} of {head.name} cannot be animated, since their nodes have a matrix: they rest."
        )
    write_glb(out, document)
    write_sound_beside(out, piece)


def _copied(document: Document) -> Document:
    """Return a document that can grow while this one stays."""
    grown = {key: list(document.json.get(key, [])) for key in _GROWING}
    content = {**document.json, **{key: entries for key, entries in grown.items() if entries}}
    return Document(content, list(document.buffers), document.name, document.resources)


def _animate(document: Document, head: AvatarHead, motion: Motion) -> list[str]:
    """Add the animation; return the names of bones whose nodes no animation may turn."""
    weights, turns = head.driven(motion.coeffs, motion.pose)
    animation = Animation(document, motion.num_frames, motion.fps)
    for node, rest in head.shapes.weights.items():
        mine = {number: values for (of, number), values in weights.items() if of == node}
        if mine:
            table = np.tile(np.array(rest, np.float32), (motion.num_frames, 1))
            for number, values in mine.items():
                table[:, number] = values
            animation.move(node, "weights", table)
    fixed = []
    for node, quaternions in head.rig.rotations(turns).items():
        if "matrix" in document.json["nodes"][node]:
            fixed.append(head.rig.nodes.name(node))
        else:
            animation.move(node, "rotation", quaternions)
    animation.add(NAME)
    return fixed
