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


@pytest.mark.parametrize("kind", ["wav", "aiff", "w64"])
def test_joined_files_that_only_hold_one_sound_are_refused_in_words(tmp_path: Path, kind: str) -> None:
    soundfile.write(tmp_path / f"a.{kind}", babble(SECONDS), RATE_HZ)
    content = (tmp_path / f"a.{kind}").read_bytes()
    (tmp_path / f"a.{kind}").write_bytes(content * 2)
    assert "several" in (complaint(tmp_path / f"a.{kind}") or "")
