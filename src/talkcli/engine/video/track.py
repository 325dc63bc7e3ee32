"""One face over the pictures of a video: where its landmarks are, and how far they can be trusted.

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
    """`landmarks` in pixels of the picture: x right, y down, z in the same unit, smaller is nearer; NaN in
    frames where the face is not `seen`. `confidence` is in [0, 1], zero where it is not seen. `cuts` are the
    first frames after a cut, in order.
    """

    landmarks: Float32[np.ndarray, "frames 478 3"]
    seen: Bool[np.ndarray, "frames"]
    confidence: Float32[np.ndarray, "frames"]
    fps: float
    width: int
    height: int
    cuts: tuple[int, ...] = ()

    @property
    def num_frames(self) -> int:
        return len(self.seen)

    def part(self, first: int, last: int) -> FaceTrack:
        """Return frames `first` up to, not including, `last`; arrays are views."""
        return replace(
            self,
            landmarks=self.landmarks[first:last],
            seen=self.seen[first:last],
            confidence=self.confidence[first:last],
            cuts=tuple(cut - first for cut in self.cuts if first < cut < last),
        )
