"""Track of one face over the pictures of a video: its landmarks and their confidence.

Axis names: `frames` (pictures at `fps`), landmarks in the order of MediaPipe's refined face mesh (478: the
mesh of 468, then five of each iris).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32

NUM_LANDMARKS = 478


@dataclass(frozen=True, kw_only=True)
class FaceTrack:
    """Landmarks of one face over time, and the cuts of the video."""

    landmarks: Float32[np.ndarray, "frames 478 3"]
    """Landmarks in pixels of the picture: x right, y down, z in the same unit and smaller when nearer; NaN in
    frames without the face."""
    seen: Bool[np.ndarray, "frames"]
    """Whether the tracker found the face in each frame."""
    confidence: Float32[np.ndarray, "frames"]
    """Confidence of the landmarks in [0, 1]; 0 in frames without the face."""
    fps: float
    """Frames per second of the track."""
    width: int
    """Width of the pictures in pixels."""
    height: int
    """Height of the pictures in pixels."""
    cuts: tuple[int, ...] = ()
    """Indices of the first frame after each cut, in order."""

    @property
    def num_frames(self) -> int:
        return len(self.seen)

    def part(self, first: int, last: int) -> FaceTrack:
        """Return the frames from `first` up to, but not including, `last`; the arrays are views."""
        return replace(
            self,
            landmarks=self.landmarks[first:last],
            seen=self.seen[first:last],
            confidence=self.confidence[first:last],
            cuts=tuple(cut - first for cut in self.cuts if first < cut < last),
        )
