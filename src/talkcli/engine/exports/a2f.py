"""Export to the CSV that NVIDIA's Audio2Face-3D service writes (`animation_frames.csv`): an index, the time
in seconds, and ARKit's curves by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from talkcli.engine.exports.curves import arkit_of, write_lines
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.channels import ARKIT

HEADER = ("", "timeCode", *(f"blendShapes.{name[0].upper()}{name[1:]}" for name in ARKIT))


def write(out: Path, piece: Piece) -> None:
    """Write the curves of the piece to the file `out`."""
    curves, fps = arkit_of(piece), piece.motion.fps

    def lines() -> Iterator[str]:
        yield ",".join(HEADER)
        for index in range(piece.motion.num_frames):
            values = ",".join(f"{float(curves[name][index]):.6f}" for name in ARKIT)
            yield f"{index},{index / fps:.6f},{values}"

    write_lines(out, lines())
