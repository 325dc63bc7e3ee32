"""Sound is read to its end whatever its header guesses, and is refused when it is cut."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.engine.audio.sounds import babble, complaint, encoded, read

SECONDS = 0.8


@pytest.fixture(scope="module")
def mp3s(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """MP3 files of 0.8 s by name, encoded once."""
    folder = tmp_path_factory.mktemp("mp3")
    bare = ("-write_xing", "0", "-id3v2_version", "0")
    kinds: dict[str, tuple[str, ...]] = {
        "info": (),
        "cbr": bare,
        "vbr": ("-q:a", "4", *bare),
        "vbr_xing": ("-q:a", "4"),
        "abr": ("-abr", "1", "-b:a", "48k", *bare),
        "low": ("-ar", "8000", *bare),
        "mpeg25": ("-ar", "11025", *bare),
        "mpeg2": ("-ar", "24000", *bare),
        "mpeg1": ("-ar", "44100", "-ac", "2", *bare),
        "mpeg1_info": ("-ar", "48000"),
        "tagged": ("-metadata", "title=error corruption misdetection possible", "-write_id3v1", "1"),
        "reservoir": ("-b:a", "24k", *bare),
    }
    return {
        name: encoded(folder, f"{name}.mp3", babble(SECONDS), "-c:a", "libmp3lame", *options).read_bytes()
        for name, options in kinds.items()
    }


def id3v2(size: int) -> bytes:
    """A tag in front, with a picture of `size` bytes that holds what looks like sound."""
    picture = b"\0image/png\0\3\0" + b"\xff\xfb\x90\xc4" * (size // 4)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    length = len(frame)
    return b"ID3\3\0\0" + bytes((length >> shift) & 127 for shift in (21, 14, 7, 0)) + frame


APE = (
    b"APETAGEX"
    + struct.pack("<IIII", 2000, 48, 1, 0xA000_0000)
    + bytes(8)
    + struct.pack("<II", 8, 0)
    + b"title\0"
    b"12345678" + b"APETAGEX" + struct.pack("<IIII", 2000, 48, 1, 0x8000_0000) + bytes(8)
)
ID3V1 = b"TAG" + b"an error of corruption".ljust(125, b"\0")


AROUND = ["cover", "tags_behind", "garbage_in_front", "half_a_frame_behind"]


@pytest.mark.parametrize(
    ("kind", "around"),
    [
        *((kind, "nothing") for kind in ("info", "cbr", "vbr", "vbr_xing", "abr", "low", "mpeg25", "mpeg2")),
        *((kind, "nothing") for kind in ("mpeg1", "mpeg1_info", "tagged", "reservoir")),
        *((kind, around) for kind in ("info", "vbr", "mpeg1") for around in AROUND),
    ],
)
def test_mp3_of_every_kind_is_read_to_its_end(
    tmp_path: Path, mp3s: dict[str, bytes], kind: str, around: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content = mp3s[kind]
    content = {
        "nothing": content,
        "cover": id3v2(3000) + content,
        "tags_behind": content + APE + ID3V1,
        "garbage_in_front": b"\0\1ICY metadata \xff\xf0" * 40 + content,
        "half_a_frame_behind": content + content[-400:-350],
    }[around]
    (tmp_path / "a.mp3").write_bytes(content)
    speech, _ = read(tmp_path / "a.mp3")
    # What encoders add around the sound is at most three blocks of the lowest rate.
    assert SECONDS - 0.01 <= speech.duration_s < SECONDS + 3 * 0.072
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("first", "second", "between"),
    [
        *((first, "info", b"") for first in ("info", "cbr", "vbr", "vbr_xing", "tagged")),
        ("info", "cbr", b""),
        ("cbr", "vbr_xing", b""),
        *((first, "vbr_xing", id3v2(2000)) for first in ("info", "cbr", "vbr")),
        *((first, "info", ID3V1 + APE) for first in ("vbr_xing", "tagged")),
    ],
)
def test_joined_mp3_loses_nothing(
    tmp_path: Path, mp3s: dict[str, bytes], first: str, second: str, between: bytes
) -> None:
    (tmp_path / "a.mp3").write_bytes(mp3s[first] + between + mp3s[second])
    speech, _ = read(tmp_path / "a.mp3")
    assert 2 * SECONDS - 0.04 <= speech.duration_s < 2 * SECONDS + 0.25
    # Both parts are heard.
    for half in np.array_split(speech.samples, 2):
        assert np.sqrt(np.mean(half**2)) > 0.03


@pytest.mark.parametrize(
    ("kind", "share"),
    [("info", 0.5), ("info", 0.8), ("vbr_xing", 0.6), ("mpeg1_info", 0.6), ("tagged", 0.8)],
)
def test_cut_mp3_that_states_its_length_is_refused(
    tmp_path: Path, mp3s: dict[str, bytes], kind: str, share: float
) -> None:
    content = mp3s[kind]
    (tmp_path / "a.mp3").write_bytes(content[: int(share * len(content))])
    assert "damaged or cut short" in (complaint(tmp_path / "a.mp3") or "")


@pytest.mark.parametrize("kind", ["cbr", "vbr", "mpeg25"])
def test_cut_mp3_without_a_length_is_sound_all_the_same(
    tmp_path: Path, mp3s: dict[str, bytes], kind: str
) -> None:
    content = mp3s[kind]
    (tmp_path / "a.mp3").write_bytes(content[: int(0.6 * len(content))])
    assert 0.4 < read(tmp_path / "a.mp3")[0].duration_s < 0.75


@pytest.fixture(scope="module")
def oggs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Ogg files of 0.8 s by name. Pages are short, as those of longer files are against the file."""
    folder = tmp_path_factory.mktemp("ogg")
    short = ("-page_duration", "100000")
    kinds = {
        "vorbis": ("-c:a", "libvorbis"),
        "vorbis_44k": ("-c:a", "libvorbis", "-ar", "44100", "-ac", "2"),
        "vorbis_8k": ("-c:a", "libvorbis", "-ar", "8000"),
        "opus": ("-c:a", "libopus"),
        "opus_stereo": ("-c:a", "libopus", "-ac", "2"),
        "opus_40ms": ("-c:a", "libopus", "-frame_duration", "40"),
        "flac": ("-c:a", "flac", "-frame_size", "1000"),
    }
    return {
        name: encoded(folder, f"{name}.ogg", babble(SECONDS), *options, *short).read_bytes()
        for name, options in kinds.items()
    }


OGG_KINDS = ["vorbis", "vorbis_44k", "vorbis_8k", "opus", "opus_stereo", "opus_40ms", "flac"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *((kind, kind) for kind in OGG_KINDS[:6]),
        ("vorbis", "vorbis_44k"),
        ("vorbis_44k", "vorbis"),
        ("vorbis_8k", "vorbis_44k"),
        ("opus", "opus_stereo"),
        ("opus_stereo", "opus_40ms"),
        ("flac", "flac"),
        ("vorbis", "opus"),
        ("opus", "vorbis"),
        ("flac", "vorbis_44k"),
        ("opus_stereo", "flac"),
    ],
)
def test_chained_ogg_loses_nothing(tmp_path: Path, oggs: dict[str, bytes], first: str, second: str) -> None:
    parts = 2 if first == second else 3
    (tmp_path / "a.ogg").write_bytes(b"".join([oggs[first], oggs[second], oggs[first]][:parts]))
    speech, _ = read(tmp_path / "a.ogg")
    assert speech.duration_s == pytest.approx(parts * SECONDS, abs=0.06 * parts)
    for part in np.array_split(speech.samples, parts):
        assert np.sqrt(np.mean(part**2)) > 0.03


@pytest.mark.parametrize("kind", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("parts", [2, 3])
def test_a_short_ogg_joined_with_itself_loses_nothing(tmp_path: Path, kind: str, parts: int) -> None:
    """All of it lies on one page, and every part has the same serial number."""
    soundfile.write(tmp_path / "a.ogg", babble(0.64), 16_000, format="OGG", subtype=kind)
    (tmp_path / "a.ogg").write_bytes((tmp_path / "a.ogg").read_bytes() * parts)
    speech, _ = read(tmp_path / "a.ogg")
    assert speech.duration_s == pytest.approx(parts * 0.64, abs=0.02 * parts)


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        *((kind, "a page") for kind in OGG_KINDS),
        *((kind, share) for kind in ("vorbis", "opus", "flac") for share in (0.5, 0.8)),
    ],
)
def test_cut_ogg_is_refused(tmp_path: Path, oggs: dict[str, bytes], kind: str, share: float | str) -> None:
    content = oggs[kind]
    end = content.rindex(b"OggS") if share == "a page" else int(float(share) * len(content))
    (tmp_path / "a.ogg").write_bytes(content[:end])
    assert complaint(tmp_path / "a.ogg")


@pytest.mark.parametrize("kind", ["vorbis", "opus", "flac"])
def test_ogg_that_lacks_a_page_within_is_refused(tmp_path: Path, oggs: dict[str, bytes], kind: str) -> None:
    pages = oggs[kind].split(b"OggS")
    (tmp_path / "a.ogg").write_bytes(b"OggS".join([*pages[:5], *pages[7:]]))
    assert "damaged or cut short" in (complaint(tmp_path / "a.ogg") or "")


@pytest.fixture(scope="module")
def flac(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return encoded(
        tmp_path_factory.mktemp("flac"), "a.flac", babble(SECONDS), "-frame_size", "1152"
    ).read_bytes()


def counting(content: bytes, samples: int) -> bytes:
    """A FLAC file whose header states `samples`."""
    info = int.from_bytes(content[18:26], "big")
    return content[:18] + (info >> 36 << 36 | samples).to_bytes(8, "big") + content[26:]


@pytest.mark.parametrize("stated", [0, 1, 5000, (1 << 36) - 1, 1 << 34])
def test_flac_of_a_wrong_length_is_read_to_its_end(tmp_path: Path, flac: bytes, stated: int) -> None:
    (tmp_path / "a.flac").write_bytes(counting(flac, stated))
    np.testing.assert_allclose(read(tmp_path / "a.flac")[0].samples, babble(SECONDS), atol=1e-4)


@pytest.mark.parametrize(("stated", "share"), [(12_800, 0.3), (12_800, 0.9), (100_000, 0.6)])
def test_cut_flac_is_refused(tmp_path: Path, flac: bytes, share: float, stated: int) -> None:
    (tmp_path / "a.flac").write_bytes(counting(flac, stated)[: int(share * len(flac))])
    assert "cut short" in (complaint(tmp_path / "a.flac") or "")


@pytest.fixture(scope="module")
def flacs(tmp_path_factory: pytest.TempPathFactory, flac: bytes) -> dict[str, bytes]:
    """FLAC files of 0.8 s: with a comment behind the header, without, and of another rate and channels."""
    folder = tmp_path_factory.mktemp("flacs")
    return {
        "usual": flac,
        "bare": flac[:4] + b"\x80" + flac[5:42] + flac[flac.index(b"\xff\xf8") :],
        "wide": encoded(folder, "wide.flac", babble(SECONDS), "-ar", "44100", "-ac", "2").read_bytes(),
        "open": counting(flac, 0),
    }


FLAC_PAIRS = [
    ("usual", "usual"), ("bare", "bare"), ("usual", "bare"), ("bare", "wide"), ("wide", "usual"),
    ("open", "usual"), ("usual", "open"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), FLAC_PAIRS)
def test_joined_flac_loses_nothing(tmp_path: Path, flacs: dict[str, bytes], first: str, second: str) -> None:
    (tmp_path / "a.flac").write_bytes(flacs[first] + flacs[second])
    speech, warnings = read(tmp_path / "a.flac")
    assert speech.duration_s == pytest.approx(2 * SECONDS, abs=0.001)
    for half in np.array_split(speech.samples, 2):
        assert np.corrcoef(half, babble(SECONDS))[0, 1] > 0.98
    assert warnings == []


@pytest.mark.parametrize(("first", "second"), FLAC_PAIRS[:5])
@pytest.mark.parametrize("is_second", [False, True])
def test_joined_flac_of_which_one_is_cut_is_refused(
    tmp_path: Path, flacs: dict[str, bytes], first: str, second: str, is_second: bool
) -> None:
    parts = [flacs[first], flacs[second]]
    parts[is_second] = parts[is_second][: len(parts[is_second]) * 6 // 10]
    (tmp_path / "a.flac").write_bytes(b"".join(parts))
    assert "cut short" in (complaint(tmp_path / "a.flac") or "")


CONTAINERS: dict[str, tuple[str, ...]] = {
    "a.m4a": ("-movflags", "+faststart"),
    "alac.m4a": ("-c:a", "alac", "-movflags", "+faststart"),
    "a.mov": ("-c:a", "pcm_s16le", "-movflags", "+faststart"),
    "a.3gp": ("-ar", "8000", "-movflags", "+faststart"),
    "fragments.mp4": ("-movflags", "frag_keyframe+empty_moov", "-frag_duration", "200000"),
    "a.webm": (),
    "a.mka": ("-c:a", "aac"),
    "a.wma": (),
    "a.avi": (),
    "a.wv": (),
    "a.ts": (),
    "aac.ts": ("-c:a", "aac"),
    "a.m2ts": ("-f", "mpegts", "-mpegts_m2ts_mode", "1"),
    "a.caf": (),
    "adpcm.wav": ("-c:a", "adpcm_ms"),
    "mp3.wav": ("-c:a", "libmp3lame"),
    "alaw.wav": ("-c:a", "pcm_alaw"),
    "a.flv": ("-ar", "22050"),
}


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("containers")
    return {
        name: encoded(folder, name, babble(SECONDS), *options).read_bytes()
        for name, options in CONTAINERS.items()
    }


@pytest.mark.parametrize("name", list(CONTAINERS))
def test_containers_are_read_whole_and_refused_when_cut(
    tmp_path: Path, containers: dict[str, bytes], name: str
) -> None:
    content = containers[name]
    (tmp_path / name).write_bytes(content)
    speech, warnings = read(tmp_path / name)
    assert SECONDS - 0.005 <= speech.duration_s < SECONDS + 0.15
    assert warnings == []
    (tmp_path / name).write_bytes(content[: int(0.6 * len(content))])
    assert complaint(tmp_path / name)


@pytest.mark.parametrize("packets", (4, 6, 7))
def test_transport_streams_cut_between_packets_are_refused(
    tmp_path: Path, containers: dict[str, bytes], packets: int
) -> None:
    content = containers["aac.ts"]
    whole = len(content) // 188
    (tmp_path / "a.ts").write_bytes(content[: 188 * (whole * packets // 12)])
    assert "within a block" in (complaint(tmp_path / "a.ts") or "")
