"""Pictures come whole, upright, in order and at the rate their time stamps say, or not at all."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.video.pictures import Film, open_film, read_pictures
from tests.engine.data.mutations import survives
from tests.engine.video.films import HEIGHT, WIDTH, ffmpeg, index_of, write_film


@pytest.mark.parametrize(
    ("rate", "fps"),
    [
        ("22.13", 22.13),
        ("24000/1001", 24000 / 1001),
        ("30000/1001", 30000 / 1001),
        ("30", 30.0),
        ("60", 60.0),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_odd_rates_are_kept(tmp_path: Path, rate: str, fps: float, suffix: str) -> None:
    film = open_film(write_film(tmp_path / f"a.{suffix}", fps=rate, num_frames=80, sound=False))
    # Matroska rounds to milliseconds; usual rates are recognised all the same.
    assert film.fps == pytest.approx(fps, rel=1e-9 if suffix == "mp4" or rate != "22.13" else 1e-3)
    assert film.num_frames == 80
    assert film.constant


def test_every_picture_once_in_order(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4"))
    pictures = list(read_pictures(film))
    assert [index_of(picture) for picture in pictures] == list(range(25))
    assert {picture.shape for picture in pictures} == {(HEIGHT, WIDTH, 3)}
    assert film.duration_s == pytest.approx(1.0)


def test_a_part_begins_where_it_says(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4")).part(5, 12).part(1, 4)
    assert [index_of(picture) for picture in read_pictures(film)] == [6, 7, 8]
    assert film.sound_late_s == pytest.approx(-6 / 25)


def test_uneven_pictures_are_put_on_an_even_grid_by_their_time_stamps(tmp_path: Path) -> None:
    kept = "select='not(eq(mod(n,7),3)+eq(n,11))'"
    film = open_film(write_film(tmp_path / "a.mp4", "-vf", kept, "-fps_mode", "vfr"))
    assert not film.constant
    assert film.fps == 25
    assert film.rates == pytest.approx((25 / 3, 25.0), rel=1e-3)
    assert film.num_frames == 24
    shown = [index_of(picture) for picture in read_pictures(film)]
    missing = {3, 10, 11, 17}
    assert all(index == shown[index] for index in range(24) if index not in missing)
    assert shown[3] in (2, 4)


def test_turned_pictures_stand_upright_and_pixels_are_square(tmp_path: Path) -> None:
    plain = write_film(tmp_path / "a.mp4", num_frames=3)
    ffmpeg("-display_rotation", 90, "-i", plain, "-c", "copy", tmp_path / "turned.mp4")
    ffmpeg("-i", plain, "-vf", "setsar=2", tmp_path / "wide.mp4")
    assert next(iter(read_pictures(open_film(tmp_path / "turned.mp4")))).shape == (WIDTH, HEIGHT, 3)
    assert next(iter(read_pictures(open_film(tmp_path / "wide.mp4")))).shape == (HEIGHT, 2 * WIDTH, 3)


def test_when_the_sound_begins_is_told(tmp_path: Path) -> None:
    plain = write_film(tmp_path / "a.mkv", "-c:a", "pcm_s16le")
    shifted = tmp_path / "late.mkv"
    ffmpeg("-itsoffset", 0.2, "-i", plain, "-i", plain, "-map", "0:a", "-map", "1:v", "-c", "copy", shifted)
    assert open_film(plain).sound_late_s == pytest.approx(0, abs=0.002)
    assert open_film(shifted).sound_late_s == pytest.approx(0.2, abs=0.002)
    assert open_film(write_film(tmp_path / "mute.mp4", sound=False)).sound_late_s is None


def test_crop_is_for_pictures_that_are_not_square(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4", num_frames=2))
    cropped = _with_crop(film, (10, 4, 20, 30))
    assert next(iter(read_pictures(cropped))).shape == (30, 20, 3)
    square = open_film(write_film(tmp_path / "b.mp4", "-vf", "scale=48:48", num_frames=2))
    assert next(iter(read_pictures(_with_crop(square, (10, 4, 20, 30))))).shape == (48, 48, 3)
    with pytest.raises(InputError, match="not within"):
        next(iter(read_pictures(_with_crop(film, (50, 4, 20, 30)))))


def test_what_is_no_video_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello")
    write_film(tmp_path / "one.mp4", num_frames=1)
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", tmp_path / "sound.m4a")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=32x32:rate=5:duration=2", tmp_path / "slow.mp4")
    for name, problem in {
        "empty.mp4": "empty file",
        "text.mp4": "holds no pictures",
        "one.mp4": "one picture",
        "sound.m4a": "holds no pictures",
        "slow.mp4": "5 pictures a second",
        "nowhere.mp4": "does not exist",
        ".": "a folder",
    }.items():
        with pytest.raises(InputError, match=problem):
            open_film(tmp_path / name)


def test_a_gap_in_time_is_refused(tmp_path: Path) -> None:
    stamps = "setpts='(N+if(gt(N,9),100,0))/25/TB'"
    path = write_film(tmp_path / "a.mkv", "-vf", stamps, "-fps_mode", "vfr", sound=False)
    with pytest.raises(InputError, match=r"no picture for 4\.04 s after 0\.36 s"):
        open_film(path)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "mpg", "flv"])
def test_a_file_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    content = write_film(tmp_path / f"a.{suffix}", "-vf", "noise=alls=60", num_frames=50).read_bytes()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(InputError, match=r"damaged or cut short|holds no pictures"):
        open_film(path)


def test_a_file_that_shrinks_meanwhile_is_refused(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mpg", num_frames=30)
    film = open_film(path)
    write_film(path, num_frames=10)
    with pytest.raises(InputError, match="now gives 10 pictures, but had 3"):
        list(read_pictures(film))


def test_closing_the_pictures_ends_ffmpeg(tmp_path: Path) -> None:
    # More than a pipe holds, so that ffmpeg would wait for ever.
    film = open_film(write_film(tmp_path / "a.mp4", num_frames=100))
    pictures = read_pictures(film)
    next(pictures)
    with contextlib.closing(pictures):
        pass
    children = Path("/proc/self/task").glob("*/children")
    names = [Path(f"/proc/{child}/comm") for file in children for child in file.read_text().split()]
    assert not [name for name in names if name.exists() and "ffmpeg" in name.read_text()]


def test_damaged_videos_are_read_or_refused(tmp_path: Path) -> None:
    content = write_film(tmp_path / "a.mp4", num_frames=6).read_bytes()
    path = tmp_path / "mutant.mp4"

    def read(mutant: bytes) -> tuple[Film, int]:
        path.write_bytes(mutant)
        film = open_film(path)
        return film, sum(1 for _ in read_pictures(film))

    def plausible(values: object) -> bool:
        assert isinstance(values, tuple)
        film, num_read = values
        return bool(num_read == film.num_frames and 10 <= film.fps <= 240 and np.isfinite(film.fps))

    refused = survives(read, content, plausible=plausible, count=100)
    assert 25 < refused < 100


def _with_crop(film: Film, crop: tuple[int, int, int, int]) -> Film:
    """In pixels of pictures 48 high."""
    left, top, width, height = (edge / 48 for edge in crop)
    return replace(film, crop=(left, top, width, height))
