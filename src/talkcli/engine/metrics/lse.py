"""LSE-D, LSE-C and the offset of lips and sound, from the features of a network with two towers.

Axis names: `windows` (one per frame of 25 fps), `features`. Source: the public script SyncNetInstance.py
(Chung & Zisserman 2016); Wav2Lip's evaluation (Prajwal et al. 2020) has the same lines, and gave the names.
Both traps of the script are kept: torch's distance adds 1e-6 to every difference, and windows beyond the clip
are compared with zeros.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

# Largest shift in frames, in either direction, that the public scripts pass.
SHIFT = 15
# What torch's pairwise distance adds to every component of a difference.
_ADDED = 1e-6


class Lse(NamedTuple):
    """Scores of a clip; distances have the unit of the features."""

    offset: int
    """Shift in frames at which the features fit best, as the script signs it: negative when sound is late."""
    distance: float
    """LSE-D: the mean distance at that shift."""
    confidence: float
    """LSE-C: the median over all shifts of the mean distance, less LSE-D."""


def lse(
    video: Float[np.ndarray, "windows features"],
    audio: Float[np.ndarray, "windows features"],
    shift: int = SHIFT,
) -> Lse:
    """Compare every window of video with the windows of sound up to `shift` frames before and after it.

    Args:
        video: Features of the pictures, or of the shapes of the lips.
        audio: Features of the sound at the same times.
        shift: Largest shift in frames.

    Raises:
        ValueError: For no windows.
    """
    if len(video) == 0:
        raise ValueError("features of no windows cannot be compared")
    seen, heard = video.astype(np.float64), np.pad(audio.astype(np.float64), ((shift, shift), (0, 0)))
    means = np.array(
        [
            np.linalg.norm(seen - heard[first : first + len(seen)] + _ADDED, axis=1).mean()
            for first in range(2 * shift + 1)
        ]
    )
    best = int(means.argmin())
    return Lse(shift - best, float(means[best]), float(np.median(means) - means[best]))
