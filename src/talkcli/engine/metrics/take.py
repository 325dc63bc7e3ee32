"""What a metric gets to measure, and what it may return.

A row of the catalogue names a function of the form `measure(take, given)`: `given` is the true take, the
speech or the phones, as the row's `needs` says. Rows that need nothing else have `measure(take)`, rows of
several takes `measure(takes)`. Axis names: `frames`, `verts`, `chosen` (vertices of a set).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt8

# Number of frames whose vertices are in memory at once.
BLOCK_FRAMES = 64

# Values at single phones, by the phone's symbol. The function `pool` of the catalogue's row computes one
# number from those of all clips.
Observations = Mapping[str, Sequence[float]]


class Compared(NamedTuple):
    """Features of the takes of a clip and of their truth. The function `pool` of the catalogue's row
    compares those of all clips, of which talk keeps the moments only.
    """

    made: Float[np.ndarray, "items features"]
    true: Float[np.ndarray, "others features"]


@runtime_checkable
class Running(Protocol):
    """What a pooled metric keeps of its clips, of a size that does not depend on their number. The function
    `pool` of the catalogue's row computes one number from that of all clips.
    """

    clips: int
    """Number of clips."""

    def join(self, other: Any) -> None:
        """Add what another of the same kind keeps."""


class Share(NamedTuple):
    """A share, and the number of items that it is a share of, which is its weight in the mean over clips."""

    value: float
    weight: float


@runtime_checkable
class Take(Protocol):
    """One motion on its topology. Methods raise AssetError when the topology lacks what they need."""

    @property
    def fps(self) -> float: ...
    @property
    def num_frames(self) -> int: ...

    def at(self, fps: float) -> Take:
        """Return the same motion at another frame rate; itself when it has that rate already."""

    def part(self, name: str) -> Float[np.ndarray, "frames chosen 3"]:
        """Return the vertices of the set `name` in metres: `all`, `face`, or regions joined by +.

        A vertex counts once, unless the name ends in ` with repeats`: then the lists of the regions stand as
        they are, as public scripts use them.
        """

    def indices(self, name: str) -> Int[np.ndarray, "chosen"]:
        """Return the indices of the vertices of the set `name`."""

    def at_rest(self, name: str) -> Float[np.ndarray, "chosen 3"]:
        """Return the vertices of the set `name` of the face at rest, in metres."""

    def whole(self, frames: slice) -> Float[np.ndarray, "frames verts 3"]:
        """Return all vertices of `frames`, in metres."""

    def gap_mm(self) -> Float[np.ndarray, "frames"]:
        """Return the lip gap in millimetres, minus that of the face at rest."""

    def width_mm(self) -> Float[np.ndarray, "frames"]:
        """Return the distance of the outer corners of the mouth, in millimetres."""

    def lip_curves(self) -> Float[np.ndarray, "frames curves"]:
        """Return the curves of `LIP_CURVES`, which are 0 where the face is at rest."""

    def pictures(self, side: int) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """Yield square pictures of the face, red, green, blue, block by block: those of `drawn` where
        a motion is scored, crops of the video's pictures where a video is.
        """

    def mouths(self, side: int) -> Iterator[UInt8[np.ndarray, "_ side side"]]:
        """Yield square grey pictures of the mouth, block by block: drawings by always the same renderer where
        a motion is scored, the head still; crops of the video's pictures where a video is.
        """

    def drawn(self, side: int) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """Yield square pictures of the motion from the front, red, green, blue, block by block, by always the
        same renderer and crop. The head does not turn.
        """

    def landmarks(self) -> Float[np.ndarray, "frames 68 3"]:
        """Return the 68 landmarks of the iBUG scheme in metres; the head does not turn."""

    def turned_landmarks(self) -> Float[np.ndarray, "frames 68 3"]:
        """Return the landmarks of the head that turns by `pose`; AssetError where that is not known."""

    def mid_lips(self) -> Float[np.ndarray, "frames 2 3"]:
        """Return the middle of the upper and of the lower lip, where MTM's script reads them, in metres."""

    def upper_teeth(self) -> Float[np.ndarray, "teeth 3"]:
        """Return the teeth that do not move with the jaw, in metres."""

    def coeffs(self) -> Float[np.ndarray, "frames coeffs"]:
        """Return the coefficients. Raises AssetError for a motion of vertices."""

    def channel_names(self) -> tuple[str, ...]:
        """Return the names of the coefficients; AssetError for a motion of vertices."""

    def channel(self, name: str) -> Float[np.ndarray, "frames"]:
        """Return the coefficient of that name; AssetError where the motion has none."""

    def pose(self) -> Float[np.ndarray, "frames 3"]:
        """Return the rotation of the head, axis-angle in radians; AssetError where it is not known."""


def compared(
    features: Callable[[Take], Float[np.ndarray, "items features"]], takes: Sequence[Take], true: Take
) -> Compared:
    """Return the features of all takes of a clip and of their truth, which is measured once."""
    return Compared(np.concatenate([features(take) for take in takes]), features(true))


def blocks(num_frames: int) -> list[slice]:
    """Cut `num_frames` frames into slices whose vertices fit into memory, in order."""
    return [slice(start, start + BLOCK_FRAMES) for start in range(0, num_frames, BLOCK_FRAMES)]


def frame_values(
    num_frames: int, metric: Callable[[slice], Float[np.ndarray, "..."]]
) -> Float[np.ndarray, "frames ..."]:
    """Return the values of `metric` for all frames; `metric` returns those of the frames of a block."""
    return np.concatenate([metric(block) for block in blocks(num_frames)])


def picture_values(
    pictures: Iterable[UInt8[np.ndarray, "_ side side 3"]],
    metric: Callable[[UInt8[np.ndarray, "_ side side 3"]], np.ndarray],
) -> Float[np.ndarray, "frames ..."]:
    """Return the values of `metric` for blocks of pictures, of which one is in memory."""
    return np.concatenate([metric(block) for block in pictures])


def frame_mean(num_frames: int, metric: Callable[[slice], float]) -> float:
    """Return the mean of `metric` over all frames; `metric` is a mean over the frames of a block."""
    parts = blocks(num_frames)
    weights = [min(block.stop, num_frames) - block.start for block in parts]
    return float(np.average([metric(block) for block in parts], weights=weights))
