"""The quality of a speech recording: level, clipping, bandwidth, noise.

Axis names: `samples`, `frames`, `bands`, `bins`.
All is measured on the sound alone, without a clean original, on frames of 32 ms. Noise is what is there in
the quietest tenth of the moments, band by band: right for noise that goes on, and too much for speech without
a pause, whose ratio is therefore a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from talkcli.engine.types import SPEECH_RATE_HZ, Speech

_WINDOW, _HOP = 512, 256
_BLOCK_FRAMES = 1024
_NUM_BANDS = 20
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 7_800.0
# Frames below this are digital silence, in which nothing was recorded.
_SILENT = 1e-9
_QUIETEST_SHARE = 0.1
# Powers are smoothed over so many frames; the quietest tenth of them lies this much below their mean.
_SMOOTHED, _BELOW_MEAN = 7, 1.15
# Of the loudest part of the spectrum; what is further below is the coder's or the filter's.
_BANDWIDTH_DB = 72.0
_FEWEST_FRAMES = 20

# From here on a warning is worth it; the shares of clean recordings that pass these are in docs/formats.md.
POOR_SNR_DB = 11.0
# Below the first of these it is no speech at all, but a tone.
NARROWEST_SPEECH_HZ, POOR_BANDWIDTH_HZ = 2_000.0, 4_200.0
POOR_LEVEL_DBFS = -60.0
POOR_CLIPPED = 1e-3
POOR_OFFSET = 0.01


@dataclass(frozen=True, kw_only=True)
class SoundQuality:
    """What was measured of a recording.

    `level_dbfs` is the mean power, `peak_dbfs` the highest sample, of full scale; `clipped` the share of
    samples that stand at the format's maximum; `bandwidth_hz` where the spectrum ends, at the most 8000;
    `snr_db` speech to noise, None when nothing is heard or in less than 0.35 s; `offset` the mean of the
    file's samples, of full scale, which is taken away from 0.01 on.
    """

    level_dbfs: float
    peak_dbfs: float
    clipped: float
    bandwidth_hz: float
    snr_db: float | None
    offset: float

    @property
    def complaints(self) -> list[str]:
        """What is poor, each a clause."""
        found = []
        if self.snr_db is not None and self.snr_db < POOR_SNR_DB:
            found.append(f"speech is only {max(self.snr_db, 0):.0f} dB above the noise")
        if self.clipped > POOR_CLIPPED:
            found.append(f"{100 * self.clipped:.1f} % of it is clipped")
        if self.snr_db is not None and NARROWEST_SPEECH_HZ < self.bandwidth_hz < POOR_BANDWIDTH_HZ:
            found.append(f"it ends at {self.bandwidth_hz / 1000:.1f} kHz, as over a telephone")
        if self.snr_db is not None and self.level_dbfs < POOR_LEVEL_DBFS:
            found.append(f"it is very quiet ({self.level_dbfs:.0f} dB of full scale)")
        if abs(self.offset) >= POOR_OFFSET:
            found.append(f"an offset of {self.offset:.2f} was taken away")
        return found


def measure_quality(speech: Speech, *, clipped: float, offset: float) -> SoundQuality:
    """Return the quality of `speech` at 16 kHz; `clipped` and `offset` come from the file's own samples."""
    samples = speech.samples
    power = sum(
        float(np.square(samples[start : start + (1 << 20)], dtype=np.float64).sum())
        for start in range(0, len(samples), 1 << 20)
    ) / len(samples)
    bands, spectrum = _spectra(samples)
    return SoundQuality(
        level_dbfs=_decibels(power),
        peak_dbfs=_decibels(float(max(samples.max(), -samples.min())) ** 2),
        clipped=clipped,
        bandwidth_hz=_bandwidth_hz(spectrum),
        snr_db=_snr_db(bands),
        offset=offset,
    )


def _spectra(
    samples: Float32[np.ndarray, "samples"],
) -> tuple[Float32[np.ndarray, "frames bands"], Float64[np.ndarray, "bins"]]:
    """Return power of each band in each frame that is not silent, and the mean power spectrum."""
    edges = np.searchsorted(
        np.fft.rfftfreq(_WINDOW, 1 / SPEECH_RATE_HZ), np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _NUM_BANDS + 1)
    )
    # Bands at the bottom would share a bin.
    edges = np.unique(edges)
    window = np.hanning(_WINDOW).astype(np.float32)
    num_frames = max(0, (len(samples) - _WINDOW) // _HOP + 1)
    found = []
    spectrum = np.zeros(_WINDOW // 2 + 1)
    for first in range(0, num_frames, _BLOCK_FRAMES):
        count = min(_BLOCK_FRAMES, num_frames - first)
        part = samples[first * _HOP : (first + count - 1) * _HOP + _WINDOW]
        frames = np.lib.stride_tricks.sliding_window_view(part, _WINDOW)[::_HOP]
        powers = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 / _WINDOW
        spectrum += powers.sum(axis=0)
        bands = np.add.reduceat(powers, edges[:-1], axis=1)
        # The last band ends at its edge, not at the end of the spectrum.
        bands[:, -1] -= powers[:, edges[-1] :].sum(axis=1)
        found.append(bands.astype(np.float32)[bands.sum(axis=1) > _SILENT])
    return (np.concatenate(found) if found else np.zeros((0, len(edges) - 1), np.float32)), spectrum


def _snr_db(bands: Float32[np.ndarray, "frames bands"]) -> float | None:
    if len(bands) < _FEWEST_FRAMES:
        return None
    total = bands.mean(axis=0, dtype=np.float64)
    # Band by band, since an hour has 4 million values.
    quietest = [np.quantile(_smoothed(band), _QUIETEST_SHARE) for band in bands.T]
    noise = np.minimum(np.array(quietest) * _BELOW_MEAN, total)
    return _decibels(max(float((total - noise).sum()), 1e-20) / max(float(noise.sum()), 1e-20))


def _smoothed(band: Float32[np.ndarray, "frames"]) -> Float64[np.ndarray, "smoothed"]:
    sums = np.cumsum(band, dtype=np.float64)
    return (sums[_SMOOTHED:] - sums[:-_SMOOTHED]) / _SMOOTHED


def _bandwidth_hz(spectrum: Float64[np.ndarray, "bins"]) -> float:
    if not spectrum.any():
        return 0.0
    heard = spectrum > spectrum.max() * 10 ** (-_BANDWIDTH_DB / 10)
    return float(np.flatnonzero(heard)[-1] * SPEECH_RATE_HZ / _WINDOW)


def _decibels(power: float | Float[np.ndarray, ""]) -> float:
    return float(10 * np.log10(max(float(power), 1e-12)))
