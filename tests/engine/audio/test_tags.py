"""Tags of any size around and between sound are neither sound nor a reason to refuse it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.engine.audio.sounds import RATE_HZ, babble, complaint, encoded, read

SECONDS = 0.8
CHANCE = np.random.default_rng(0)


def id3v2(size: int, *, padding: int = 0) -> bytes:
    """A tag of `size` bytes of picture and `padding` zeros within it."""
    picture = b"\0image/png\0\3\0" + CHANCE.bytes(size)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture + bytes(padding)
    return b"ID3\3\0\0" + bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0)) + frame


def ape(size: int) -> bytes:
    def end(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2000, size + 32, 1, flags) + bytes(8)

    return end(0xA000_0000) + CHANCE.bytes(size) + end(0x8000_0000)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Sound of 0.8 s by format, without any tag."""
    folder = tmp_path_factory.mktemp("bare")
    plain = ("-id3v2_version", "0", "-write_xing", "0")
    soundfile.write(folder / "a.wav", babble(SECONDS), RATE_HZ)
    soundfile.write(folder / "a.aiff", babble(SECONDS), RATE_HZ)
    soundfile.write(folder / "a.flac", babble(SECONDS), RATE_HZ)
    encoded(folder, "a.mp3", babble(SECONDS), *plain)
    encoded(folder, "a.mp2", babble(SECONDS))
    encoded(folder, "a.aac", babble(SECONDS))
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir() if path.stem == "a"}


IN_FRONT = {
    "small": id3v2(100),
    "padded": id3v2(100, padding=5000),
    "300 kB": id3v2(300_000),
    "1 MB": id3v2(1_000_000),
    "1 MB of zeros": id3v2(10, padding=1_000_000),
    "zeros behind": id3v2(2000) + bytes(500),
    "two": id3v2(2000) + id3v2(300_000) + bytes(2),
    "ape": ape(40_000),
}


@pytest.mark.parametrize(
    ("kind", "tag"),
    [
        *(("mp3", tag) for tag in IN_FRONT),
        *((kind, tag) for kind in ("aac", "mp2", "wav", "flac", "aiff") for tag in ("small", "1 MB")),
        ("wav", "two"),
    ],
)
def test_tags_in_front(tmp_path: Path, bare: dict[str, bytes], kind: str, tag: str) -> None:
    (tmp_path / "a").write_bytes(bare[kind])
    expected = read(tmp_path / "a")[0].samples
    (tmp_path / "a").write_bytes(IN_FRONT[tag] + bare[kind])
    speech, warnings = read(tmp_path / "a")
    np.testing.assert_array_equal(speech.samples, expected)
    assert warnings == []


@pytest.mark.parametrize("kind", ["wav", "flac", "aiff"])
def test_cut_sound_behind_a_tag_is_refused_by_its_own_name(
    tmp_path: Path, bare: dict[str, bytes], kind: str
) -> None:
    (tmp_path / "a").write_bytes(id3v2(3000) + bare[kind][: len(bare[kind]) * 6 // 10])
    assert (complaint(tmp_path / "a") or "").startswith(f"{tmp_path / 'a'} is damaged or cut short")


@pytest.mark.parametrize("kind", ["mp3", "aac"])
@pytest.mark.parametrize("tag", [id3v2(1_000_000), ape(1_000_000), id3v2(300_000) + bytes(5000)])
def test_tags_behind(tmp_path: Path, bare: dict[str, bytes], kind: str, tag: bytes) -> None:
    (tmp_path / "a").write_bytes(bare[kind] + tag)
    speech, warnings = read(tmp_path / "a")
    assert SECONDS - 0.01 <= speech.duration_s < SECONDS + 0.22
    assert warnings == []


@pytest.mark.parametrize(
    ("kind", "between"),
    [
        ("mp3", id3v2(290_000)),
        ("mp3", id3v2(290_000) + bytes(500)),
        ("mp3", id3v2(290_000, padding=3000)),
        ("mp3", ape(290_000)),
        ("mp3", ape(2000) + id3v2(290_000) + bytes(1)),
        ("mp2", id3v2(290_000) + bytes(500)),
        ("aac", id3v2(290_000) + bytes(500)),
    ],
)
def test_tags_between(tmp_path: Path, bare: dict[str, bytes], kind: str, between: bytes) -> None:
    (tmp_path / "a").write_bytes(id3v2(2000) + bare[kind] + between + bare[kind])
    speech, warnings = read(tmp_path / "a")
    assert 2 * SECONDS - 0.04 <= speech.duration_s < 2 * SECONDS + 0.25
    # Both parts are heard, and no noise.
    for half in np.array_split(speech.samples, 2):
        assert np.sqrt(np.mean(half**2)) == pytest.approx(np.sqrt(np.mean(babble(SECONDS) ** 2)), rel=0.2)
    assert warnings == []


@pytest.mark.parametrize("size", [b"\x7f\x7f\x7f\x7f", b"\0\7\x7f\x7f", b"\xff\0\0\0"])
def test_three_letters_within_sound_are_no_tag(tmp_path: Path, bare: dict[str, bytes], size: bytes) -> None:
    middle = len(bare["mp3"]) // 2
    (tmp_path / "a.mp3").write_bytes(
        bare["mp3"][:middle] + b"ID3\3\0\0" + size + bare["mp3"][middle:] + CHANCE.bytes(100)
    )
    assert read(tmp_path / "a.mp3")[0].duration_s >= SECONDS - 0.1


def test_a_tag_within_a_film_is_no_gap(tmp_path: Path) -> None:
    path = encoded(tmp_path, "a.m4a", babble(SECONDS))
    expected = read(path)[0].samples
    with path.open("ab") as file:
        tag = id3v2(3000)
        file.write(struct.pack(">I", len(tag) + 8) + b"free" + tag)
    np.testing.assert_array_equal(read(path)[0].samples, expected)
