"""Several channels to one, without losing what is to be heard.

Axis names: `samples`, `channels`, `bins`.
Averaging is right wherever channels hold the same sound, or different ones (two speakers, two sides). It is
wrong where they cancel: opposite polarity, all of it or in a part of the spectrum, or the same voice some
milliseconds later, which takes out every band in which the delay is half a period. So the average is
compared, band by band and every two seconds, with what channels that have nothing to do with each other would
leave: the mean of their powers over their number. Where it is clearly less than that, one channel is taken:
the one with the most power in the range of speech. With five channels and more the third is the centre, to
which films mix speech: it is taken where it is heard and the rest holds something else.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float64

_LOWEST_HZ, _HIGHEST_HZ = 80.0, 7600.0
# Windows tell bands apart that a delay of up to about 30 ms takes out; a second of them is one judgement.
_WINDOW_S, _JUDGED_S = 0.128, 2.0
_FEWEST_WINDOWS = 6
# Bands further below the loudest say nothing about speech.
_QUIETEST_BAND_DB = 45.0
_NUM_BANDS = 18
# Of what unrelated channels would leave. Chance takes away up to a tenth in a single judgement.
_LEAST_LEFT, _LEAST_LEFT_IN_A_BAND = 0.80, 0.45
_AS_LOUD = 0.8
_SURROUND, _CENTRE = 5, 2
_HEARD_DB = 30.0
# Squared correlation from which on centre and average are one sound.
_SAME = 0.9


class Mixture:
    """Blocks of several channels in, one channel out: their average, or channel `only`."""

    def __init__(self, rate_hz: int, num_channels: int, only: int | None) -> None:
        self.only = only
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
        self._cancels = self._judged = False
        # Of the whole sound: power in the range of speech, and the products of centre and average.
        self._power = np.zeros(num_channels)
        self._products = np.zeros(3)

    def mix(self, block: Float[np.ndarray, "samples channels"]) -> Float[np.ndarray, "samples"]:
        """One channel of `block`, float32."""
        if self.only is not None:
            return np.ascontiguousarray(block[:, self.only])
        with np.errstate(over="ignore", invalid="ignore"):
            mono: np.ndarray = block.mean(axis=1, dtype=np.float32)
        if self._num_channels > 1:
            self._listen(block, mono)
        return mono

    def better(self) -> int | None:
        """After the last block: the channel to take, None when the average is right."""
        if self._num_channels == 1 or self.only is not None:
            return None
        if self._num_waiting:
            padding = np.zeros((-self._num_waiting % self._window, self._num_channels + 1))
            self._waiting.append(padding)
            self._num_waiting += len(padding)
            self._analyse()
        self._judge(last=True)
        if self._num_channels >= _SURROUND and self._centre_speaks():
            return _CENTRE
        # The first of those that are about as loud as the loudest.
        return int((self._power >= _AS_LOUD * self._power.max()).argmax()) if self._cancels else None

    def _listen(
        self, block: Float[np.ndarray, "samples channels"], mono: Float[np.ndarray, "samples"]
    ) -> None:
        if self._num_channels < _SURROUND and (block == block[:, :1]).all() and not self._power.any():
            # One sound in every channel, the most frequent case, cancels nothing.
            return
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
                if self._num_windows * _WINDOW_S >= _JUDGED_S:
                    self._judge()

    def _judge(self, *, last: bool = False) -> None:
        spectra: Float64[np.ndarray, "bins channels"] = self._spectra
        windows, self._num_windows = self._num_windows, 0
        self._spectra = np.zeros_like(spectra)
        if not self._bands or not windows:
            return
        self._power += spectra[self._bands[0][0] : self._bands[-1][1], :-1].sum(axis=0)
        if self._cancels:
            return
        # Few windows prove nothing, unless they are all there is.
        if windows < _FEWEST_WINDOWS and not (last and not self._judged):
            return
        self._judged = True
        unrelated = spectra[:, :-1].sum(axis=1) / self._num_channels**2
        left = np.minimum(spectra[:, -1], unrelated)
        expected = np.array([unrelated[first:end].sum() for first, end in self._bands])
        share = np.array([left[first:end].sum() for first, end in self._bands]) / np.maximum(expected, 1e-300)
        audible = expected > expected.max(initial=0) * 10 ** (-_QUIETEST_BAND_DB / 10)
        if audible.any():
            self._cancels = bool(
                share[audible].mean() < _LEAST_LEFT or share[audible].min() < _LEAST_LEFT_IN_A_BAND
            )

    def _centre_speaks(self) -> bool:
        of_centre, of_average, shared = self._products
        if self._power[_CENTRE] < self._power.max(initial=0) * 10 ** (-_HEARD_DB / 10) or not of_centre:
            return False
        return bool(shared**2 < _SAME * of_centre * of_average)
