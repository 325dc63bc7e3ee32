"""Reader of the sound of any container (mp3, ogg, m4a, mp4, webm, ts, ...): the bundled ffmpeg decodes it.

The reader compares the decoded length with the length that the file states. ffmpeg's error messages are no
proof of damage, because they are often about other streams.
"""

from __future__ import annotations

import math
import os
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np

from talkcli.engine.audio.ffmpeg_log import LogFacts, first_error, has_no_sound, log_facts
from talkcli.engine.audio.flac_header import flac_length
from talkcli.engine.audio.gathering import Begin, Decoded, Gathering
from talkcli.engine.audio.ogg_pages import OggLength, ogg_length
from talkcli.engine.audio.packet_times import packet_times
from talkcli.engine.audio.stated_size import stated_parts
from talkcli.engine.audio.tags import extract, spans_without_tags
from talkcli.engine.audio.transport_stream import ends_within_sound
from talkcli.engine.errors import InputError
from talkcli.engine.ffmpeg import reading_command, refused_format
from talkcli.engine.lifetime import start_child, uninterrupted
from talkcli.engine.wording import counted

# Time limit of ffmpeg: seconds, and seconds for each megabyte of the file. It is generous: ffmpeg decodes
# hundreds of times faster than real time, but disks may be slow.
_TIMEOUT_S, _TIMEOUT_S_PER_MB = 120.0, 2.0
# Samples of each channel that are read from ffmpeg at a time.
_BLOCK_SAMPLES = 1 << 14
# Bytes that are kept of the beginning of ffmpeg's log, and of its end.
_LOG_BYTES = 1 << 18
# Seconds by which complete sound may be shorter than stated: stated lengths are rounded. Those of Matroska
# include the samples that encoders insert at the start and ffmpeg removes.
_MOST_MISSING_S, _MOST_MISSING_OF_MATROSKA_S = 0.06, 0.15
# The same for other streams: the last picture states no end, and subtitles need not end with the pictures.
_MOST_MISSING_OF_OTHERS_S = 0.5
# Number and share of blocks that may fail to decode; a damaged file exceeds both. A stream that was recorded
# from its middle on has two such blocks, its first and its last.
_MOST_UNDECODED, _MOST_UNDECODED_SHARE = 2, 0.02
# Conditions on a file whose format ffmpeg detects with a low score only: fewest decoded blocks, and lowest
# share of the file's bytes in the packets of the sound.
_FEWEST_BLOCKS, _LEAST_READ_SHARE = 8, 0.5
# Samples by which the usual encoders delay the sound, by codec, for containers that cannot state this delay.
_DELAYS = {
    "aac": 1024, "aac_latm": 1024, "mp3": 1105, "mp2": 481, "ac3": 256, "eac3": 256, "dts": 512, "opus": 312,
    "amr_nb": 40, "g723_1": 60, "ra_144": 160, "nellymoser": 128, "adpcm_g722": 22,
}  # fmt: skip
# Formats without a container, in whose sound tags can lie (ffmpeg's names).
_BARE_STREAMS = ("mp3", "aac", "loas")
# Containers that state the delay of the encoder, which ffmpeg then removes (ffmpeg's names).
_CONTAINERS_THAT_SAY = ("mov", "matroska", "ogg", "iamf")
# Codecs of Windows Media Audio. ffmpeg's encoder delays the sound by one block, and ffmpeg's decoder removes
# two blocks from the start of such a file.
_WMA = ("wmav1", "wmav2")


def read_container(path: Path, begin: Begin, *, name: Path) -> Decoded:
    """Return the first sound track of a file.

    Args:
        path: File to read.
        begin: Maker of the object that gathers the sound.
        name: Name of the file in messages.

    Raises:
        InputError: when the file has no sound track, is no media file, is of a format that talk does not
            read, or when ffmpeg exceeds its time limit.
    """
    decoder = _Decoder(name, begin)
    pages = ogg_length(path)
    flac = flac_length(path)
    if pages is not None and pages.parts:
        facts = _decode_parts(path, decoder, pages.parts, pages.most_channels)
    elif flac is not None and len(flac.parts) > 1:
        facts = _decode_parts(path, decoder, flac.parts, flac.most_channels)
    else:
        with path.open("rb") as source:
            facts = decoder.decode(source)
    if facts.container in _BARE_STREAMS:
        spans = spans_without_tags(path)
        if spans != [(0, path.stat().st_size)]:
            decoder = _Decoder(name, begin)
            with extract(path, spans) as source:
                facts = decoder.decode(source)
    late_s = _delay(facts) / decoder.gathering.rate_hz
    if facts.codec in _WMA and facts.by_ffmpeg:
        decoder = _Decoder(name, begin)
        with path.open("rb") as source:
            facts = decoder.decode(source, "-flags2", "+skip_manual")
        late_s = _wma_block(decoder.gathering.rate_hz, facts.codec) / decoder.gathering.rate_hz
    seconds = decoder.gathering.num_read / decoder.gathering.rate_hz
    remark = ""
    if facts.num_undecoded:
        blocks = counted(facts.num_undecoded, "block")
        remark = f"has {blocks} of sound that cannot be decoded, of {_blocks(facts)}"
    damage = _damage(path, facts, seconds, pages)
    return Decoded(sound=decoder.gathering.gathered(late_s), damage=damage, remark=remark)


def _decode_parts(path: Path, decoder: _Decoder, parts: Sequence[tuple[int, int]], channels: int) -> LogFacts:
    """Decode byte ranges of a file one by one: ffmpeg stops where codec, rate or channels change.

    The result has the facts of the first part, and the sums of the lengths and of the numbers of blocks.
    """
    facts = None
    for part in parts:
        with extract(path, [part]) as source:
            before = 0 if facts is None else decoder.gathering.num_read
            found = decoder.decode(source, channels=channels)
        if found.stated_s is None:
            found = replace(found, stated_s=(decoder.gathering.num_read - before) / decoder.gathering.rate_hz)
        facts = found if facts is None else _sum(facts, found)
    assert facts is not None
    return facts


def _sum(first: LogFacts, second: LogFacts) -> LogFacts:
    return replace(
        first,
        stated_s=(first.stated_s or 0.0) + (second.stated_s or 0.0),
        num_decoded=first.num_decoded + second.num_decoded,
        num_undecoded=first.num_undecoded + second.num_undecoded,
    )


class _Decoder:
    """Decoder of files one after another; it gathers their sound at the rate and channels of the first."""

    def __init__(self, name: Path, begin: Begin) -> None:
        self._name = name
        self._begin = begin
        self._gathering: Gathering | None = None
        self._shape: tuple[str, ...] = ()

    @property
    def gathering(self) -> Gathering:
        assert self._gathering is not None
        return self._gathering

    def decode(self, source: IO[bytes], *options: str, channels: int | None = None) -> LogFacts:
        """Decode the first sound track of `source` and return what ffmpeg's log says.

        Args:
            source: File, open at its beginning.
            options: Further options of ffmpeg for the input.
            channels: Number of channels of the first file's result; None keeps the file's own number.

        Raises:
            InputError: as for `read_container`.
        """
        shape = self._shape or (() if channels is None else ("-ac", str(channels)))
        command = [
            *reading_command("-nostats", "-v", "level+verbose", *options), "-map", "0:a:0",
            "-map_metadata", "-1", *shape,
            # The header of an AU file is short, states rate and channels, and sets no limit of length.
            "-c:a", "pcm_f32be", "-f", "au", "pipe:1",
        ]  # fmt: skip
        size = os.fstat(source.fileno()).st_size
        with _running(self._name, size, source, command) as (stream, log):
            header = stream.read(24)
            if len(header) == 24:
                _, offset, _, _, rate_hz, num_channels = struct.unpack(">4s5I", header)
                stream.read(offset - 24)
                if self._gathering is None:
                    self._gathering = self._begin(rate_hz, num_channels, None)
                    self._shape = ("-ar", str(rate_hz), "-ac", str(num_channels))
                self._gather(self._gathering, stream, num_channels)
        said = log.text()
        facts = log_facts(said)
        _check_media(self._name, size, said, facts, self._gathering)
        assert facts is not None
        return facts

    @staticmethod
    def _gather(gathering: Gathering, stream: IO[bytes], num_channels: int) -> None:
        while content := stream.read(_BLOCK_SAMPLES * 4 * num_channels):
            whole = len(content) // (4 * num_channels) * num_channels
            block = np.frombuffer(content, ">f4", count=whole).reshape(-1, num_channels)
            gathering.add(block.astype(np.float32))


class _Log:
    """Beginning and end of a process's log; a thread reads the log, so that the process never waits."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._head, self._tail = bytearray(), bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in iter(lambda: self._stream.readline(_LOG_BYTES), b""):
            if len(self._head) < _LOG_BYTES:
                self._head += line
            else:
                self._tail += line
                del self._tail[: max(0, len(self._tail) - _LOG_BYTES)]

    def text(self) -> str:
        self._thread.join()
        return (self._head + self._tail).decode("utf-8", "replace")


@contextmanager
def _running(
    name: Path, size: int, source: IO[bytes], command: list[str]
) -> Iterator[tuple[IO[bytes], _Log]]:
    """Run ffmpeg on `source`, a file of `size` bytes, and yield ffmpeg's output and log.

    Raises InputError when ffmpeg exceeds its time limit.
    """
    timeout_s = _TIMEOUT_S + _TIMEOUT_S_PER_MB * size / 1e6
    late = threading.Event()
    process = None
    try:
        with uninterrupted():
            process = start_child(command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stderr is not None and process.stdout is not None
        log = _Log(process.stderr)
        timer = threading.Timer(timeout_s, _end, (process, late))
        timer.daemon = True
        timer.start()
        try:
            yield process.stdout, log
            process.wait()
        finally:
            timer.cancel()
        if late.is_set():
            raise InputError(f"{name} was not decoded within {timeout_s:.0f} s.")
    finally:
        if process is not None:
            process.kill()
            process.wait()
            assert process.stderr is not None and process.stdout is not None
            process.stdout.close()
            log.text()
            process.stderr.close()


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _check_media(
    path: Path, size: int, said: str, facts: LogFacts | None, gathering: Gathering | None
) -> None:
    """Raise InputError when ffmpeg, whose log is `said`, decoded no sound of a file of `size` bytes."""
    if refused_format(said):
        raise InputError(
            f"{path} is no sound or video itself: it is a list, manifest, script or picture.",
            hint="Give the sound file: lists that name other files, and scripts, are not followed.",
        )
    if has_no_sound(said):
        raise InputError(
            f"{path} holds no sound: there is no sound track in it.",
            hint="Give the speech as an audio file, or a video that was recorded with sound.",
        )
    if facts and gathering and gathering.num_read and not (facts.is_faint and _is_guess(size, facts)):
        return
    error = first_error(said)
    because = f" ({error})" if error and not (facts and facts.is_faint) else ""
    raise InputError(
        f"{path} is not audio or video in any format known here{because}.",
        hint="wav, flac, ogg, mp3, m4a, mp4, webm and mov work; is the file complete?",
    )


def _is_guess(size: int, facts: LogFacts) -> bool:
    """Return whether too little of a file of `size` bytes decodes to trust a format of a low score."""
    return (
        facts.num_decoded < _FEWEST_BLOCKS
        or facts.num_undecoded > _MOST_UNDECODED_SHARE * facts.num_decoded
        or facts.read_bytes < _LEAST_READ_SHARE * size
    )


def _damage(path: Path, facts: LogFacts, seconds: float, pages: OggLength | None) -> str | None:
    """Return a clause about the damage of a file of which `seconds` were decoded; None without damage."""
    parts = stated_parts(path)
    cut_in = None
    if pages is not None and not pages.closed:
        cut_in = "the page that ends the sound is missing"
    elif parts == math.inf:
        cut_in = "the file ends within a fragment"
    elif (
        facts.container.startswith("mpegts") and facts.pid is not None and ends_within_sound(path, facts.pid)
    ):
        cut_in = "the file ends within a block of sound"
    if cut_in:
        return f"{seconds:.2f} s can be decoded, and {cut_in}"
    stated_s = facts.stated_s if pages is None else pages.seconds
    if parts is not None:
        stated_s = max(stated_s or 0.0, seconds * parts)
    if facts.num_undecoded > max(_MOST_UNDECODED, _MOST_UNDECODED_SHARE * _blocks(facts)):
        blocks = counted(_blocks(facts), "block")
        return f"{facts.num_undecoded} of {blocks} of sound cannot be decoded"
    most_missing_s = _MOST_MISSING_OF_MATROSKA_S if "matroska" in facts.container else _MOST_MISSING_S
    if stated_s is None or stated_s - seconds <= most_missing_s:
        return None
    if stated_s == facts.stated_s and _others_last(path, stated_s, seconds, most_missing_s):
        return None
    return f"{seconds:.2f} of {stated_s:.2f} s can be decoded"


def _others_last(path: Path, stated_s: float, seconds: float, most_missing_s: float) -> bool:
    """Return whether the stated length belongs to other streams, and the decoded sound is complete."""
    times = packet_times(path)
    return (
        times is not None
        and seconds >= times.sound_s - most_missing_s
        and times.others_end_s >= stated_s - _MOST_MISSING_OF_OTHERS_S
    )


def _blocks(facts: LogFacts) -> int:
    return facts.num_decoded + facts.num_undecoded


def _delay(facts: LogFacts) -> int:
    """Return the encoder's delay that ffmpeg did not remove, in samples at the file's rate.

    It is 0 in films: their pictures follow the time stamps of the sound, which include the delay.
    """
    told = facts.container.split(",")[0] in _CONTAINERS_THAT_SAY or (
        facts.container == "mp3" and facts.start_s > 0
    )
    return 0 if told or facts.has_pictures else _DELAYS.get(facts.codec, 0)


def _wma_block(rate_hz: int, codec: str) -> int:
    """Return the length in samples of a block of Windows Media Audio: the encoder's delay."""
    if rate_hz <= 16_000:
        return 512
    return 1024 if rate_hz <= 22_050 or (rate_hz <= 32_000 and codec == "wmav1") else 2048
