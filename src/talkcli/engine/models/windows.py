"""Long speech in windows that overlap: heard stretch by stretch, and their motion cross-faded.

Axis names: `batch`, `samples` (16 kHz), `frames` (25 fps), `coeffs`. Ours: the released model ends at 48 s.
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
    """Return where windows start and end; consecutive ones share `overlap` frames, the last is as long as
    what is left.
    """
    firsts = range(0, max(frames - overlap, 1), window - overlap)
    return [(first, min(first + window, frames)) for first in firsts]


def starts(total: int, length: int) -> list[int]:
    """Return where windows of `length` start that cover `total` evenly, with as few as will do."""
    count, last = -(-total // length), max(total - length, 0)
    return [index * last // max(count - 1, 1) for index in range(count)]


def cross_fade(
    pieces: Iterable[Float[Tensor, "batch _ coeffs"]], frames: int, overlap: int
) -> Float[Tensor, "batch frames coeffs"]:
    """Join windows as they come, going over linearly from one to the next where they overlap."""
    # Strictly between 0 and 1, so that neither end repeats a frame of one window alone.
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
    """An utterance of which any stretch can be heard as a part of the whole.

    What fits into one window is heard once. Of anything longer only the stretch that is asked for is held, so
    that memory does not grow with the length beyond the samples themselves.
    """

    def __init__(
        self,
        ears: Mapping[str, Ear],
        samples: Float[Tensor, "batch samples"],
        *,
        frames: int,
        window: int,
    ) -> None:
        """`frames` may reach beyond the samples, which are as many as are `spoken`; silence follows them."""
        self.frames = frames
        self.spoken = -(-samples.shape[1] // SAMPLES_PER_FRAME)
        self.ears = ears
        self._samples = samples
        self._overviews: dict[str, Overview] = {}
        self._sound: Sound = {}
        with _full_precision(samples):
            # What is measured against the whole utterance needs a first look at all of it.
            for name, ear in ears.items():
                if isinstance(ear, LogMel):
                    self._overviews[name] = ear.overview(samples, frames * ear.steps_per_frame)
        if frames <= window:
            self._sound = self(0, frames)

    def __call__(self, first: int, last: int) -> Sound:
        """Return frames `first` to `last` (excluded) of what every ear makes of the utterance."""
        return {
            name: self.steps(name, first * ear.steps_per_frame, last * ear.steps_per_frame)
            for name, ear in self.ears.items()
        }

    def steps(self, name: str, first: int, last: int) -> Float[Tensor, "batch steps channels"]:
        """Return steps `first` to `last` (excluded) of the ear of that name."""
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
    """Return ears measure in full precision, whatever the networks after them compute in."""
    return torch.autocast(samples.device.type, enabled=False)
