"""Export to binary glTF: the head as a rig with one animation, its sound in a file beside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.rig.document import Textured, rig_document
from talkcli.engine.exports.rig.fidelity import measure, tell
from talkcli.engine.exports.rig.of_head import moved_rig, still_rig
from talkcli.engine.exports.rig.skin_texture import skin_texture
from talkcli.engine.exports.rig.unwrap import unwrapped
from talkcli.engine.exports.sound_beside import name_of_sound, write_sound_beside
from talkcli.engine.face.head import Posable
from talkcli.engine.face.topology import Topology
from talkcli.engine.gltf.document import read_document, write_glb

_SKIN = "skin"


def write_head(out: Path, head: Topology) -> None:
    """Write `head` without motion to `out`: its rig with all targets, its skin as pictures.

    Raises UsageError for a head that talk did not generate.
    """
    rig = still_rig(head, ".glb")
    mesh = unwrapped(head.template, rig.normals, head.faces[head.part_of_face == head.parts.index(_SKIN)])
    textured = Textured(_SKIN, mesh, skin_texture(head, rig.normals, mesh))
    made = rig_document(rig, None, extras={"licence": "MIT"}, textured=textured)
    write_glb(out, made.document)


def write(out: Path, piece: Piece) -> None:
    """Write the piece to `out`, read it again, and tell how near it comes to the head.

    An avatar is written as its own file, which moves. Raises UsageError for motion of vertices, and what
    `Piece.surface` raises.
    """
    if isinstance(piece.topology, Posable):
        from talkcli.engine.exports.avatar import write as write_avatar

        write_avatar(out, piece)
        return
    surface = piece.surface()
    rig, moves = moved_rig(surface, ".glb")
    made = rig_document(rig, moves, extras={"talk": dict(piece.meta)}, sound=name_of_sound(out, piece))
    write_glb(out, made.document)
    write_sound_beside(out, piece)
    fidelity = measure(read_document(out), made.places, surface)
    piece.measured[str(out)] = asdict(fidelity)
    tell(piece.reporter, str(out), fidelity)
