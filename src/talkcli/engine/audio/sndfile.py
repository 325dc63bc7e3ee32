"""Reader of uncompressed sound files and FLAC: libsndfile decodes them.

ffmpeg decodes MP3 and Ogg, because libsndfile guesses their lengths and stops at the end of the first part of
a joined file, and its MP3 decoder writes errors to the terminal.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import soundfile

from talkcli.engine.audio.flac_header import flac_length
from talkcli.engine.audio.gathering import Begin, Decoded
from talkcli.engine.audio.pcm_header import SoundChunk, sound_chunk
from talkcli.engine.errors import InputError
from talkcli.engine.wording import counted

# Samples of each channel that are decoded at a time: few, because a block that fails is lost as a whole.
_BLOCK_SAMPLES = 1 << 12
# Seconds by which complete sound may be shorter than stated: a frame of motion, less than anybody sees.
MOST_MISSING_S = 0.04
# First bytes of files that ffmpeg decodes: a damaged tag before MP3, Ogg, MP3 itself.
_LEFT_TO_FFMPEG = (b"ID3", b"OggS", *(bytes([0xFF, low]) for low in range(0xE0, 0x100)))


def read_sndfile(path: Path, begin: Begin, *, name: Path) -> Decoded | None:
    """Return the sound of a file; None if libsndfile does not know the format or would read only a part.

    Args:
        path: File to read.
        begin: Maker of the object that gathers the sound.
        name: Name of the file in messages.

    Raises:
        InputError: when the file has no samples, or consists of several joined uncompressed files; and what
            `begin` raises.
    """
    with path.open("rb") as raw:
        if raw.read(4).startswith(_LEFT_TO_FFMPEG):
            return None
    flac = flac_length(path)
    if flac is not None and not flac.is_plain:
        return None
    chunk = sound_chunk(path)
    if chunk is not None and chunk.is_followed_by_sound:
        raise _several(name)
    with path.open("rb") as raw:
        raw.seek(0)
        try:
            if chunk is not None and (
                chunk.stated > chunk.available or chunk.uncounted or chunk.is_open_ended
            ):
                source: io.RawIOBase | int = _Overlaid(path, chunk.patches(), chunk.begins + chunk.available)
            else:
                # A descriptor, because soundfile takes a file called *.raw for sound without a header.
                source = raw.fileno()
            file = soundfile.SoundFile(source, closefd=False)
        except soundfile.LibsndfileError:
            return None
        with file:
            if file.subtype.startswith("MPEG"):
                # MP3 in a wav: libsndfile's MP3 decoder writes to the terminal.
                return None
            return _read(name, file, chunk, begin)


def _read(name: Path, file: soundfile.SoundFile, chunk: SoundChunk | None, begin: Begin) -> Decoded:
    """Decode an open file.

    Args:
        name: Name of the file in messages.
        file: File that libsndfile has opened.
        chunk: Place of the sound; None if the format has no known header.
        begin: Maker of the object that gathers the sound.
    """
    gathering = begin(file.samplerate, file.channels, file.frames / file.samplerate)
    failure = None
    try:
        # In blocks, because a header may state any number of samples.
        while len(block := file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)):
            gathering.add(block)
    except soundfile.LibsndfileError as error:
        failure = str(error.error_string)
    num_read = gathering.num_read
    if num_read == 0:
        raise InputError(
            f"{name} is {file.format_info} but holds no samples" + (f" ({failure})." if failure else "."),
            hint="Was the recording or the copy finished?",
        )
    read_s = num_read / file.samplerate
    stated_s = file.frames / file.samplerate
    remark = ""
    if chunk is not None and chunk.available > 0:
        second_bytes = chunk.available / read_s
        if not chunk.is_open_ended:
            stated_s = max(stated_s, chunk.stated / second_bytes)
        uncounted_s = chunk.uncounted / second_bytes
        if uncounted_s > MOST_MISSING_S:
            remark = (
                f"holds {uncounted_s:.2f} s beyond the end that its header states; they are read as sound"
            )
        elif chunk.unread:
            remark = f"holds {counted(chunk.unread, 'byte')} behind the end of its sound, which are not read"
    damage = None
    if failure or stated_s - read_s > MOST_MISSING_S:
        damage = f"{read_s:.2f} of {stated_s:.2f} s can be decoded"
        damage += f" ({failure})" if failure else ""
    return Decoded(sound=gathering.gathered(), damage=damage, remark=remark)


def _several(name: Path) -> InputError:
    return InputError(
        f"{name} holds several sound files, one behind the other; only the first could be read.",
        hint="Join them by: ffmpeg -i a.wav -i b.wav -filter_complex concat=n=2:v=0:a=1 joined.wav",
    )


class _Overlaid(io.RawIOBase):
    """File for libsndfile with replaced bytes and an early end, because libsndfile reads beyond the sound."""

    def __init__(self, path: Path, patches: dict[int, bytes], end: int) -> None:
        """Open `path`; `patches` are the replaced bytes by their position, `end` is the size of the file."""
        self._file = path.open("rb")
        self._patches = patches
        self._end = end

    def readinto(self, buffer: Any) -> int:
        # `buffer` is a buffer of cffi, which is no memoryview.
        start = self._file.tell()
        content = bytearray(self._file.read(min(len(buffer), max(self._end - start, 0))))
        for at, patch in self._patches.items():
            for place, value in enumerate(patch, at - start):
                if 0 <= place < len(content):
                    content[place] = value
        memoryview(buffer)[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        # Damaged headers send libsndfile to impossible positions. An exception inside its callback would only
        # be printed.
        with contextlib.suppress(OSError, ValueError):
            self._file.seek(
                *((self._end + offset, io.SEEK_SET) if whence == io.SEEK_END else (offset, whence))
            )
        return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()
