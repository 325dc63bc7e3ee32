"""Conversion of decoded sound, block by block, to mono samples at 16 kHz, up to a limit of length.

Axis names: `samples`, `channels`.
soxr resamples (quality "HQ", deterministic). Memory holds the result and one block of the input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from jaxtyping import Float

from talkcli.engine.audio.channels import Choice, Mixture
from talkcli.engine.audio.clipping import Clipping
from talkcli.engine.errors import InputError
from talkcli.engine.types import SPEECH_RATE_HZ
from talkcli.engine.wording import counted

# Lowest and highest sampling rate of a file that talk reads, in Hz.
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Mono sound at 16 kHz at its original level, and measurements of the sound at the file's rate."""

    samples: Float[np.ndarray, "samples"]
    """Samples at 16 kHz; full scale is 1."""
    seconds: float
    """Length of the decoded sound in seconds."""
    peak: float
    """Largest amplitude of the mono sound, relative to full scale."""
    offset: float
    """Mean of the mono sound (DC offset), relative to full scale."""
    clipped: float
    """Share of clipped samples in the channel that has most of them."""
    nonsense: str | None
    """Clause about samples that are not finite numbers; None if all are."""
    better: Choice | None
    """Channels to average instead of all, where the average of all loses sound; None if it loses none."""


Begin = Callable[[int, int, float | None], "Gathering"]
"""Function that makes the `Gathering` of a sound from its rate in Hz, its number of channels, and its stated
length in seconds (None: not stated)."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Sound of a file, and the faults of the file."""

    sound: Gathered
    """Sound that was decoded."""
    damage: str | None = None
    """Clause about missing sound, for which a file is refused; None if no sound is missing."""
    remark: str = ""
    """Clause that is worth a warning; empty if there is none."""


class Gathering:
    """Converter of blocks at the file's rate to mono samples at 16 kHz."""

    def __init__(
        self,
        path: Path,
        rate_hz: int,
        num_channels: int,
        *,
        longest_s: float,
        stated_s: float | None = None,
        choice: Choice | None = None,
    ) -> None:
        """Prepare the conversion.

        Args:
            path: Name of the file in messages.
            rate_hz: Sampling rate of the blocks in Hz.
            num_channels: Number of channels of the blocks.
            longest_s: Largest length of the sound in seconds.
            stated_s: Length in seconds that the file states; None if it states none.
            choice: Channels to average; None averages all.

        Raises:
            InputError: for a rate outside 8-192 kHz, and for a stated length above `longest_s`.
        """
        if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
            raise InputError(
                f"{path} has a sampling rate of {rate_hz} Hz, outside {LOWEST_RATE_HZ} to "
                f"{HIGHEST_RATE_HZ} Hz.",
                hint="Resample it, for example: ffmpeg -i in.wav -ar 48000 out.wav",
            )
        self.rate_hz = rate_hz
        self.num_read = 0
        self._path = path
        self._longest_s = longest_s
        self._check_length(stated_s or 0.0, stated=True)
        self._mixture = Mixture(rate_hz, num_channels, choice)
        self._peak = 0.0
        self._sum = 0.0
        self._clipping = Clipping(num_channels)
        self._num_nonsense = 0
        self._first_nonsense = ""
        # A bytearray grows in place; a list of blocks would need a second copy to join them.
        self._gathered = bytearray()
        self._resampler = (
            None
            if rate_hz == SPEECH_RATE_HZ
            else soxr.ResampleStream(rate_hz, SPEECH_RATE_HZ, 1, dtype="float32", quality="HQ")
        )

    def add(self, block: Float[np.ndarray, "samples channels"]) -> None:
        """Convert the next block. Raises InputError when the sound becomes longer than the limit."""
        self._clipping.add(block)
        mono = self._mixture.mix(block)
        bad = np.flatnonzero(~np.isfinite(mono))
        if len(bad):
            if not self._num_nonsense:
                first = self.num_read + int(bad[0])
                self._first_nonsense = f"sample {first} ({first / self.rate_hz:.3f} s): {mono[bad[0]]}"
            self._num_nonsense += len(bad)
            mono[bad] = 0
        self.num_read += len(mono)
        self._check_length(self.num_read / self.rate_hz)
        sizes = np.abs(mono)
        self._peak = max(self._peak, float(sizes.max(initial=0)))
        self._sum += float(mono.sum(dtype=np.float64))
        self._gathered += (
            mono if self._resampler is None else self._resampler.resample_chunk(mono)
        ).tobytes()

    def gathered(self, late_s: float = 0.0) -> Gathered:
        """Return the whole sound without its first `late_s` seconds; call this once, after the last block.

        Silence of the same length extends the end.
        """
        if self._resampler is not None:
            self._gathered += self._resampler.resample_chunk(np.zeros(0, np.float32), last=True).tobytes()
        moved = min(4 * round(late_s * SPEECH_RATE_HZ), len(self._gathered))
        if moved:
            del self._gathered[:moved]
            self._gathered += bytes(moved)
        return Gathered(
            samples=np.frombuffer(self._gathered, np.float32),
            seconds=self.num_read / self.rate_hz,
            peak=self._peak,
            offset=self._sum / max(self.num_read, 1),
            clipped=self._clipping.most / max(self.num_read, 1),
            nonsense=self._told_nonsense(),
            better=self._mixture.better(),
        )

    def _told_nonsense(self) -> str | None:
        if not self._num_nonsense:
            return None
        one, several = "sample that is not a finite number", "samples that are not finite numbers"
        return f"holds {counted(self._num_nonsense, one, several)}, the first at {self._first_nonsense}"

    def _check_length(self, seconds: float, *, stated: bool = False) -> None:
        if seconds > self._longest_s:
            longest = f"{self._longest_s / 60:g}"
            raise InputError(
                f"{self._path} is stated to last {seconds / 60:.6g} minutes, over the limit of {longest}."
                if stated
                else f"{self._path} lasts longer than the limit of {longest} minutes.",
                hint="Cut it into parts; or raise the limit with `max_minutes`: an hour takes about 1 GB of "
                "memory.",
            )
