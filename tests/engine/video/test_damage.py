"""A film is judged by its own pictures: not by titles, other tracks or what a cut left undecodable."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.video.pictures import open_film, read_pictures
from talkcli.engine.video.track_length import mp4_picture_length_s
from tests.engine.video.films import HEIGHT, WIDTH, ffmpeg, write_film

_WORDS = [
    "corruption", "corrupt decoded frame", "[error] damaged", "fatal", "moov atom not found",
    "Invalid data found", "No space left on device", "Format not on whitelist", "misdetection possible",
    "Duration: 09:09:09.00, start", "[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [warning] corrupt decoded frame",
    "x\n[vist#0:0/h264 @ 0x1] [warning] corrupt decoded frame", "Estimating duration from bitrate",
]  # fmt: skip


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds in every container, key frames a second apart."""
    folder = tmp_path_factory.mktemp("films")
    write_film(folder / "whole.mp4", "-g", 25, "-bf", 2, num_frames=100)
    for suffix in ("mkv", "mov", "ts", "flv"):
        ffmpeg("-i", folder / "whole.mp4", "-c", "copy", folder / f"whole.{suffix}")
    ffmpeg("-i", folder / "whole.mp4", "-c", "copy", "-movflags", "faststart", folder / "fast.mp4")
    return folder


@pytest.mark.parametrize("words", _WORDS)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_titles_and_names_are_no_verdict(films: Path, tmp_path: Path, words: str, suffix: str) -> None:
    path = tmp_path / f"{words.replace('/', '-').replace(chr(10), ' ')}.{suffix}"
    metadata = [f"-metadata{at}" for at in ("", ":s:v:0", ":s:a:0")]
    tags = [part for name in metadata for key in ("title", "comment") for part in (name, f"{key}={words}")]
    ffmpeg("-i", films / f"whole.{suffix}", "-c", "copy", *tags, path)
    assert open_film(path).num_frames == 100


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("track", ["subtitle", "second sound", "second film", "chapters"])
def test_other_tracks_may_go_on(films: Path, tmp_path: Path, track: str, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    whole = ["-i", films / f"whole.{suffix}"]
    if track == "subtitle":
        (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:30,000\nhello\n")
        codec = "srt" if suffix == "mkv" else "mov_text"
        more = ["-i", tmp_path / "a.srt", "-map", "0", "-map", "1", "-c", "copy", "-c:s", codec]
    elif track == "chapters":
        times = "[CHAPTER]\nTIMEBASE=1/1\nSTART={}\nEND={}\ntitle=corrupt\n"
        (tmp_path / "a.meta").write_text(";FFMETADATA1\n" + times.format(0, 20) + times.format(20, 40))
        more = ["-i", tmp_path / "a.meta", "-map", "0", "-map_chapters", "1", "-c", "copy"]
    elif track == "second sound":
        tone = ["-f", "lavfi", "-i", "sine=frequency=200:duration=20"]
        more = [*tone, "-map", "0", "-map", "1", "-c:v", "copy"]
    else:
        bars = ["-f", "lavfi", "-i", f"testsrc=size={WIDTH}x{HEIGHT}:rate=5:duration=20"]
        more = [*bars, "-map", "0:V", "-map", "1", "-map", "0:a", "-c", "copy", "-c:v:1", "mpeg4"]
    ffmpeg(*whole, *more, path)
    assert open_film(path).num_frames == 100


@pytest.mark.parametrize("start_s", [0.3, 0.52, 1.1, 1.48, 2.0, 2.9])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts", "flv"])
def test_cuts_without_encoding_are_whole(films: Path, tmp_path: Path, suffix: str, start_s: float) -> None:
    path = tmp_path / f"cut.{suffix}"
    ffmpeg("-ss", start_s, "-i", films / f"whole.{suffix}", "-t", "1.0", "-c", "copy", path)
    # What lies before the first key frame of a stream cannot be seen.
    assert (8 if suffix == "ts" else 20) <= open_film(path).num_frames <= 60


@pytest.mark.parametrize("share", [0.15, 0.3, 0.45, 0.6])
def test_a_stream_joined_midway_begins_where_its_pictures_do(
    films: Path, tmp_path: Path, share: float
) -> None:
    whole = (films / "whole.ts").read_bytes()
    (tmp_path / "mid.ts").write_bytes(whole[round(len(whole) * share) // 188 * 188 :])
    film = open_film(tmp_path / "mid.ts")
    assert 20 <= film.num_frames < 100
    assert film.constant


@pytest.mark.parametrize("share", [0.35, 0.5, 0.6, 0.75])
@pytest.mark.parametrize("name", ["fast.mp4", "whole.mkv", "whole.flv"])
def test_what_is_cut_off_is_missed(films: Path, tmp_path: Path, name: str, share: float) -> None:
    whole = (films / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: round(len(whole) * share)])
    with pytest.raises(InputError, match=r"cut short: \d+ pictures can be decoded|holds no pictures"):
        open_film(path)


def test_cut_off_in_spite_of_a_longer_track(films: Path, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:30,000\nhello\n")
    path = tmp_path / "a.mp4"
    ffmpeg(
        "-i", films / "whole.mp4", "-i", tmp_path / "a.srt", "-map", 0, "-map", 1, "-c", "copy", "-c:s",
        "mov_text", "-movflags", "faststart", path,
    )  # fmt: skip
    assert mp4_picture_length_s(path) == pytest.approx(4.0, abs=0.05)
    whole = path.read_bytes()
    path.write_bytes(whole[: round(len(whole) * 0.6)])
    with pytest.raises(InputError, match=r"of 4\.00 s"):
        open_film(path)


def test_broken_pictures_are_counted(films: Path, tmp_path: Path) -> None:
    # Noise at several places: some decoders conceal some of it, all pictures of all variants cannot be whole.
    whole = (films / "fast.mp4").read_bytes()
    refused = 0
    for at in range(3, 8):
        broken = bytearray(whole)
        middle = len(whole) * at // 10
        broken[middle : middle + 400] = bytes(range(200)) * 2
        (tmp_path / "a.mp4").write_bytes(broken)
        try:
            open_film(tmp_path / "a.mp4")
        except InputError as error:
            refused += 1
            assert len(error.problem) < 600
    assert refused >= 4


@pytest.mark.parametrize("aspect", ["800/1", "1/800", "100/1", "20/1", "1/30"])
def test_pixels_of_absurd_shape_are_refused(films: Path, tmp_path: Path, aspect: str) -> None:
    path = tmp_path / "odd.mp4"
    ffmpeg("-i", films / "whole.mp4", "-an", "-vf", "setsar=4/3", "-c:v", "mpeg4", path)
    # The box pasp has the two numbers; encoders refuse to write such ones.
    wide, high = (int(number).to_bytes(4, "big") for number in aspect.split("/"))
    whole = path.read_bytes()
    place = whole.index(b"pasp") + 4
    path.write_bytes(whole[:place] + wide + high + whole[place + 8 :])
    with pytest.raises(InputError, match="which no camera takes"):
        next(read_pictures(open_film(path)))


@pytest.mark.parametrize("aspect", ["1/1", "12/11", "4/3", "2/1", "1/2"])
def test_pixels_of_usual_shapes_become_square(films: Path, tmp_path: Path, aspect: str) -> None:
    path = tmp_path / "wide.mp4"
    ffmpeg("-i", films / "whole.mp4", "-an", "-vf", f"setsar={aspect}", path)
    width, height = map(int, aspect.split("/"))
    assert next(read_pictures(open_film(path))).shape[1] == round(WIDTH * width / height)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\0" * 64, b"\0\0\0\x08moov", b"\0\0\0\1moov" + b"\xff" * 8, b"\xff" * 64,
        b"\0\0\0\x10moov\0\0\0\x04trak", b"\0\0\0\1free" + b"\xff" * 8, b"\0\0\0\x07moov" * 9,
    ],
)  # fmt: skip
def test_no_length_where_there_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    assert mp4_picture_length_s(tmp_path / "a.mp4") is None
