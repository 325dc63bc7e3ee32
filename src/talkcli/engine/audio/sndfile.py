"""Sound files that libsndfile reads: uncompressed ones and FLAC.

MP3 and Ogg are left to ffmpeg: for these libsndfile guesses lengths, stops at the end of the first part of a
joined file, and its MP3 decoder writes its complaints to the terminal.
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

# Small, since a block that fails to decode is lost whole.
_BLOCK_SAMPLES = 1 << 12
# Less than a frame of motion is no loss that anybody can see.
MOST_MISSING_S = 0.04
# A damaged tag in front of MP3, MP3 itself, Ogg.
_LEFT_TO_FFMPEG = (b"ID3", b"OggS", *(bytes([0xFF, low]) for low in range(0xE0, 0x100)))


def read_sndfile(path: Path, begin: Begin, *, name: Path) -> Decoded | None:
    """Return the sound of `path`, None when libsndfile does not know the format or reads only a part of it.
    Messages call the file `name`.

    Raises InputError when there are no samples, or when several files follow each other in one.
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
                # By descriptor: a name would make soundfile take *.raw for headerless sound.
                source = raw.fileno()
            file = soundfile.SoundFile(source, closefd=False)
        except soundfile.LibsndfileError:
            return None
        with file:
            if file.subtype.startswith("MPEG"):
                # MP3 in a wav: its decoder is the one that writes to the terminal.
                return None
            return _read(name, file, chunk, begin)


def _read(name: Path, file: soundfile.SoundFile, chunk: SoundChunk | None, begin: Begin) -> Decoded:
    gathering = begin(file.samplerate, file.channels, file.frames / file.samplerate)
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
    """A file with some of its bytes replaced, that ends at byte `end`: libsndfile reads what is behind it."""

    def __init__(self, path: Path, patches: dict[int, bytes], end: int) -> None:
        self._file = path.open("rb")
        self._patches = patches
        self._end = end

    def readinto(self, buffer: Any) -> int:
        # A buffer of cffi, which is no memoryview.
        start = self._file.tell()
        content = bytearray(self._file.read(min(len(buffer), max(self._end - start, 0))))
        for at, patch in self._patches.items():
            for place, value in enumerate(patch, at - start):
                if 0 <= place < len(content):
                    content[place] = value
        memoryview(buffer)[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        # libsndfile goes where damaged headers point; an exception in its call would only be printed.
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
