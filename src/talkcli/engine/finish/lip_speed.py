"""A limit on the speed of the lips: where two frames are too far apart, the more open one moves.

Fast speech does not reach its vowels (Lindblom 1963, undershoot), while contacts stay reached.
Axis names: `frames` at 25 fps, `coeffs` = the head's 53 numbers, `lips` = the head's lip vertices.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from talkcli.engine.face.channels import is_mouth
from talkcli.engine.face.head import Head

LIMIT_MM = 4.6
_MOST_PASSES = 40
_BLOCK_FRAMES = 256


def limit_lip_speed(
    coeffs: Float[np.ndarray, "frames coeffs"],
    head: Head,
    held: Bool[np.ndarray, "frames"],
    limit_mm: float = LIMIT_MM,
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs` with mouth channels eased until no lip vertex moves more than `limit_mm` between two
    frames.

    `held` frames show a contact and stay as they are, unless two of them follow each other.
    """
    mouth = np.array([is_mouth(name) for name in head.channels])
    eased = coeffs.copy()
    rest = lips_mm(np.zeros_like(eased[:1]), head)
    jumps = np.zeros(max(len(eased) - 1, 0), np.float32)
    width = np.zeros(len(eased), np.float32)
    _measure(eased, np.arange(len(jumps)), head, rest, jumps, width)
    for _ in range(_MOST_PASSES):
        late = np.flatnonzero(jumps > limit_mm)
        if not len(late):
            break
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
        changed = np.array(sorted(moved))
        touched = np.union1d(changed - 1, changed)
        touched = touched[(touched >= 0) & (touched < len(jumps))]
        _measure(eased, touched, head, rest, jumps, width)
    return eased


def _measure(
    coeffs: Float[np.ndarray, "frames coeffs"],
    pairs: Int[np.ndarray, "pairs"],
    head: Head,
    rest: Float[np.ndarray, "1 lips 3"],
    jumps: Float[np.ndarray, "steps"],
    width: Float[np.ndarray, "frames"],
) -> None:
    """Renew, for every pair of frames k and k + 1 in `pairs`, the largest step of a lip vertex (`jumps`) and
    the mean distance from rest of either frame (`width`), in millimetres.

    In blocks, so that only coefficients are ever held for all frames.
    """
    for start in range(0, len(pairs), _BLOCK_FRAMES):
        block = pairs[start : start + _BLOCK_FRAMES]
        frames = np.union1d(block, block + 1)
        lips = lips_mm(coeffs[frames], head)
        width[frames] = np.linalg.norm(lips - rest, axis=-1).mean(axis=-1)
        first = np.searchsorted(frames, block)
        jumps[block] = np.linalg.norm(lips[first + 1] - lips[first], axis=-1).max(axis=-1)


def lips_mm(coeffs: Float[np.ndarray, "frames coeffs"], head: Head) -> Float[np.ndarray, "frames lips 3"]:
    """Return where the lip vertices are, in millimetres."""
    chosen = torch.as_tensor(head.regions["lips"], dtype=torch.long)
    with torch.no_grad():
        return head(torch.from_numpy(coeffs.astype(np.float32)), only=chosen).numpy() * 1000
