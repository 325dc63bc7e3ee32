"""Lips have a top speed: where a frame asks for more, the wider of two neighbours gives way.

Fast speech does not reach its vowels (Lindblom 1963, undershoot), while contacts stay reached.
Axis names: `frames` at 25 fps, `coeffs` = ada's 53 numbers, `lips` = ada's lip vertices.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float

from talkcli.engine.data.performer.emotion_motion import is_mouth
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head

LIMIT_MM = 4.6
_MOST_PASSES = 40
_MOUTH = np.array([is_mouth(name) for name in ADA])


def limit_lip_speed(
    coeffs: Float[np.ndarray, "frames coeffs"],
    held: Bool[np.ndarray, "frames"],
    limit_mm: float = LIMIT_MM,
) -> Float[np.ndarray, "frames coeffs"]:
    """`coeffs` with mouth channels eased until no lip vertex moves more than `limit_mm` between two frames.

    `held` frames show a contact and stay as they are, unless two of them follow each other.
    """
    eased = coeffs.copy()
    for _ in range(_MOST_PASSES):
        lips = _lips_mm(eased)
        jumps = np.linalg.norm(np.diff(lips, axis=0), axis=-1).max(axis=-1, initial=0.0)
        width = np.linalg.norm(lips - _lips_mm(np.zeros_like(eased[:1])), axis=-1).mean(axis=-1)
        late = np.flatnonzero(jumps > limit_mm)
        if not len(late):
            break
        for first in late:
            second = first + 1
            if held[first] != held[second]:
                moving, fixed = (second, first) if held[first] else (first, second)
            else:
                moving, fixed = (first, second) if width[first] > width[second] else (second, first)
            share = 0.97 * limit_mm / jumps[first]
            eased[moving, _MOUTH] = eased[fixed, _MOUTH] + share * (
                eased[moving, _MOUTH] - eased[fixed, _MOUTH]
            )
    return eased


@cache
def _ada() -> Head:
    return load_head("ada")


def _lips_mm(coeffs: Float[np.ndarray, "frames coeffs"]) -> Float[np.ndarray, "frames lips 3"]:
    head = _ada()
    with torch.no_grad():
        lips = head(torch.from_numpy(coeffs.astype(np.float32)), only=torch.from_numpy(head.regions["lips"]))
    return lips.numpy() * 1000
