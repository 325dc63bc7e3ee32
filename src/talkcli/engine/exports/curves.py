"""What formats of curves share: ARKit's curves of a piece, the angles of its eyes, and text files.

Axis names: `frames`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.ada.head import EYE_TURN_RAD
from talkcli.engine.face.arkit import arkit_curves
from talkcli.engine.files import atomic_path
from talkcli.engine.types import Motion

Curves = Mapping[str, Float[np.ndarray, "frames"]]


def coefficients(piece: Piece) -> Motion:
    """Return the piece's motion. Raises InputError for one of vertices, which has no curves."""
    if not isinstance(piece.motion, Motion):
        raise InputError(
            f"The motion holds vertices of {piece.motion.topology}; curves are made of a head's coefficients."
        )
    return piece.motion


def arkit_of(piece: Piece) -> Curves:
    """Return ARKit's 52 curves of the piece, each from 0 to 1. Raises InputError for other heads than ada."""
    motion = coefficients(piece)
    return arkit_curves(motion.coeffs, motion.channels)


def gaze_rad(curves: Curves, side: str) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]]:
    """Return how far the eye of a `side` (Left, Right) turns in radians: to the subject's left, and down."""
    out = np.float64(curves[f"eyeLookOut{side}"]) - curves[f"eyeLookIn{side}"]
    down = np.float64(curves[f"eyeLookDown{side}"]) - curves[f"eyeLookUp{side}"]
    return EYE_TURN_RAD * out * (1 if side == "Left" else -1), EYE_TURN_RAD * down


def write_lines(out: Path, lines: Iterable[str]) -> None:
    """Write text to `out`, whole or not at all, in UTF-8 with a newline after each line."""
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
