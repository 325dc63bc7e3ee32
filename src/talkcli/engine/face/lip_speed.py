"""Lips have a top speed: where a frame asks for more, the wider of two neighbours gives way.

Fast speech does not reach its vowels (Lindblom 1963, undershoot), while contacts stay reached.
Axis names: `frames` at 25 fps, `coeffs` = the head's 53 numbers, `lips` = the head's lip vertices.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float

from talkcli.engine.face.channels import is_mouth
from talkcli.engine.face.head import Head

LIMIT_MM = 4.6
_MOST_PASSES = 40


def limit_lip_speed(
    coeffs: Float[np.ndarray, "frames coeffs"],
    head: Head,
    held: Bool[np.ndarray, "frames"],
    limit_mm: float = LIMIT_MM,
) -> Float[np.ndarray, "frames coeffs"]:
    """`coeffs` with mouth channels eased until no lip vertex moves more than `limit_mm` between two frames.

    `held` frames show a contact and stay as they are, unless two of them follow each other.
    """
    mouth = np.array([is_mouth(name) for name in head.channels])
    eased = coeffs.copy()
    lips = lips_mm(eased, head)
    rest = lips_mm(np.zeros_like(eased[:1]), head)
    for _ in range(_MOST_PASSES):
        jumps = np.linalg.norm(np.diff(lips, axis=0), axis=-1).max(axis=-1, initial=0.0)
        late = np.flatnonzero(jumps > limit_mm)
        if not len(late):
            break
        width = np.linalg.norm(lips - rest, axis=-1).mean(axis=-1)
        moved = set()
        for first in late:
            second = first + 1
            if held[first] != held[second]:
                moving, fixed = (second, first) if held[first] else (first, second)
            else:
                moving, fixed = (first, second) if width[first] > width[second] else (second, first)
            share = 0.97 * limit_mm / jumps[first]
            step = eased[moving, mouth] - eased[fixed, mouth]
            eased[moving, mouth] = eased[fixed, mouth] + share * step
            moved.add(int(moving))
        changed = sorted(moved)
        lips[changed] = lips_mm(eased[changed], head)
    return eased


def lips_mm(coeffs: Float[np.ndarray, "frames coeffs"], head: Head) -> Float[np.ndarray, "frames lips 3"]:
    """Where the lip vertices are, in millimetres."""
    chosen = torch.as_tensor(head.regions["lips"], dtype=torch.long)
    with torch.no_grad():
        return head(torch.from_numpy(coeffs.astype(np.float32)), only=chosen).numpy() * 1000
