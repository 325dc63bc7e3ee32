"""Sound files: reading any file as mono float32 at 16 kHz, and writing wav.

libsndfile reads wav, flac, aiff and other uncompressed formats; the bundled ffmpeg reads mp3, ogg and all
containers. The content of a file decides, not its name. `channels.py` turns several channels into one.
"""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from talkcli.engine.audio.channels import Choice
from talkcli.engine.audio.container import read_container
from talkcli.engine.audio.gathering import Decoded, Gathered, Gathering
from talkcli.engine.audio.limits import longest_minutes
from talkcli.engine.audio.quality import POOR_OFFSET, SoundQuality, measure_quality
from talkcli.engine.audio.sndfile import read_sndfile
from talkcli.engine.audio.tags import without_leading_tags
from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.regular import check_file
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Reporter, Speech
from talkcli.engine.wording import counted

# Samples in memory that are converted at a time, so that no second copy of all of them is made.
_BLOCK_SAMPLES = 1 << 16
# Amplitude from which on a warning is given: 1 dB above full scale. Lossy decoders overshoot by less.
_OVERSHOOT = 1.122


def read_speech(path: Path, reporter: Reporter) -> Speech:
    """Return the sound of a file: one channel at 16 kHz in [-1, 1].

    The function subtracts a DC offset of 0.01 or more, and scales sound above full scale down to it. It warns
    of sound more than 1 dB above full scale, and of sound of only zeros.

    Args:
        path: Audio or video file.
        reporter: Receiver of the warnings.

    Raises:
        InputError: when the file is no readable regular file, is no audio, has no sound track, is damaged or
            cut short, or has a rate outside 8-192 kHz; when the sound is shorter than one frame (40 ms) or
            longer than TALK_MAX_MINUTES (240), or has samples that are not finite numbers.
        UsageError: when TALK_MAX_MINUTES is no number of minutes.
    """
    return _read(path, reporter)[0]


def read_measured(path: Path, reporter: Reporter) -> tuple[Speech, SoundQuality]:
    """Read a file as `read_speech` does, measure the quality of its sound, and warn if it is poor."""
    speech, sound = _read(path, reporter)
    quality = measure_quality(speech, clipped=sound.clipped, offset=sound.offset)
    if quality.complaints:
        reporter.warn(f"{path} is a poor recording: {'; '.join(quality.complaints)}.")
    return speech, quality


def speech_of(
    samples: Float[np.ndarray, "samples channels"],
    rate_hz: int,
    reporter: Reporter,
    *,
    name: str = "The sound",
) -> Speech:
    """Convert samples in memory to speech as `read_speech` converts the sound of a file.

    Args:
        samples: Sound at `rate_hz`; full scale is 1.
        rate_hz: Sampling rate in Hz.
        reporter: Receiver of the warnings.
        name: Name of the sound in messages.

    Raises:
        InputError: for the rates, lengths and samples that `read_speech` refuses.
        UsageError: when TALK_MAX_MINUTES is no number of minutes.
    """

    def gathered(choice: Choice | None) -> Gathered:
        gathering = Gathering(
            Path(name), rate_hz, samples.shape[1], longest_s=60 * longest_minutes(), choice=choice
        )
        for first in range(0, len(samples), _BLOCK_SAMPLES):
            gathering.add(samples[first : first + _BLOCK_SAMPLES].astype(np.float32))
        return gathering.gathered()

    sound = gathered(None)
    return _finished(sound if sound.better is None else gathered(sound.better), name, reporter)


def write_wav(path: Path, speech: Speech, *, software: str | None = None) -> None:
    """Write `speech` as 16-bit mono PCM at its own rate; the file names its maker where `software` does."""
    with (
        atomic_path(path) as temporary,
        soundfile.SoundFile(temporary, "w", speech.rate_hz, 1, subtype="PCM_16", format="WAV") as file,
    ):
        if software is not None:
            file.software = software
        file.write(speech.samples)


def _read(path: Path, reporter: Reporter) -> tuple[Speech, Gathered]:
    _check_readable(path)
    decoded = _decode(path, None)
    if decoded.damage:
        raise InputError(
            f"{path} is damaged or cut short: {decoded.damage}.",
            hint=f"Copy it again; or keep what is there: ffmpeg -i {path} rescued.wav",
        )
    sound = decoded.sound
    if sound.better is not None:
        sound = _decode(path, sound.better).sound
    if decoded.remark:
        reporter.warn(f"{path} {decoded.remark}.")
    return _finished(sound, str(path), reporter), sound


def _finished(sound: Gathered, path: str, reporter: Reporter) -> Speech:
    """Return the gathered sound without DC offset and within full scale; messages call it `path`."""
    if sound.nonsense:
        raise InputError(f"{path} {sound.nonsense}.", hint="Export the sound again as 16-bit wav.")
    if len(sound.samples) < SAMPLES_PER_FRAME:
        lasts_ms = len(sound.samples) / SPEECH_RATE_HZ * 1000
        raise InputError(
            f"{path} holds {lasts_ms:.1f} ms of sound, less than a 40 ms frame.",
            hint="Give a longer recording.",
        )
    samples, peak = sound.samples, sound.peak
    if abs(sound.offset) >= POOR_OFFSET:
        samples -= np.float32(sound.offset)
        peak = float(max(samples.max(), -samples.min())) if peak > 1 else peak
    if peak == 0:
        reporter.warn(
            f"{path} is silent: nothing but zeros in {counted(len(samples), 'sample')}. The face will rest."
        )
    if peak > _OVERSHOOT:
        reporter.warn(f"{path} peaks at {peak:.3g} times full scale; scaled down to 1.")
    if peak > 1:
        samples /= np.float32(peak)
    # The resampler's ringing may exceed full scale slightly.
    np.clip(samples, -1, 1, out=samples)
    return Speech(samples=samples)


def _decode(path: Path, choice: Choice | None) -> Decoded:
    longest_s = 60 * longest_minutes()

    def begin(rate_hz: int, num_channels: int, stated_s: float | None) -> Gathering:
        return Gathering(path, rate_hz, num_channels, longest_s=longest_s, stated_s=stated_s, choice=choice)

    with without_leading_tags(path) as content:
        return read_sndfile(content, begin, name=path) or read_container(content, begin, name=path)


def _check_readable(path: Path) -> None:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path} is a folder; an audio or video file is needed.")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                f"{path} is not a regular file (a pipe or a device).", hint="Write the sound to a file first."
            )
        # Only opening a file shows for certain whether its permissions allow it.
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
    check_file(path)
    if status.st_size == 0:
        raise InputError(
            f"{path} is an empty file (0 bytes).", hint="Was the recording or the copy finished?"
        )
