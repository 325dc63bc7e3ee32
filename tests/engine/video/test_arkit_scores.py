"""Scores of the face that counts, the same ones each time, and nothing on stderr."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.face.channels import ARKIT
from talkcli.engine.types import Silent
from talkcli.engine.video.arkit_scores import arkit_scores
from talkcli.engine.video.pictures import open_film, read_pictures
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
