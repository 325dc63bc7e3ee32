"""Sound files in and out: whatever the user has becomes mono float32 at 16 kHz.

Axis names: `samples`, `channels`.
wav, flac, ogg, mp3 and what else libsndfile knows are read by it, any other container by the bundled ffmpeg;
the content decides, not the name. Channels are averaged, then soxr resamples ("HQ", deterministic), block by
block: at no time is more in memory than the speech that comes out.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from jaxtyping import Float

from talkcli.engine.audio.container import decode_to_wav
from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path, temporary_folder
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Reporter, Speech

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
# Lossy decoders overshoot full scale by a little; only more than 1 dB is worth a warning.
_OVERSHOOT = 1.122
# Small, since a block that fails to decode is lost whole.
_BLOCK_SAMPLES = 1 << 12
# What a wav written to a pipe puts where the size belongs.
_UNKNOWN_SIZES = (0, 0xFFFF_FFFF, 0x7FFF_FFFF)


@dataclass(frozen=True, kw_only=True)
class _Decoded:
    """Mono sound at 16 kHz, not scaled yet; `peak` is that of the file's own samples. `damage` and `nonsense`
    say what could not be read and what is no number, None when all could and is."""

    samples: Float[np.ndarray, "samples"]
    peak: float
    seconds: float
    damage: str | None
    nonsense: str | None


def read_speech(path: Path, reporter: Reporter) -> Speech:
    """The sound of `path`, averaged to mono, at 16 kHz, in [-1, 1].

    Sound beyond full scale is scaled down to it, and all zeros are let through; both are warned of (the first
    above 1 dB). Raises InputError when there is no usable sound: not a regular readable file, not audio, a
    video without sound, less than one 40 ms frame, values that are not numbers, a rate outside 8-192 kHz,
    or a file that is damaged or cut short, since half a sentence would pass for the whole.
    """
    _check_readable(path)
    decoded = _read_libsndfile(path, path) or _read_container(path)
    if decoded.damage:
        raise InputError(
            f"{path} is damaged or cut short: {decoded.damage}.",
            hint=f"Copy it again; or keep what is there: ffmpeg -i {path} rescued.wav",
        )
    if decoded.nonsense:
        raise InputError(f"{path} {decoded.nonsense}.", hint="Export the sound again as 16-bit wav.")
    samples, peak = decoded.samples, decoded.peak
    if peak == 0:
        reporter.warn(f"{path} is silent: all {len(samples)} samples are zero. The face will rest.")
    if peak > _OVERSHOOT:
        reporter.warn(f"{path} peaks at {peak:.3g} times full scale; scaled down to 1.")
    if peak > 1:
        samples /= np.float32(peak)
    # The resampler's ringing may pass full scale by a hair.
    np.clip(samples, -1, 1, out=samples)
    if len(samples) < SAMPLES_PER_FRAME:
        raise InputError(
            f"{path} holds {len(samples) / SPEECH_RATE_HZ * 1000:.1f} ms of sound, less than a 40 ms frame.",
            hint="Give a longer recording.",
        )
    return Speech(samples=samples)


def write_wav(path: Path, speech: Speech) -> None:
    """Write 16-bit mono PCM at the speech's own rate."""
    with atomic_path(path) as temporary:
        soundfile.write(temporary, speech.samples, speech.rate_hz, subtype="PCM_16", format="WAV")


def _check_readable(path: Path) -> None:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path} is a folder, an audio or video file is needed.")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                f"{path} is not a regular file (a pipe or a device).", hint="Write the sound to a file first."
            )
        # Opening is the only test that tells the truth about permissions.
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.", hint="Check the spelling and the folder.") from error
    except PermissionError as error:
        raise InputError(
            f"{path} may not be read (permission denied).", hint=f"Run: chmod u+r {path}"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    if status.st_size == 0:
        raise InputError(
            f"{path} is an empty file (0 bytes).", hint="Was the recording or the copy finished?"
        )


class _Gathering:
    """Blocks at the file's rate in, samples at 16 kHz out."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.num_read = 0
        self.peak = 0.0
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
        with np.errstate(over="ignore", invalid="ignore"):
            mono = block.mean(axis=1, dtype=np.float32)
        bad = np.flatnonzero(~np.isfinite(mono))
        if len(bad):
            if not self._num_nonsense:
                first = self.num_read + int(bad[0])
                self._first_nonsense = f"sample {first} ({first / self.rate_hz:.3f} s): {mono[bad[0]]}"
            self._num_nonsense += len(bad)
            mono[bad] = 0
        self.num_read += len(mono)
        self.peak = max(self.peak, float(np.abs(mono).max()))
        self._gathered += (
            mono if self._resampler is None else self._resampler.resample_chunk(mono)
        ).tobytes()

    def decoded(self, damage: str | None) -> _Decoded:
        if self._resampler is not None:
            self._gathered += self._resampler.resample_chunk(np.zeros(0, np.float32), last=True).tobytes()
        return _Decoded(
            samples=np.frombuffer(self._gathered, np.float32),
            peak=self.peak,
            seconds=self.num_read / self.rate_hz,
            damage=damage,
            nonsense=f"holds {self._num_nonsense} samples that are not finite numbers, the first at "
            f"{self._first_nonsense}"
            if self._num_nonsense
            else None,
        )


def _read_libsndfile(source: Path, path: Path) -> _Decoded | None:
    """The sound of `source`, called `path` in errors; None when libsndfile does not know the format."""
    with source.open("rb") as raw:
        try:
            # By descriptor: a name would make soundfile take *.raw for headerless sound.
            file = soundfile.SoundFile(raw.fileno(), closefd=False)
        except soundfile.LibsndfileError:
            return None
        with file:
            _check_rate(path, file.samplerate)
            gathering = _Gathering(file.samplerate)
            failure = None
            try:
                # In blocks, since a header may promise any number of samples.
                while len(block := file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)):
                    gathering.add(block)
            except soundfile.LibsndfileError as error:
                failure = str(error.error_string)
            num_read = gathering.num_read
            if num_read == 0:
                raise InputError(
                    f"{path} is {file.format_info} but holds no samples"
                    + (f" ({failure})." if failure else "."),
                    hint="Was the recording or the copy finished?",
                )
            promised = file.frames
            if file.format in ("WAV", "WAVEX"):
                promised = max(promised, _promised_by_wav(source) or 0)
            damage = None
            if failure or num_read < promised:
                there_s, promised_s = num_read / file.samplerate, promised / file.samplerate
                damage = f"{there_s:.2f} of {promised_s:.2f} s can be decoded"
                damage += f" ({failure})" if failure else f" ({num_read} of {promised} samples)"
            return gathering.decoded(damage)


def _promised_by_wav(path: Path) -> int | None:
    """Samples a wav's data chunk claims to hold; libsndfile silently lowers them to what is there."""
    with path.open("rb") as file:
        head = file.read(12)
        order = ">" if head[:4] == b"RIFX" else "<"
        block_bytes = 0
        while len(chunk := file.read(8)) == 8:
            name, size = chunk[:4], struct.unpack(f"{order}I", chunk[4:])[0]
            if name == b"data":
                return size // block_bytes if block_bytes and size not in _UNKNOWN_SIZES else None
            if name == b"fmt " and size >= 16:
                tag, _, _, _, stored_bytes = struct.unpack(f"{order}HHIIH", file.read(14))
                # Only uncompressed sound has one sample per block: 1 PCM, 3 float, 0xFFFE extensible.
                block_bytes = stored_bytes if tag in (1, 3, 0xFFFE) else 0
                size -= 14
            # Chunks are padded to even lengths.
            file.seek(size + size % 2, 1)
    return None


def _read_container(path: Path) -> _Decoded:
    with temporary_folder() as folder:
        wav = folder / "sound.wav"
        complaints = decode_to_wav(path, wav)
        decoded = _read_libsndfile(wav, path)
        if decoded is None:
            raise InputError(f"{path} cannot be decoded ({complaints or 'ffmpeg wrote no sound'}).")
        damage = f"{decoded.seconds:.2f} s can be decoded ({complaints})" if complaints else None
        return replace(decoded, damage=damage)


def _check_rate(path: Path, rate_hz: int) -> None:
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise InputError(
            f"{path} has a sampling rate of {rate_hz} Hz, outside {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz.",
            hint="Resample it, for example: ffmpeg -i in.wav -ar 48000 out.wav",
        )
