"""Scores of the face that counts, the same ones each time, and nothing on stderr."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from talkcli.engine.face.channels import ARKIT
from talkcli.engine.types import Silent
from talkcli.engine.video.arkit_scores import FaceScorer, _around, _chosen, arkit_scores
from talkcli.engine.video.pictures import open_film, read_pictures
from talkcli.engine.video.track import NUM_LANDMARKS, FaceTrack
from talkcli.engine.video.tracker import follow_face
from tests.engine.video.films import ffmpeg

BLINK, JAW, TONGUE = (ARKIT.index(name) for name in ("eyeBlinkLeft", "jawOpen", "tongueOut"))


@pytest.fixture
def bundle(shared_data: Path) -> Path:
    pytest.importorskip("mediapipe")
    path = shared_data / "models" / "face_landmarker.task"
    if not path.is_file():
        pytest.skip(f"no bundle at {path}")
    return path


@pytest.mark.data
def test_a_blink_and_a_jaw_the_same_way_twice_and_in_silence(
    shared_data: Path, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    film = open_film(shared_data / "video" / "grid" / "bbaf2n.mpg").part(35, 60)
    track = follow_face(film, "only", Silent()).track
    first, second = (arkit_scores(read_pictures(film), bundle, track) for _ in range(2))
    assert first.shape == (25, 52) and first.dtype == np.float32
    assert np.array_equal(first, second)
    assert ((first >= 0) & (first <= 1)).all()
    # The lids go down at the 8th and at the 16th of these pictures.
    assert first[8, BLINK] > 0.6
    assert first[4, BLINK] < 0.2
    assert np.ptp(first[:, JAW]) > 0.2
    assert not first[:, TONGUE].any()
    assert capfd.readouterr() == ("", "")


@pytest.mark.data
def test_the_face_of_the_track_counts(shared_data: Path, bundle: Path, tmp_path: Path) -> None:
    """Two takes side by side: each face has its own scores, and where the track has none there are none."""
    one, other = (shared_data / "video" / "grid" / name for name in ("bbaf2n.mpg", "lwbsza.mpg"))
    part = "trim=start_frame=35:end_frame=45,setpts=PTS-STARTPTS"
    beside = f"[0:v]{part}[a];[1:v]{part}[b];[a][b]hstack"
    ffmpeg("-i", one, "-i", other, "-an", "-filter_complex", beside, "-crf", 8, tmp_path / "two.mp4")
    pair = open_film(tmp_path / "two.mp4")
    alone = open_film(other).part(35, 45)
    track = follow_face(alone, "only", Silent()).track
    expected = arkit_scores(read_pictures(alone), bundle, track)
    moved = track.landmarks + np.array([360, 0, 0], np.float32)
    seen = np.arange(10) != 3
    found = arkit_scores(read_pictures(pair), bundle, replace(track, landmarks=moved, seen=seen))
    assert np.isnan(found[3]).all() and np.isfinite(found[seen]).all()
    assert np.abs(found[seen] - expected[seen]).max() < 0.15
    # A track of nobody: the faces in the picture are not its face.
    nobody = replace(track, landmarks=track.landmarks + np.array([180, 0, 0], np.float32))
    assert np.isnan(arkit_scores(read_pictures(pair), bundle, nobody)).all()


@pytest.mark.data
def test_without_a_track_the_largest_face_counts(shared_data: Path, bundle: Path) -> None:
    film = open_film(shared_data / "video" / "grid" / "bbaf2n.mpg").part(40, 46)
    scores = arkit_scores(read_pictures(film), bundle)
    assert np.ptp(scores[:, BLINK]) > 0.4
    blank = np.zeros((2, 64, 64, 3), np.uint8)
    assert np.isnan(arkit_scores(blank, bundle)).all()
    assert arkit_scores([], bundle).shape == (0, 52)


def face_at(x: float, y: float, size: float = 20.0) -> np.ndarray:
    """Landmarks that fill a square of `size` pixels around a point."""
    spread = np.random.default_rng(0).uniform(-0.5, 0.5, (NUM_LANDMARKS, 3))
    spread[:2] = [[-0.5, -0.5, 0], [0.5, 0.5, 0]]
    return (spread * size + [x, y, 0]).astype(np.float32)


@pytest.mark.parametrize(
    ("x", "y", "shown"),
    [(30, 20, 900), (0, 20, 450), (60, 40, 225), (-40, 20, 0), (30, -90, 0), (130, 20, 0), (30, 400, 0)],
    ids=["inside", "left edge", "corner", "left of it", "above it", "right of it", "below it"],
)
def test_the_square_around_a_face_is_black_outside_the_picture(x: float, y: float, shown: int) -> None:
    picture = np.full((40, 60, 3), 255, np.uint8)
    square, corner = _around(picture, face_at(x, y))
    assert square.shape == (30, 30, 3)
    assert corner.tolist() == [x - 15, y - 15]
    assert (square[..., 0] > 0).sum() == shown


def test_the_face_at_the_landmarks_is_chosen_or_the_largest() -> None:
    picture, corner = np.zeros((100, 200, 3), np.uint8), np.array([10, 5])
    small, large = (
        [SimpleNamespace(x=(px - 10) / 200, y=(py - 5) / 100) for px, py, _ in face.tolist()]
        for face in (face_at(40, 50), face_at(140, 50, 40))
    )
    assert _chosen([], picture, corner, None) is None
    assert _chosen([small, large], picture, corner, None) == 1
    assert _chosen([small, large], picture, corner, face_at(41, 50)) == 0
    assert _chosen([small, large], picture, corner, face_at(90, 50)) is None


def test_too_many_pictures_and_tiny_ones_are_errors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(FaceScorer, "__init__", lambda self, bundle: None)
    monkeypatch.setattr(FaceScorer, "__enter__", lambda self: self)
    monkeypatch.setattr(FaceScorer, "__exit__", lambda *arguments: None)
    one = FaceTrack(
        landmarks=np.full((1, NUM_LANDMARKS, 3), np.nan, np.float32),
        seen=np.zeros(1, bool), confidence=np.zeros(1, np.float32), fps=25.0, width=64, height=64,
    )  # fmt: skip
    pictures = np.zeros((2, 64, 64, 3), np.uint8)
    assert np.isnan(arkit_scores(pictures[:1], tmp_path, one)).all()
    with pytest.raises(ValueError, match="more pictures than the 1 frames"):
        arkit_scores(pictures, tmp_path, one)
    with pytest.raises(ValueError, match="16 pixels"):
        arkit_scores(pictures[:, :8], tmp_path)
