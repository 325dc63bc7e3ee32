"""Blocks of decoded sound become mono samples at 16 kHz, within a limit.

Axis names: `samples`, `channels`.
soxr resamples ("HQ", deterministic), block by block: never is more in memory than the sound that comes out.
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

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Mono sound at 16 kHz, not scaled yet.

    `peak` and `offset` (the mean) are those of the one channel at the file's rate, `clipped` the share of
    samples at the format's maximum in the channel that has most of them. `nonsense` says what is no number,
    None when all is. `better` are the channels to take instead, where the average loses sound.
    """

    samples: Float[np.ndarray, "samples"]
    seconds: float
    peak: float
    offset: float
    clipped: float
    nonsense: str | None
    better: Choice | None


Begin = Callable[[int, int, float | None], "Gathering"]
"""Makes what gathers the sound, from its rate in Hz, its channels and the seconds it is stated to last."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Sound, what is missing of it (None: nothing), and what is worth a warning (empty: nothing)."""

    sound: Gathered
    damage: str | None = None
    remark: str = ""


class Gathering:
    """Blocks at the file's rate in, samples at 16 kHz out.

    Raises InputError for a rate outside 8-192 kHz, and when the sound is, or is `stated_s` to be, longer than
    `longest_s`.
    """

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
        # Grows in place, where a list of blocks would be joined into a second copy.
        self._gathered = bytearray()
        self._resampler = (
            None
            if rate_hz == SPEECH_RATE_HZ
            else soxr.ResampleStream(rate_hz, SPEECH_RATE_HZ, 1, dtype="float32", quality="HQ")
        )

    def add(self, block: Float[np.ndarray, "samples channels"]) -> None:
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
        """Return everything, once. The first `late_s` are taken away, and as much silence is added behind."""
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
