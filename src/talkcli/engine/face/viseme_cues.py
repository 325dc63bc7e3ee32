"""Tracks of visemes: which one is seen from when to when, out of phones or of weights, and back to weights.

Axis names: `frames`, `visemes` of a set. Frame k is the state at (k + 0.5) / fps seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.visemes import VisemeSet
from talkcli.engine.types import Phone

# Sum of the weights of all visemes but that at rest, below which a mouth is at rest.
_AT_REST = 0.2
# A cue of weights that is shorter than this, in seconds, is noise and joins the cue before it.
_SHORTEST_S = 0.035
# Half the time in seconds in which one viseme fades into the next.
_HALF_FADE_S = 0.03


class Cue(NamedTuple):
    """One viseme from `start_s` to `end_s`, in seconds; `viseme` is None for the mouth at rest of a set
    without a viseme for it.
    """

    start_s: float
    end_s: float
    viseme: str | None


def cues_of_phones(phones: Iterable[Phone], visemes: VisemeSet, duration_s: float) -> tuple[Cue, ...]:
    """Return the cues of phones, without gaps from 0 to `duration_s`; equal neighbours are one cue.

    Time without a phone, and a phone that the set knows nothing of at the start, show the mouth at rest.
    """
    cues = [Cue(0.0, 0.0, visemes.rest)]
    for phone in phones:
        start_s, end_s = max(phone.start_s, cues[-1].end_s), min(phone.end_s, duration_s)
        if end_s <= start_s:
            continue
        if start_s > cues[-1].end_s:
            cues.append(Cue(cues[-1].end_s, start_s, visemes.rest))
        at = start_s
        for viseme, share in visemes.of_phone.get(phone.symbol, ((cues[-1].viseme, 1.0),)):
            cues.append(Cue(at, at + share * (end_s - start_s), viseme))
            at = cues[-1].end_s
        cues[-1] = cues[-1]._replace(end_s=end_s)
    cues.append(Cue(cues[-1].end_s, duration_s, visemes.rest))
    return _joined(cues)


def cues_of_weights(
    weights: Float[np.ndarray, "frames visemes"], visemes: VisemeSet, fps: float
) -> tuple[Cue, ...]:
    """Return the cues of weights: in each frame the viseme with the largest weight, and the mouth at rest
    where the weights of the others sum to less than 0.2.

    A cue shorter than 35 ms joins the one before it, and the first the one after it; a contact of the lips
    stays, since it shows at any length.
    """
    others = np.array(weights, dtype=np.float64)
    if visemes.rest is not None:
        others[:, visemes.names.index(visemes.rest)] = 0.0
    shown = [visemes.names[row.argmax()] if row.sum() >= _AT_REST else visemes.rest for row in others]
    cues = _joined([Cue(index / fps, (index + 1) / fps, viseme) for index, viseme in enumerate(shown)])
    kept: list[Cue] = []
    for cue in cues:
        is_noise = cue.end_s - cue.start_s < _SHORTEST_S and cue.viseme != visemes.contact
        if kept and is_noise:
            kept[-1] = kept[-1]._replace(end_s=cue.end_s)
        elif kept or not is_noise:
            # What came before the first that lasts belongs to it.
            kept.append(cue if kept else cue._replace(start_s=0.0))
    return _joined(kept or cues)


def weights_of_cues(
    cues: Sequence[Cue], visemes: VisemeSet, num_frames: int, fps: float
) -> Float[np.ndarray, "frames visemes"]:
    """Return the weights from 0 to 1 of cues at the middles of frames; neighbours fade over 60 ms.

    The weight of a cue is its share of the 60 ms around a frame's middle. What the first and the last cue
    show goes on before and after them.
    """
    middles_s = (np.arange(num_frames) + 0.5) / fps
    weights = np.zeros((num_frames, len(visemes.names)))
    for number, cue in enumerate(cues):
        if cue.viseme is None:
            continue
        start_s = cue.start_s if number else -np.inf
        end_s = cue.end_s if number < len(cues) - 1 else np.inf
        first = max(int((cue.start_s - _HALF_FADE_S) * fps) - 1, 0)
        last = min(int((cue.end_s + _HALF_FADE_S) * fps) + 2, num_frames)
        near = middles_s[first:last]
        inside = np.minimum(near + _HALF_FADE_S, end_s) - np.maximum(near - _HALF_FADE_S, start_s)
        weights[first:last, visemes.names.index(cue.viseme)] += np.clip(inside, 0, None) / (2 * _HALF_FADE_S)
    return np.clip(weights, 0, 1).astype(np.float32)


def _joined(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """Return the cues without empty ones, and equal neighbours as one."""
    joined: list[Cue] = []
    for cue in cues:
        if cue.end_s <= cue.start_s:
            continue
        if joined and joined[-1].viseme == cue.viseme:
            joined[-1] = joined[-1]._replace(end_s=cue.end_s)
        else:
            joined.append(cue)
    return tuple(joined)
