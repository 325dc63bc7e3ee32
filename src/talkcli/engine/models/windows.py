"""Overlapping windows of long speech: the features of each window, and the cross-fade of their motion.

Axis names: `batch`, `samples` (16 kHz), `frames` (25 fps), `coeffs`. This is ours: the released model stops
at 48 s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.audio.log_mel import LogMel, Overview
from talkcli.engine.types import SAMPLES_PER_FRAME


def spans(frames: int, window: int, overlap: int) -> list[tuple[int, int]]:
    """Return the first frame and the end (excluded) of each window; neighbours share `overlap` frames.

    Windows have `window` frames, except that the last one ends with the utterance.
    """
    firsts = range(0, max(frames - overlap, 1), window - overlap)
    return [(first, min(first + window, frames)) for first in firsts]


def starts(total: int, length: int) -> list[int]:
    """Return the starts of the fewest windows of `length` that cover `total`, evenly spaced."""
    count, last = -(-total // length), max(total - length, 0)
    return [index * last // max(count - 1, 1) for index in range(count)]


def cross_fade(
    pieces: Iterable[Float[Tensor, "batch _ coeffs"]], frames: int, overlap: int
) -> Float[Tensor, "batch frames coeffs"]:
    """Join windows in their order; where two overlap, cross-fade linearly from one to the next.

    Args:
        pieces: Values of each window, consumed one at a time.
        frames: Number of frames of the result.
        overlap: Number of frames that neighbouring windows share.
    """
    # The shares lie strictly between 0 and 1, so every frame of an overlap mixes both windows.
    ramp = torch.arange(1, overlap + 1) / (overlap + 1)
    whole, end = torch.empty(0), 0
    for piece in pieces:
        if end == 0:
            whole, end = piece.new_empty(len(piece), frames, piece.shape[2]), piece.shape[1]
            whole[:, :end] = piece
            continue
        share = ramp.to(piece)[:, None]
        whole[:, end - overlap : end] *= 1 - share
        whole[:, end - overlap : end] += piece[:, :overlap] * share
        start, end = end, end - overlap + piece.shape[1]
        whole[:, start:end] = piece[:, overlap:]
    return whole


class Stretches:
    """Front-end features of any stretch of an utterance, equal to those of the whole utterance there.

    An utterance that fits into one window is processed once and stored. For a longer one each call processes
    only its stretch, so that besides the samples, memory does not grow with the length.
    """

    def __init__(
        self,
        ears: Mapping[str, Ear],
        samples: Float[Tensor, "batch samples"],
        *,
        frames: int,
        window: int,
    ) -> None:
        """Take the utterance `samples`; silence extends it if `frames` exceeds its own number, `spoken`.

        Args:
            ears: Front-ends by name.
            samples: Speech at 16 kHz.
            frames: Number of frames, with the silence.
            window: Largest number of frames that are processed and stored as a whole.
        """
        self.frames = frames
        self.spoken = -(-samples.shape[1] // SAMPLES_PER_FRAME)
        self.ears = ears
        self._samples = samples
        self._overviews: dict[str, Overview] = {}
        self._sound: Sound = {}
        with _full_precision(samples):
            # Log-mel features depend on statistics of the whole utterance, which a first pass collects.
            for name, ear in ears.items():
                if isinstance(ear, LogMel):
                    self._overviews[name] = ear.overview(samples, frames * ear.steps_per_frame)
        if frames <= window:
            self._sound = self(0, frames)

    def __call__(self, first: int, last: int) -> Sound:
        """Return frames `first` to `last` (excluded) of the utterance from every front-end."""
        return {
            name: self.steps(name, first * ear.steps_per_frame, last * ear.steps_per_frame)
            for name, ear in self.ears.items()
        }

    def steps(self, name: str, first: int, last: int) -> Float[Tensor, "batch steps channels"]:
        """Return steps `first` to `last` (excluded) of the front-end called `name`."""
        if name in self._sound:
            return self._sound[name][:, first:last]
        ear = self.ears[name]
        with _full_precision(self._samples):
            if isinstance(ear, LogMel):
                return ear.stretch(self._samples, first, last, self._overviews[name])
            samples_per_step = SAMPLES_PER_FRAME // ear.steps_per_frame
            length = (last - first) * samples_per_step
            part = self._samples[:, first * samples_per_step :][:, :length]
            return ear(F.pad(part, (0, length - part.shape[1])))


def _full_precision(samples: Tensor) -> torch.autocast:
    """Return a context without autocast: front-ends compute in float32, whatever precision networks use."""
    return torch.autocast(samples.device.type, enabled=False)
