"""The visemes of a piece: from its phones where they are known, else from the shapes of the mouth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.exports.curves import arkit_of, coefficients
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.viseme_cues import Cue, cues_of_phones, cues_of_weights, weights_of_cues
from talkcli.engine.face.visemes import VISEME_SETS, VisemeSet, viseme_weights

_HEARD = "heard phones"


@dataclass(frozen=True)
class Track:
    """Visemes over time."""

    visemes: VisemeSet
    cues: tuple[Cue, ...]
    weights: Float[np.ndarray, "frames visemes"]
    source: str
    """`phones`; `heard phones`, which a model recognised without words; or `shapes`."""


def track_of(out: Path, piece: Piece, name: str) -> Track:
    """Return the visemes of the set called `name`, and note where they come from unless it is the words."""
    motion, visemes = coefficients(piece), VISEME_SETS[name]
    if motion.alignment is not None:
        cues = cues_of_phones(motion.alignment.phones, visemes, motion.duration_s)
        weights = weights_of_cues(cues, visemes, motion.num_frames, float(motion.fps))
        if motion.alignment.method != "heard":
            return Track(visemes, cues, weights, "phones")
        piece.reporter.note(f"{out}: the visemes are of {_HEARD}, which the model recognised without words.")
        return Track(visemes, cues, weights, _HEARD)
    piece.reporter.note(
        f"{out}: the motion has no phones, so the visemes are those that look most like its mouth."
    )
    weights = viseme_weights(arkit_of(piece), visemes)
    return Track(visemes, cues_of_weights(weights, visemes, float(motion.fps)), weights, "shapes")
