"""Mixing several channels down to one, without losing audible sound.

Axis names: `samples`, `channels`, `bins`.
Averaging is right wherever channels hold the same sound, or different ones (two speakers, two sides). It is
wrong where they cancel: opposite polarity, all of it or in a part of the spectrum, or the same voice some
milliseconds later, which takes out every band in which the delay is half a period. So the average is
compared, band by band and every two seconds, with what channels that have nothing to do with each other would
leave: the mean of their powers over their number. Where it is clearly less than that, in a part of the sound
that is not much quieter than the loudest, one channel is taken: the one with the most power in the range of
speech. Where that one lacks what others hold elsewhere (two speakers), the choice is made part by part.
Channels without sound are left out of the average. With five channels and more the third is the centre, to
which films mix speech: it is taken where it is heard and the rest holds something else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

_LOWEST_HZ, _HIGHEST_HZ = 80.0, 7600.0
# Windows tell bands apart that a delay of up to about 30 ms takes out; a second of them is one judgement.
_WINDOW_S, _JUDGED_S = 0.128, 2.0
_WINDOWS_OF_A_PART = math.ceil(_JUDGED_S / _WINDOW_S)
_FEWEST_WINDOWS = 6
# Bands further below the loudest say nothing about speech.
_QUIETEST_BAND_DB = 45.0
_NUM_BANDS = 18
# Of what unrelated channels would leave. Chance takes away up to a tenth in a single judgement.
_LEAST_LEFT, _LEAST_LEFT_IN_A_BAND = 0.80, 0.45
_AS_LOUD = 0.8
# Parts of the sound further below its loudest part decide nothing, channels further below are without sound.
_QUIETEST_PART_DB, _SOUNDLESS_DB = 30.0, 60.0
# A channel that is further below the loudest in some part lacks what is said there.
_LACKING_DB = 15.0
_SURROUND, _CENTRE = 5, 2
_HEARD_DB = 30.0
# Squared correlation from which on centre and average are one sound.
_SAME = 0.9


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which channels are averaged: one tuple of channels for each `part` samples from `begins` on.

    The last also holds for what follows, and the first for what is before.
    """

    begins: int
    part: int
    channels: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, *channels: int) -> Choice:
        """Return the same channels everywhere."""
        return cls(begins=0, part=1, channels=(channels,))

    def pieces(self, start: int, end: int) -> list[tuple[int, int, tuple[int, ...]]]:
        """The samples `start` to `end`, cut where the channels change."""
        found = []
        while start < end:
            part = min(max((start - self.begins) // self.part, 0), len(self.channels) - 1)
            is_last = part == len(self.channels) - 1
            stop = end if is_last else min(end, self.begins + (part + 1) * self.part)
            found.append((start, stop, self.channels[part]))
            start = stop
        return found


class _Part(NamedTuple):
    """What was found in a part of the sound: each channel's power in the range of speech."""

    power: Float64[np.ndarray, "channels"]
    cancels: bool


class Mixture:
    """Blocks of several channels in, one channel out: the average of all, or of those of `choice`."""

    def __init__(self, rate_hz: int, num_channels: int, choice: Choice | None) -> None:
        self._choice = choice
        self._num_mixed = 0
        # Samples before the first that differs between channels.
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
        # Of the whole sound: the products of centre and average.
        self._products = np.zeros(3)

    def mix(self, block: Float[np.ndarray, "samples channels"]) -> Float[np.ndarray, "samples"]:
        """Return one channel of `block`, float32."""
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
        """Return, after the last block, the channels to take; None when the average of all is right."""
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
        if self._num_alike is None:
            if self._num_channels < _SURROUND and (block == block[:, :1]).all():
                # One sound in every channel, the most frequent case, cancels nothing.
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
        spectra: Float64[np.ndarray, "bins channels"] = self._spectra
        windows, self._num_windows = self._num_windows, 0
        self._spectra = np.zeros_like(spectra)
        if not self._bands or not windows:
            return
        power = spectra[self._bands[0][0] : self._bands[-1][1], :-1].sum(axis=0)
        # Few windows prove nothing, unless they are all there is.
        proves = windows >= _FEWEST_WINDOWS or (last and not self._parts)
        self._parts.append(_Part(power, proves and self._cancels(spectra)))

    def _cancels(self, spectra: Float64[np.ndarray, "bins channels"]) -> bool:
        """Return whether the average, the last of `spectra`, lacks what the others hold."""
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
        of_centre, of_average, shared = self._products
        if power[_CENTRE] < _less(power.max(), _HEARD_DB) or not of_centre:
            return False
        return bool(shared**2 < _SAME * of_centre * of_average)


def _less(power: float, decibels: float) -> float:
    return float(power * 10 ** (-decibels / 10))


def _loudest(power: Float64[np.ndarray, "channels"]) -> int:
    """Return the first of the channels that are about as loud as the loudest."""
    return int((power >= _AS_LOUD * power.max()).argmax())
