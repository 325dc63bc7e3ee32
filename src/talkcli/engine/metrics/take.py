"""What a metric sees of one motion, and what it may return.

The catalogue's rows name functions of the form `measure(take, given)`: `given` is the true take, the speech
or the phones, as the row says; rows that need nothing else have `measure(take)`, rows of several takes
`measure(takes)`. Axis names: `frames`, `verts`, `chosen` (vertices of a set).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

# Frames whose vertices are in memory together.
_BLOCK_FRAMES = 64

# Values at single phones, by the phone's symbol; the catalogue's `pool` makes one number of those of all
# clips.
Observations = Mapping[str, Sequence[float]]


class Share(NamedTuple):
    """A share of what a metric counted, and how much that was, which is its weight among clips."""

    value: float
    weight: float


@runtime_checkable
class Take(Protocol):
    """One motion on its topology. Methods raise AssetError where the topology lacks what they look at."""

    @property
    def fps(self) -> float: ...
    @property
    def num_frames(self) -> int: ...

    def at(self, fps: float) -> Take:
        """Return the same motion at another rate; itself when that is its rate already."""

    def part(self, name: str) -> Float[np.ndarray, "frames chosen 3"]:
        """Return the vertices of the set `name` (regions joined by +, or `face`) in metres."""

    def at_rest(self, name: str) -> Float[np.ndarray, "chosen 3"]:
        """Return the set `name` of the face at rest, in metres."""

    def whole(self, frames: slice) -> Float[np.ndarray, "frames verts 3"]:
        """Return all vertices of `frames`, in metres."""

    def gap_mm(self) -> Float[np.ndarray, "frames"]:
        """Return the lip opening above that of the face at rest, in millimetres."""

    def width_mm(self) -> Float[np.ndarray, "frames"]:
        """Return the distance of the outer corners of the mouth, in millimetres."""

    def upper_teeth(self) -> Float[np.ndarray, "teeth 3"]:
        """Return the teeth that do not move with the jaw, in metres."""

    def coeffs(self) -> Float[np.ndarray, "frames coeffs"]:
        """Return the coefficients; AssetError for a motion of vertices."""

    def channel_names(self) -> tuple[str, ...]:
        """Return the names of the coefficients; AssetError for a motion of vertices."""

    def channel(self, name: str) -> Float[np.ndarray, "frames"]:
        """Return the coefficient of that name; AssetError where the motion has none."""

    def pose(self) -> Float[np.ndarray, "frames 3"]:
        """Return the rotation of the head, axis-angle in radians; AssetError where it is not known."""


def blocks(num_frames: int) -> list[slice]:
    """Cut `num_frames` into pieces whose vertices fit into memory, in order."""
    return [slice(start, start + _BLOCK_FRAMES) for start in range(0, num_frames, _BLOCK_FRAMES)]


def frame_mean(num_frames: int, metric: Callable[[slice], float]) -> float:
    """Return average over all frames a `metric` that is a mean over the frames of a block."""
    parts = blocks(num_frames)
    weights = [min(block.stop, num_frames) - block.start for block in parts]
    return float(np.average([metric(block) for block in parts], weights=weights))
