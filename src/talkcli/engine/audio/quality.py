"""Quality of a speech recording: level, clipping, bandwidth, noise.

Axis names: `samples` (16 kHz), `frames` (32 ms long, every 16 ms), `bands`, `bins` (of the spectrum),
`smoothed` (frames after smoothing).
The measurement needs no clean original. The noise of a band is its power in the quietest tenth of the frames.
This is right for steady noise. For speech without a pause it is too high, so the signal-to-noise ratio is
then a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from talkcli.engine.types import SPEECH_RATE_HZ, Speech

# Length of a frame, and distance of two frames, in samples.
_WINDOW, _HOP = 512, 256
# Number of frames that are computed at a time.
_BLOCK_FRAMES = 1024
# Largest number of bands, equally wide in octaves, and their range in Hz.
_NUM_BANDS = 20
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 7_800.0
# Power of a frame at or below which the frame is digital silence and does not count.
_SILENT = 1e-9
# Share of the frames whose power is taken for the noise.
_QUIETEST_SHARE = 0.1
# Length in frames of the smoothing window of a band's power, and ratio of the mean power of steady noise to
# the limit of the quietest tenth of the smoothed frames.
_SMOOTHED, _BELOW_MEAN = 7, 1.15
# Threshold of the bandwidth, in dB below the loudest bin of the spectrum. Anything below it comes from the
# codec or from a filter.
_BANDWIDTH_DB = 72.0
# Smallest number of frames for a signal-to-noise ratio: 0.34 s.
_FEWEST_FRAMES = 20

# Thresholds of the warnings. docs/sound.md says how many clean recordings get a warning.
# Signal-to-noise ratio in dB, below which it is poor.
POOR_SNR_DB = 11.0
# Bandwidth in Hz: between these two it is poor. Sound with a smaller bandwidth is a tone, not speech.
NARROWEST_SPEECH_HZ, POOR_BANDWIDTH_HZ = 2_000.0, 4_200.0
# Level in dB of full scale, below which the recording is too quiet.
POOR_LEVEL_DBFS = -60.0
# Share of clipped samples, above which it is too large.
POOR_CLIPPED = 1e-3
# Amplitude of a DC offset, relative to full scale, from which on it is warned of and subtracted.
POOR_OFFSET = 0.01


@dataclass(frozen=True, kw_only=True)
class SoundQuality:
    """Measured quality of a recording."""

    level_dbfs: float
    """Mean power in dB of full scale."""
    peak_dbfs: float
    """Largest amplitude in dB of full scale."""
    clipped: float
    """Share of samples that stand at the format's maximum, in the channel that has most of them."""
    bandwidth_hz: float
    """Upper end of the spectrum in Hz, at most 8000."""
    snr_db: float | None
    """Signal-to-noise ratio in dB; None if fewer than 20 frames (0.34 s) have sound."""
    offset: float
    """Mean of the file's samples (DC offset), relative to full scale."""

    @property
    def complaints(self) -> list[str]:
        """Clauses about what is poor; empty if nothing is."""
        found = []
        if self.snr_db is not None and self.snr_db < POOR_SNR_DB:
            found.append(f"speech is only {max(self.snr_db, 0):.0f} dB above the noise")
        if self.clipped > POOR_CLIPPED:
            found.append(f"{100 * self.clipped:.1f} % of it is clipped")
        if self.snr_db is not None and NARROWEST_SPEECH_HZ < self.bandwidth_hz < POOR_BANDWIDTH_HZ:
            found.append(f"its spectrum ends at {self.bandwidth_hz / 1000:.1f} kHz, as over a telephone")
        if self.snr_db is not None and self.level_dbfs < POOR_LEVEL_DBFS:
            found.append(f"it is very quiet ({self.level_dbfs:.0f} dB of full scale)")
        if abs(self.offset) >= POOR_OFFSET:
            found.append(f"a DC offset of {self.offset:.2f} was subtracted")
        return found


def measure_quality(speech: Speech, *, clipped: float, offset: float) -> SoundQuality:
    """Measure the quality of a recording.

    Args:
        speech: Speech at 16 kHz.
        clipped: Share of clipped samples, measured on the file's own samples.
        offset: DC offset relative to full scale, measured on the file's own samples.
    """
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
    """Return the power of each band in each frame that is not silent, and the spectrum.

    The spectrum is the sum, not the mean, of the power spectra of all frames.
    """
    edges = np.searchsorted(
        np.fft.rfftfreq(_WINDOW, 1 / SPEECH_RATE_HZ), np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _NUM_BANDS + 1)
    )
    # The lowest bands are narrower than a bin; bands without a bin of their own are left out.
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
        # `reduceat` extends the last band to the end of the spectrum; it ends at its own edge.
        bands[:, -1] -= powers[:, edges[-1] :].sum(axis=1)
        found.append(bands.astype(np.float32)[bands.sum(axis=1) > _SILENT])
    return (np.concatenate(found) if found else np.zeros((0, len(edges) - 1), np.float32)), spectrum


def _snr_db(bands: Float32[np.ndarray, "frames bands"]) -> float | None:
    """Return the signal-to-noise ratio in dB over all bands; None for too few frames."""
    if len(bands) < _FEWEST_FRAMES:
        return None
    total = bands.mean(axis=0, dtype=np.float64)
    # Band by band, because an hour has 4 million values.
    quietest = [np.quantile(_smoothed(band), _QUIETEST_SHARE) for band in bands.T]
    noise = np.minimum(np.array(quietest) * _BELOW_MEAN, total)
    return _decibels(max(float((total - noise).sum()), 1e-20) / max(float(noise.sum()), 1e-20))


def _smoothed(band: Float32[np.ndarray, "frames"]) -> Float64[np.ndarray, "smoothed"]:
    """Return the means of seven frames in a row."""
    sums = np.cumsum(band, dtype=np.float64)
    return (sums[_SMOOTHED:] - sums[:-_SMOOTHED]) / _SMOOTHED


def _bandwidth_hz(spectrum: Float64[np.ndarray, "bins"]) -> float:
    """Return the frequency in Hz of the highest bin above the threshold; 0 in silence."""
    if not spectrum.any():
        return 0.0
    heard = spectrum > spectrum.max() * 10 ** (-_BANDWIDTH_DB / 10)
    return float(np.flatnonzero(heard)[-1] * SPEECH_RATE_HZ / _WINDOW)


def _decibels(power: float | Float[np.ndarray, ""]) -> float:
    return float(10 * np.log10(max(float(power), 1e-12)))
