"""Samples that stand at the highest or lowest value of their format.

Axis names: `samples`, `channels`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

# Samples in a row at the maximum that no microphone gives.
_RUN = 3
_FULL_SCALE = 0.9995
# The greatest values of mu-law (0.980), A-law (0.984) and 8 bits (0.992) are below full scale.
_LEAST_MAXIMUM = 0.98


class Clipping:
    """Blocks of sound in, the samples of the most clipped channel out.

    Runs count at full scale, and where a channel never reaches that, at its own highest (and lowest) value.
    """

    def __init__(self, num_channels: int) -> None:
        # Of each channel, its highest and its lowest values.
        self._tops = np.zeros((num_channels, 2))
        self._counts = np.zeros((num_channels, 2), np.int64)

    @property
    def most(self) -> int:
        """Clipped samples of the channel that has most of them."""
        return int(self._counts.sum(axis=1).max())

    def add(self, block: Float[np.ndarray, "samples channels"]) -> None:
        if not len(block):
            return
        with np.errstate(invalid="ignore"):
            tops = np.stack([np.nanmax(block, 0, initial=0), -np.nanmin(block, 0, initial=0)], axis=1)
        for channel, side in np.argwhere(
            tops >= np.maximum(_LEAST_MAXIMUM, np.minimum(self._tops, _FULL_SCALE))
        ):
            top = min(float(tops[channel, side]), _FULL_SCALE)
            if top > self._tops[channel, side]:
                self._tops[channel, side], self._counts[channel, side] = top, 0
            values = -block[:, channel] if side else block[:, channel]
            self._counts[channel, side] += _in_runs(values >= np.float32(top))


def _in_runs(full: np.ndarray) -> int:
    """Return how many are true with enough of their neighbours."""
    runs = np.convolve(full, np.ones(_RUN), "valid") > _RUN - 0.5
    return int((np.convolve(runs, np.ones(_RUN)) > 0.5).sum())
