"""Mixing of several channels to one, without loss of audible sound.

Axis names: `samples`, `channels`, `bins` (of a spectrum).
The average of the channels is right if they hold the same sound, or different sounds (two speakers, two
sides). It is wrong if they cancel each other: channels of opposite polarity, in all or a part of the
spectrum, or the same voice with a delay of some milliseconds, which cancels every band where the delay is
half a period. The mixture finds this as follows:

- In each band and each part of two seconds it compares the power of the average with the power that
  unrelated channels would leave: the mean of their powers, divided by their number.
- If the average has clearly less in any part that is not much quieter than the loudest part, the mixture
  takes one channel: the one with the most power in the range of speech.
- If that channel lacks sound that another one holds in some part (two speakers), the mixture chooses for each
  part separately: there the loudest channel if the channels cancel, else the average.

The average leaves out channels without sound. From five channels on the third is the centre, to which films
mix speech: the mixture takes it if it has sound and differs from the average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

# Range of speech in Hz.
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 7600.0
# Length in seconds of the spectrum's window, and of a part of the sound. The window resolves the bands that a
# delay of up to about 30 ms cancels.
_WINDOW_S, _JUDGED_S = 0.128, 2.0
_WINDOWS_OF_A_PART = math.ceil(_JUDGED_S / _WINDOW_S)
# Smallest number of windows of a part that can show cancellation.
_FEWEST_WINDOWS = 6
# Level in dB below the loudest band, from which on a band does not count.
_QUIETEST_BAND_DB = 45.0
# Largest number of bands, equally wide in octaves.
_NUM_BANDS = 18
# Thresholds of cancellation: smallest share of the power of unrelated channels that the average keeps, as the
# mean over bands and in a single band. Chance alone takes away up to a tenth in a part.
_LEAST_LEFT, _LEAST_LEFT_IN_A_BAND = 0.80, 0.45
# Share of the power of the loudest channel from which on a channel counts as equally loud.
_AS_LOUD = 0.8
# Levels in dB below the loudest: a quieter part of the sound does not count, a quieter channel has no sound.
_QUIETEST_PART_DB, _SOUNDLESS_DB = 30.0, 60.0
# Level in dB below the loudest channel of a part, from which on a channel lacks the part's speech.
_LACKING_DB = 15.0
# Smallest number of channels that have a centre, and the number of the centre (from 0).
_SURROUND, _CENTRE = 5, 2
# Level in dB below the loudest channel, down to which the centre has sound.
_HEARD_DB = 30.0
# Squared correlation from which on centre and average are the same sound.
_SAME = 0.9


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Channels to average in each part of a sound."""

    begins: int
    """First sample of the first part; the samples before it belong to the first part too."""
    part: int
    """Length of a part in samples."""
    channels: tuple[tuple[int, ...], ...]
    """Channels to average in each part. The last part extends to the end of the sound."""

    @classmethod
    def of(cls, *channels: int) -> Choice:
        """Return the choice of the same channels for the whole sound."""
        return cls(begins=0, part=1, channels=(channels,))

    def pieces(self, start: int, end: int) -> list[tuple[int, int, tuple[int, ...]]]:
        """Split the samples `start` to `end` (excluded) at the parts' borders.

        Returns:
            First sample, end (excluded) and channels of each piece.
        """
        found = []
        while start < end:
            part = min(max((start - self.begins) // self.part, 0), len(self.channels) - 1)
            is_last = part == len(self.channels) - 1
            stop = end if is_last else min(end, self.begins + (part + 1) * self.part)
            found.append((start, stop, self.channels[part]))
            start = stop
        return found


class _Part(NamedTuple):
    """Measurements of a part of the sound."""

    power: Float64[np.ndarray, "channels"]
    """Power of each channel in the range of speech."""
    cancels: bool
    """Whether the channels cancel each other in their average."""


class Mixture:
    """Mixer of blocks of several channels to one channel: the average of all, or of those of a choice.

    While it averages all, it measures whether the channels cancel each other.
    """

    def __init__(self, rate_hz: int, num_channels: int, choice: Choice | None) -> None:
        self._choice = choice
        self._num_mixed = 0
        # First sample of the first block in which channels differ; from there on the sound is measured. None
        # before this block.
        self._num_alike: int | None = None
        self._parts: list[_Part] = []
        self._num_channels = num_channels
        self._window = max(64, round(_WINDOW_S * rate_hz))
        edges = np.geomspace(_LOWEST_HZ, min(_HIGHEST_HZ, 0.48 * rate_hz), _NUM_BANDS + 1)
        frequencies = np.fft.rfftfreq(self._window, 1 / rate_hz)
        self._bands = [
            (first, last) for first, last in pairwise(np.searchsorted(frequencies, edges)) if last > first
        ]
        self._hann = np.hanning(self._window)[:, None]
        self._waiting: list[np.ndarray] = []
        self._num_waiting = 0
        self._spectra = np.zeros((self._window // 2 + 1, num_channels + 1))
        self._num_windows = 0
        # Sums over the whole sound: centre squared, average squared, centre times average.
        self._products = np.zeros(3)

    def mix(self, block: Float[np.ndarray, "samples channels"]) -> Float[np.ndarray, "samples"]:
        """Return the mono sound of the next block, in float32."""
        start, self._num_mixed = self._num_mixed, self._num_mixed + len(block)
        with np.errstate(over="ignore", invalid="ignore"):
            if self._choice is not None:
                return np.concatenate(
                    [
                        block[first - start : end - start, list(channels)].mean(axis=1, dtype=np.float32)
                        for first, end, channels in self._choice.pieces(start, self._num_mixed)
                    ]
                )
            mono: np.ndarray = block.mean(axis=1, dtype=np.float32)
        if self._num_channels > 1:
            self._listen(block, mono, start)
        return mono

    def better(self) -> Choice | None:
        """Return the better choice of channels, after the last block; None if the average of all is right."""
        if self._num_channels == 1 or self._choice is not None:
            return None
        if self._num_waiting:
            padding = np.zeros((-self._num_waiting % self._window, self._num_channels + 1))
            self._waiting.append(padding)
            self._num_waiting += len(padding)
            self._analyse()
        self._judge(last=True)
        if not self._parts:
            return None
        power = np.sum([part.power for part in self._parts], axis=0)
        if self._num_channels >= _SURROUND and self._centre_speaks(power):
            return Choice.of(_CENTRE)
        loudest = max(part.power.max() for part in self._parts)
        quietest = max(_less(loudest, _QUIETEST_PART_DB), 1e-300)
        heard = [bool(part.power.max() >= quietest) for part in self._parts]
        sounding = tuple(
            int(channel) for channel in np.flatnonzero(power > _less(power.max(), _SOUNDLESS_DB))
        )
        if any(part.cancels and is_heard for part, is_heard in zip(self._parts, heard, strict=True)):
            return self._without_cancelling(power, heard, sounding)
        return Choice.of(*sounding) if 0 < len(sounding) < self._num_channels else None

    def _without_cancelling(
        self, power: Float64[np.ndarray, "channels"], heard: list[bool], sounding: tuple[int, ...]
    ) -> Choice:
        """Return the loudest channel, or a choice for each part if that channel lacks speech in a part.

        Args:
            power: Power of each channel over the whole sound.
            heard: Whether each part is loud enough to count.
            sounding: Channels that have sound.
        """
        best = _loudest(power)
        if all(
            part.power[best] >= _less(part.power.max(), _LACKING_DB)
            for part, is_heard in zip(self._parts, heard, strict=True)
            if is_heard
        ):
            return Choice.of(best)
        return Choice(
            begins=self._num_alike or 0,
            part=_WINDOWS_OF_A_PART * self._window,
            channels=tuple((_loudest(part.power),) if part.cancels else sounding for part in self._parts),
        )

    def _listen(
        self, block: Float[np.ndarray, "samples channels"], mono: Float[np.ndarray, "samples"], start: int
    ) -> None:
        """Collect a block, whose first sample is `start`, and measure the windows that it completes."""
        if self._num_alike is None:
            if self._num_channels < _SURROUND and (block == block[:, :1]).all():
                # Equal channels, the most frequent case, cannot cancel each other.
                return
            self._num_alike = start
        heard = np.nan_to_num(np.column_stack([block, mono]).astype(np.float64), posinf=0, neginf=0)
        if self._num_channels >= _SURROUND:
            centre, average = heard[:, _CENTRE], heard[:, -1]
            self._products += (centre @ centre, average @ average, centre @ average)
        self._waiting.append(heard)
        self._num_waiting += len(heard)
        if self._num_waiting >= self._window:
            self._analyse()

    def _analyse(self) -> None:
        """Add the power spectra of all complete windows, and judge each part that they complete."""
        heard = np.concatenate(self._waiting)
        whole = len(heard) // self._window * self._window
        self._waiting, self._num_waiting = [heard[whole:]], len(heard) - whole
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, whole, self._window):
                spectrum = np.fft.rfft(heard[start : start + self._window] * self._hann, axis=0)
                self._spectra += np.nan_to_num(np.abs(spectrum) ** 2, posinf=0)
                self._num_windows += 1
                if self._num_windows == _WINDOWS_OF_A_PART:
                    self._judge()

    def _judge(self, *, last: bool = False) -> None:
        """Enter the measurements of a part; `last` says that the sound has ended."""
        spectra: Float64[np.ndarray, "bins channels"] = self._spectra
        windows, self._num_windows = self._num_windows, 0
        self._spectra = np.zeros_like(spectra)
        if not self._bands or not windows:
            return
        power = spectra[self._bands[0][0] : self._bands[-1][1], :-1].sum(axis=0)
        # Few windows show no cancellation, except in a sound that has no more.
        proves = windows >= _FEWEST_WINDOWS or (last and not self._parts)
        self._parts.append(_Part(power, proves and self._cancels(spectra)))

    def _cancels(self, spectra: Float64[np.ndarray, "bins channels"]) -> bool:
        """Return whether the average, the last of `spectra`, has clearly less than unrelated channels."""
        unrelated = spectra[:, :-1].sum(axis=1) / self._num_channels**2
        left = np.minimum(spectra[:, -1], unrelated)
        expected = np.array([unrelated[first:end].sum() for first, end in self._bands])
        share = np.array([left[first:end].sum() for first, end in self._bands]) / np.maximum(expected, 1e-300)
        audible = expected > expected.max(initial=0) * 10 ** (-_QUIETEST_BAND_DB / 10)
        return bool(
            audible.any()
            and (share[audible].mean() < _LEAST_LEFT or share[audible].min() < _LEAST_LEFT_IN_A_BAND)
        )

    def _centre_speaks(self, power: Float64[np.ndarray, "channels"]) -> bool:
        """Return whether the centre has sound and differs from the average of all channels."""
        of_centre, of_average, shared = self._products
        if power[_CENTRE] < _less(power.max(), _HEARD_DB) or not of_centre:
            return False
        return bool(shared**2 < _SAME * of_centre * of_average)


def _less(power: float, decibels: float) -> float:
    """Return the power that lies `decibels` below `power`."""
    return float(power * 10 ** (-decibels / 10))


def _loudest(power: Float64[np.ndarray, "channels"]) -> int:
    """Return the first channel that is about as loud as the loudest."""
    return int((power >= _AS_LOUD * power.max()).argmax())
