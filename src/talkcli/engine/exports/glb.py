"""Export to binary glTF: the head as a rig with one animation, its sound in a file beside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.rig.document import rig_document
from talkcli.engine.exports.rig.fidelity import measure
from talkcli.engine.exports.rig.of_head import moved_rig
from talkcli.engine.exports.sound_beside import write_sound_beside
from talkcli.engine.gltf.document import read_document, write_glb

# Share of the head's closures below which a user should know.
_ENOUGH = 0.97


def write(out: Path, piece: Piece) -> None:
    """Write the piece to `out`, read it again, and tell how near it comes to the head.

    Raises UsageError for motion of vertices, and what `Piece.surface` raises.
    """
    surface = piece.surface()
    rig, moves = moved_rig(surface, ".glb")
    sound = write_sound_beside(out, piece)
    made = rig_document(rig, moves, extras={"talk": dict(piece.meta)}, sound=sound)
    write_glb(out, made.document)
    fidelity = measure(read_document(out), made.places, surface)
    piece.measured[str(out)] = asdict(fidelity)
    piece.reporter.note(f"{out}: {fidelity}.")
    if fidelity.closures_kept is not None and fidelity.closures_kept < _ENOUGH:
        piece.reporter.warn(
            f"{out} closes its lips in {fidelity.closures_kept:.1%} of the head's closures only."
        )
