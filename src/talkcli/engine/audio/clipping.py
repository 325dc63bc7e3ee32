"""Clipping: samples that stand at the highest or lowest value of their format.

Axis names: `samples`, `channels`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

# Number of samples in a row at the maximum that count as clipped; sound that is not clipped has shorter runs.
_RUN = 3
# Amplitude from which on a sample stands at full scale.
_FULL_SCALE = 0.9995
# Lowest amplitude that can be the maximum of a format: mu-law ends at 0.980, A-law at 0.984, 8 bits at 0.992.
_LEAST_MAXIMUM = 0.98


class Clipping:
    """Counter of the clipped samples of each channel, which takes the sound block by block.

    Samples count in runs of three or more at full scale. If a channel does not reach full scale, runs at its
    own highest and lowest value count, if that value can be the maximum of a format (0.98 or more).
    """

    def __init__(self, num_channels: int) -> None:
        # Highest amplitude of each channel so far, on the positive and on the negative side.
        self._tops = np.zeros((num_channels, 2))
        self._counts = np.zeros((num_channels, 2), np.int64)

    @property
    def most(self) -> int:
        """Number of clipped samples of the channel that has most of them."""
        return int(self._counts.sum(axis=1).max())

    def add(self, block: Float[np.ndarray, "samples channels"]) -> None:
        """Count the clipped samples of the next block."""
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
    """Return the number of true values that lie in a run of at least three."""
    runs = np.convolve(full, np.ones(_RUN), "valid") > _RUN - 0.5
    return int((np.convolve(runs, np.ones(_RUN)) > 0.5).sum())
