"""Limit of the lips' speed: where two frames are too far apart, the frame with the more open lips moves.

As a result fast speech does not reach its vowels (undershoot, Lindblom 1963), while it reaches its contacts.
Axis names: `frames`, `steps` (from each frame to the next, one less than frames), `pairs` (the steps
to measure), `coeffs` (the head's channels), `lips` (the head's lip vertices).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from talkcli.engine.face.channels import is_mouth
from talkcli.engine.face.head import Head

# Largest speed of a lip vertex, in millimetres per second: 4.6 mm from one frame of 25 fps to the next, below
# the 5 mm that docs/model-card.md allows.
LIMIT_MM_S = 115.0
# Largest number of passes over the motion; steps that are still too long after the last one stay.
_MOST_PASSES = 60
# Number of passes in which contacts stay. A frame between two contacts that are more than two steps apart
# (lips on each other, then on the teeth) cannot follow both: after these passes, contacts move like other
# frames.
_HELD_PASSES = 30
# Number of frame pairs measured at once, which bounds the memory of the vertices.
_BLOCK_FRAMES = 256


def limit_lip_speed(
    coeffs: Float[np.ndarray, "frames coeffs"],
    head: Head,
    held: Bool[np.ndarray, "frames"],
    *,
    fps: float,
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs` with mouth channels moved until no lip vertex moves faster than `LIMIT_MM_S`.

    Of two frames that are too far apart, the one whose lips are farther from rest moves towards the other.
    After 60 passes the function stops, even if a step is still too long.

    Args:
        coeffs: Motion of `head`.
        head: Head whose region `lips` gives the vertices.
        held: Mask of the frames that show a contact. They stay as they are, unless two of them follow each
            other, or a frame between two of them cannot follow both.
        fps: Frames per second of the motion.
    """
    limit_mm = LIMIT_MM_S / fps
    mouth = np.array([is_mouth(name) for name in head.channels])
    eased = coeffs.copy()
    rest = lips_mm(np.zeros_like(eased[:1]), head)
    jumps = np.zeros(max(len(eased) - 1, 0), np.float32)
    width = np.zeros(len(eased), np.float32)
    _measure(eased, np.arange(len(jumps)), head, rest, jumps, width)
    for done in range(_MOST_PASSES):
        late = np.flatnonzero(jumps > limit_mm)
        if not len(late):
            break
        moved = set()
        for first in late:
            second = first + 1
            if held[first] != held[second] and done < _HELD_PASSES:
                moving, fixed = (second, first) if held[first] else (first, second)
            else:
                moving, fixed = (first, second) if width[first] > width[second] else (second, first)
            # Aim at 97 % of the limit: the step is linear in the coefficients, and vertices are not quite so.
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
    """Update `jumps` and `width`, in place, for the frames k and k + 1 of every k in `pairs`.

    The function works in blocks, so that it holds only coefficients, and not vertices, for all frames.

    Args:
        coeffs: Motion of `head`.
        pairs: Numbers k of the steps to measure, ascending.
        head: Head whose region `lips` gives the vertices.
        rest: Lip vertices at rest, in millimetres.
        jumps: Largest distance of a lip vertex in each step, in millimetres.
        width: Mean distance of the lip vertices from rest in each frame, in millimetres.
    """
    for start in range(0, len(pairs), _BLOCK_FRAMES):
        block = pairs[start : start + _BLOCK_FRAMES]
        frames = np.union1d(block, block + 1)
        lips = lips_mm(coeffs[frames], head)
        width[frames] = np.linalg.norm(lips - rest, axis=-1).mean(axis=-1)
        first = np.searchsorted(frames, block)
        jumps[block] = np.linalg.norm(lips[first + 1] - lips[first], axis=-1).max(axis=-1)


def lips_mm(coeffs: Float[np.ndarray, "frames coeffs"], head: Head) -> Float[np.ndarray, "frames lips 3"]:
    """Return the positions of the lip vertices, in millimetres."""
    chosen = torch.as_tensor(head.regions["lips"], dtype=torch.long)
    with torch.no_grad():
        return head(torch.from_numpy(coeffs.astype(np.float32)), only=chosen).numpy() * 1000
