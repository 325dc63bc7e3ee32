"""Uncompressed sound lasts as long as the file when its header does not know, and is refused when cut."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.engine.audio.sounds import RATE_HZ, babble, complaint, read

SECONDS = 0.8
ID3V1 = b"TAG" + b"an error of corruption".ljust(125, b"\0")

# Where a header states the length: the struct format, and what is counted besides the bytes of sound.
PLACEHOLDERS = {
    "<I": [
        0,
        0x7FFF_F000,
        0xFFFF_FFFF,
        0x7FFF_FFFF,
        0x7FFF_FFDB,
        0x8000_0000,
        0xFFFF_FFDB,
        0xFFFF_F000,
        0x7FFF_FFD0,
    ],
    ">I": [0, 0x7FFF_F000, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF0],
    "<Q": [0, 0xFFFF_FFFF_FFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF],
    ">Q": [0xFFFF_FFFF_FFFF_FFFF, 0, 0x7FFF_FFFF_FFFF_FFFF],
}
UNCOMPRESSED = {
    "wav": ("WAV", "<I", b"data", 4, 0),
    "rifx.wav": ("WAV", ">I", b"data", 4, 0),
    "aiff": ("AIFF", ">I", b"SSND", 4, 8),
    "au": ("AU", ">I", b".snd", 8, 0),
    "w64": ("W64", "<Q", bytes.fromhex("64617461f3acd3118cd100c04f8edb8a"), 16, 24),
    "rf64": ("RF64", "<Q", b"ds64", 16, 0),
    "caf": ("CAF", ">Q", b"data", 4, 4),
}


def uncompressed(folder: Path, kind: str, channels: int = 1) -> tuple[Path, bytes, int, str, int]:
    """A file, its content, where it states its length, in which format, and what it counts besides."""
    form, fmt, mark, behind, besides = UNCOMPRESSED[kind]
    path = folder / f"a.{kind}"
    samples = np.stack([babble(SECONDS)] * channels, axis=1)
    endian = "BIG" if kind == "rifx.wav" else "FILE"
    soundfile.write(path, samples, RATE_HZ, format=form, subtype="PCM_16", endian=endian)
    content = path.read_bytes()
    if kind == "rf64" and content[:4] != b"RF64":
        pytest.skip("libsndfile writes short RF64 as RIFF")
    return path, content, content.index(mark) + behind, fmt, besides


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("kind", "stated"),
    [(kind, value) for kind, row in UNCOMPRESSED.items() for value in PLACEHOLDERS[row[1]]],
)
def test_placeholders_mean_to_the_end_of_the_file(
    tmp_path: Path, kind: str, stated: int, channels: int
) -> None:
    path, content, at, fmt, _ = uncompressed(tmp_path, kind, channels)
    size = struct.calcsize(fmt)
    path.write_bytes(content[:at] + struct.pack(fmt, stated) + content[at + size :])
    speech, warnings = read(path)
    assert abs(len(speech.samples) - round(SECONDS * RATE_HZ)) <= 2
    np.testing.assert_allclose(speech.samples[:12_000], babble(SECONDS)[:12_000], atol=1e-4)
    assert warnings == []


@pytest.mark.parametrize("more", [1, 2, 3, 7, 16, 36, 44, 100, 512])
@pytest.mark.parametrize("kind", ["wav", "rifx.wav", "aiff", "au", "w64", "caf"])
def test_a_few_bytes_too_many_are_no_cut(tmp_path: Path, kind: str, more: int) -> None:
    path, content, at, fmt, besides = uncompressed(tmp_path, kind)
    stated = round(SECONDS * RATE_HZ) * 2 + besides + more
    path.write_bytes(content[:at] + struct.pack(fmt, stated) + content[at + struct.calcsize(fmt) :])
    assert len(read(path)[0].samples) == round(SECONDS * RATE_HZ)


@pytest.mark.parametrize(("kind", "first", "fmt"), [("caf", 8, ">Q"), ("w64", 40, "<Q")])
@pytest.mark.parametrize("length", [1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_a_chunk_that_ends_beyond_any_file_is_refused(
    tmp_path: Path, kind: str, first: int, fmt: str, length: int
) -> None:
    path, content, *_ = uncompressed(tmp_path, kind)
    at = first + (4 if kind == "caf" else 16)
    path.write_bytes(content[:at] + struct.pack(fmt, length) + content[at + 8 :])
    assert complaint(path)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.6, 0.9])
@pytest.mark.parametrize("kind", list(UNCOMPRESSED))
def test_cut_uncompressed_sound_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    path, content, *_ = uncompressed(tmp_path, kind)
    path.write_bytes(content[: int(share * len(content))])
    assert f" of {SECONDS:.2f} s can be decoded" in (complaint(path) or "")


def test_sound_behind_the_stated_end_is_read_and_warned_of(tmp_path: Path) -> None:
    path, content, at, fmt, _ = uncompressed(tmp_path, "wav")
    path.write_bytes(content[:at] + struct.pack(fmt, 8000) + content[at + 4 :])
    speech, warnings = read(path)
    assert len(speech.samples) == round(SECONDS * RATE_HZ)
    assert "0.55 s beyond the end" in warnings[0]


@pytest.mark.parametrize(
    "behind", [b"LIST" + struct.pack("<I", 4) + b"INFO", ID3V1, bytes(8000), b"id3 \4\0\0\0abcd"]
)
@pytest.mark.parametrize("odd", [False, True])
def test_what_is_written_behind_sound_is_no_sound(tmp_path: Path, behind: bytes, odd: bool) -> None:
    subtype = "PCM_U8" if odd else "PCM_16"
    soundfile.write(tmp_path / "a.wav", babble(SECONDS)[: -1 if odd else None], RATE_HZ, subtype=subtype)
    with (tmp_path / "a.wav").open("ab") as file:
        file.write(behind)
    speech, warnings = read(tmp_path / "a.wav")
    assert len(speech.samples) == round(SECONDS * RATE_HZ) - odd
    assert warnings == []


CHANCE = np.random.default_rng(2).bytes(40_001)


def wav(samples: np.ndarray, behind: bytes, *, stated: int | None = None, whole: int | None = None) -> bytes:
    """A wav whose samples are of 8 or 16 bits by their type, `behind` them what follows."""
    width = samples.dtype.itemsize
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * width, width, 8 * width)
    sound = samples.tobytes()
    stated = len(sound) if stated is None else stated
    body = b"WAVE" + form + b"data" + struct.pack("<I", stated) + sound + behind
    return b"RIFF" + struct.pack("<I", len(body) if whole is None else whole) + body


def named(name: bytes, content: bytes, *, pad: bool = True) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2 * pad)


WORDS = np.round(babble(SECONDS) * 30_000).astype("<i2")
OCTETS = np.round(babble(SECONDS) * 100 + 128).astype("u1")
TRAILING = {
    "a chunk": named(b"LIST", b"INFO" + CHANCE),
    "an unpadded chunk": named(b"id3 ", CHANCE, pad=False),
    "a chunk of an unknown name": named(b"Zzzz", CHANCE),
    "two chunks": named(b"bext", CHANCE) + named(b"iXML", b"<a/>"),
    "a chunk that is cut": named(b"LIST", CHANCE)[:20_000],
    "a tag": ID3V1,
    "an ape tag": b"APETAGEX" + CHANCE[:3000],
    "an id3v2 tag": b"ID3\3\0\0\0\0\7\7" + CHANCE[:903],
    "xml": b'<?xml version="1.0"?>' + b"<a/>" * 5000,
    "text": b"\xef\xbb\xbf" + b"words that a program left here\r\n" * 900,
}


@pytest.mark.parametrize("behind", list(TRAILING))
@pytest.mark.parametrize("zeros", [0, 1, 2])
@pytest.mark.parametrize("samples", [WORDS, OCTETS, OCTETS[:-1]], ids=["16 bit", "8 bit", "8 bit, odd"])
def test_nothing_behind_the_sound_is_played(
    tmp_path: Path, samples: np.ndarray, behind: str, zeros: int
) -> None:
    if behind == "a chunk of an unknown name":
        zeros = len(samples) % 2
    (tmp_path / "a.wav").write_bytes(wav(samples, bytes(zeros) + TRAILING[behind]))
    speech, warnings = read(tmp_path / "a.wav")
    assert len(speech.samples) == len(samples)
    assert warnings == []


@pytest.mark.parametrize("stated", [0, 0x7FFF_F000, 0xFFFF_FFFF])
@pytest.mark.parametrize(
    "behind",
    [
        named(b"LIST", b"INFO" + CHANCE),
        named(b"LIST", b"INFO" + CHANCE, pad=False),
        named(b"LIST", CHANCE, pad=False) + named(b"id3 ", b"abc"),
        named(b"bext", CHANCE) + ID3V1,
        ID3V1,
    ],
    ids=["padded", "unpadded", "two", "chunk and tag", "tag"],
)
def test_chunks_behind_sound_of_unknown_length_are_not_played(
    tmp_path: Path, behind: bytes, stated: int
) -> None:
    (tmp_path / "a.wav").write_bytes(wav(WORDS, behind, stated=stated, whole=stated))
    speech, warnings = read(tmp_path / "a.wav")
    assert len(speech.samples) == len(WORDS)
    assert warnings == []


@pytest.mark.parametrize("kind", ["aiff", "w64", "caf"])
def test_chunks_of_other_formats_behind_sound_of_unknown_length(tmp_path: Path, kind: str) -> None:
    path, content, at, fmt, _ = uncompressed(tmp_path, kind)
    guid = bytes.fromhex("f3acd3118cd100c04f8edb8a")
    chunk = {
        "aiff": struct.pack(">4sI", b"ANNO", len(CHANCE)) + CHANCE + b"\0",
        "w64": b"bext" + guid + struct.pack("<Q", 24 + len(CHANCE)) + CHANCE + bytes(-(24 + len(CHANCE)) % 8),
        "caf": struct.pack(">4sQ", b"info", len(CHANCE)) + CHANCE,
    }[kind]
    size = struct.calcsize(fmt)
    path.write_bytes(content[:at] + bytes(size) + content[at + size :] + chunk)
    assert abs(len(read(path)[0].samples) - len(WORDS)) <= 4


def test_unknown_bytes_that_no_header_counts_are_told_and_not_played(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(WORDS, b"") + b"\1\2" + CHANCE)
    speech, warnings = read(tmp_path / "a.wav")
    assert len(speech.samples) == len(WORDS)
    assert "40003 bytes behind the end" in warnings[0]


@pytest.mark.parametrize("whole", [0, 0xFFFF_FFFF, None])
def test_sound_that_only_the_whole_file_counts_is_read(tmp_path: Path, whole: int | None) -> None:
    (tmp_path / "a.wav").write_bytes(wav(WORDS, b"", stated=8000, whole=whole))
    speech, warnings = read(tmp_path / "a.wav")
    assert len(speech.samples) == len(WORDS)
    assert "beyond the end" in warnings[0]


@pytest.mark.parametrize("kind", ["wav", "aiff", "w64"])
def test_joined_files_that_only_hold_one_sound_are_refused_in_words(tmp_path: Path, kind: str) -> None:
    soundfile.write(tmp_path / f"a.{kind}", babble(SECONDS), RATE_HZ)
    content = (tmp_path / f"a.{kind}").read_bytes()
    (tmp_path / f"a.{kind}").write_bytes(content * 2)
    assert "several" in (complaint(tmp_path / f"a.{kind}") or "")
