"""Which face a video is about, where its cuts are, and what of it can be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from talkcli.engine.errors import InputError
from talkcli.engine.face.heads import load_head
from talkcli.engine.render.software import SoftwareRenderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.types import Silent
from talkcli.engine.video import tracker
from talkcli.engine.video.mesh import FaceMesh, Sighting, confirmed
from talkcli.engine.video.pictures import Film, open_film
from talkcli.engine.video.stretch import profile_spans, usable
from talkcli.engine.video.track import FaceTrack
from talkcli.engine.video.tracker import FaceChoice, Followed, follow_face, yaw_degrees
from tests.engine.video.films import ffmpeg

WIDTH, HEIGHT, FPS = 320, 240, 25.0
Face = tuple[float, float, float]


def sighting(face: Face, confidence: float = 0.9) -> Sighting:
    """A face with its middle at (x, y), of a width."""
    x, y, size = face
    angles = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    around = np.stack([np.cos(angles), np.sin(angles), np.zeros(478)], axis=1)
    return Sighting(landmarks=(around * size / 2 + [x, y, 0]).astype(np.float32), confidence=confidence)


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Follow the face of a script: for each picture its brightness and the faces in it."""

    def run(script: list[tuple[int, list[Face]]], choice: FaceChoice = "only") -> Followed:
        seen = iter(script)

        class Scripted:
            def __enter__(self) -> Scripted:
                return self

            def __exit__(self, *_: object) -> None:
                pass

            def sightings(self, picture: np.ndarray) -> list[Sighting]:
                return [sighting(face) for face in next(seen)[1]]

        def pictures(film: Film):  # type: ignore[no-untyped-def]
            return (np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level, _ in script)

        monkeypatch.setattr(tracker, "FaceMesh", Scripted)
        monkeypatch.setattr(tracker, "read_pictures", pictures)
        film = Film(
            path=Path("a.mp4"),
            fps=FPS,
            num_frames=len(script),
            constant=True,
            rates=(FPS, FPS),
            sound_late_s=0.0,
        )
        return follow_face(film, choice, Silent())

    return run


def middles(track: FaceTrack) -> list[float | None]:
    """The middle of the face from left to right, None where it is not seen."""
    return [
        round(float(face[:, 0].mean())) if seen else None
        for face, seen in zip(track.landmarks, track.seen, strict=True)
    ]


A, B = (100.0, 120.0, 80.0), (250.0, 120.0, 80.0)


def test_one_face_is_followed_with_gaps_left_open(follow) -> None:  # type: ignore[no-untyped-def]
    found = follow([(90, [(100.0 + i, 120.0, 80.0)] if i != 3 else []) for i in range(6)])
    assert middles(found.track) == [100, 101, 102, None, 104, 105]
    assert found.track.confidence.tolist() == pytest.approx([0.9, 0.9, 0.9, 0, 0.9, 0.9])
    assert np.isnan(found.track.landmarks[3]).all()
    assert found.num_others == 0
    assert (found.track.fps, found.track.width, found.track.height) == (FPS, WIDTH, HEIGHT)


def test_faces_keep_their_identity_whatever_the_order(follow) -> None:  # type: ignore[no-untyped-def]
    small = (250.0, 120.0, 30.0)
    found = follow([(90, [A, small] if i % 2 else [small, A]) for i in range(8)])
    assert set(middles(found.track)) == {100}
    assert found.num_others == 1


def test_two_faces_of_equal_weight_are_refused_unless_one_is_asked_for(follow) -> None:  # type: ignore[no-untyped-def]
    larger = (250.0, 120.0, 100.0)
    script = [(90, [A, larger])] * 10
    with pytest.raises(
        InputError, match=r"more than one face of equal weight between 0\.00 and 0\.40 s"
    ) as error:
        follow(script)
    assert "--face largest" in (error.value.hint or "")
    assert set(middles(follow(script, "largest").track)) == {250}


def test_a_face_that_passes_does_not_compete(follow) -> None:  # type: ignore[no-untyped-def]
    assert set(middles(follow([(90, [A, B] if i < 4 else [A]) for i in range(12)]).track)) == {100}


def test_two_meshes_on_one_face_are_one(follow) -> None:  # type: ignore[no-untyped-def]
    found = follow([(90, [A, (104.0, 121.0, 78.0)])] * 5)
    assert found.num_others == 0


def test_a_cut_needs_picture_and_face_to_jump(follow) -> None:  # type: ignore[no-untyped-def]
    moved = (130.0, 120.0, 80.0)
    assert follow([(90, [A])] * 8 + [(150, [moved])] * 8).track.cuts == (8,)
    assert follow([(90, [A])] * 8 + [(150, [A])] * 8).track.cuts == ()
    assert follow([(90, [A])] * 8 + [(91, [moved])] * 8).track.cuts == ()


def test_a_moving_camera_is_no_cut(follow) -> None:  # type: ignore[no-untyped-def]
    script = [(90 + 10 * (i % 2), [(100.0 + 3 * i, 120.0, 80.0)]) for i in range(20)]
    assert follow(script).track.cuts == ()


def test_each_shot_has_its_own_face(follow) -> None:  # type: ignore[no-untyped-def]
    found = follow([(90, [A])] * 8 + [(150, [B])] * 8)
    assert middles(found.track) == [100] * 8 + [250] * 8
    assert found.track.cuts == (8,)


def test_no_face_at_all_is_refused(follow) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"no face in any of 5 pictures"):
        follow([(90, [])] * 5)


def test_confidence_is_the_detectors_word_for_these_landmarks() -> None:
    landmarks = _track([True]).landmarks[0] + np.float32(100)
    points = np.full((6, 2), 100.0)
    points[1, 0] += 20
    assert confirmed(landmarks, []) == 0.25
    assert confirmed(landmarks, [(0.9, points)]) == pytest.approx(0.9)
    # A third of the eye distance apart: somewhat; the whole of it: another face.
    assert 0.25 < confirmed(landmarks, [(0.9, points + np.array([40 / 3, 0]))]) < 0.6
    assert confirmed(landmarks, [(0.9, points + 40)]) == 0.25
    assert confirmed(landmarks, [(0.9, points + 40), (0.8, points)]) == pytest.approx(0.8)


def test_how_far_a_face_is_turned() -> None:
    track = _track([True] * 3)
    for frame, angle in enumerate((0.0, 30.0, -70.0)):
        half = np.array([np.cos(np.radians(angle)), 0, np.sin(np.radians(angle))]) * 20
        track.landmarks[frame, 33], track.landmarks[frame, 263] = -half, half
    assert yaw_degrees(track.landmarks) == pytest.approx([0, 30, 70], abs=0.01)
    assert profile_spans(track) == "0.08-0.12 s"


def test_a_whole_video_is_usable_with_short_gaps() -> None:
    assert usable(_track([True] * 20 + [False] * 5 + [True] * 20), "whole", "a.mp4") == (0, 45)


def test_cuts_and_long_gaps_are_named() -> None:
    track = _track([False] * 7 + [True] * 20 + [False] * 6 + [True] * 30, cuts=(40,))
    with pytest.raises(InputError) as error:
        usable(track, "whole", "a.mp4")
    assert "cuts at 1.60 s" in error.value.problem
    assert "not seen in 0.00-0.28 s, 1.08-1.32 s" in error.value.problem
    assert "--stretch longest" in (error.value.hint or "")


def test_the_longest_part_ends_at_cuts_and_long_gaps() -> None:
    seen = [True] * 30 + [False] * 6 + [True] * 60
    assert usable(_track(seen), "longest", "a.mp4") == (36, 96)
    assert usable(_track(seen, cuts=(60,)), "longest", "a.mp4") == (60, 96)
    with pytest.raises(InputError, match=r"has 0\.80 s, 1 s are needed"):
        usable(_track([True] * 20 + [False] * 30), "longest", "a.mp4")


def test_a_face_seen_now_and_then_is_refused() -> None:
    with pytest.raises(InputError, match="seen in 50% of the pictures"):
        usable(_track([True, False] * 30), "whole", "a.mp4")


def test_parts_of_a_track_keep_their_cuts() -> None:
    part = _track([True] * 20, cuts=(4, 8, 12)).part(4, 12)
    assert part.cuts == (4,)
    assert part.num_frames == 8


def _track(seen: list[bool], cuts: tuple[int, ...] = ()) -> FaceTrack:
    landmarks = np.zeros((len(seen), 478, 3), np.float32)
    landmarks[:, 263, 0] = 40
    landmarks[~np.array(seen)] = np.nan
    return FaceTrack(
        landmarks=landmarks,
        seen=np.array(seen),
        confidence=np.array(seen, np.float32),
        fps=FPS,
        width=WIDTH,
        height=HEIGHT,
        cuts=cuts,
    )


def test_the_turn_of_a_rendered_head_is_measured() -> None:
    pytest.importorskip("mediapipe")
    head = load_head("ada")
    with torch.no_grad():
        rest = head(torch.zeros(1, 53))[0].numpy()
    middle = rest.mean(axis=0)
    renderer = SoftwareRenderer(studio_scene(head), 256, 256)
    measured = []
    for degrees in (0, -25, 50):
        turned = (rest - middle) @ Rotation.from_euler("y", degrees, degrees=True).as_matrix().T + middle
        with FaceMesh() as mesh:
            (found,) = mesh.sightings(renderer.render(turned.astype(np.float32)))
        measured.append(float(yaw_degrees(found.landmarks[None])[0]))
        assert found.confidence > 0.7
    assert measured == pytest.approx([0, 25, 46], abs=5)


@pytest.mark.data
class TestRealFaces:
    """MediaPipe on takes of GRID: 25 fps, 75 pictures, one face each."""

    @pytest.fixture(autouse=True)
    def _needs_mediapipe(self) -> None:
        pytest.importorskip("mediapipe")

    def test_a_take_is_followed_the_same_way_twice_and_in_silence(
        self, shared_data: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        film = open_film(shared_data / "video" / "grid" / "bbaf2n.mpg")
        first, second = (follow_face(film, "only", Silent()).track for _ in range(2))
        assert first.seen.all()
        assert first.confidence.min() > 0.9
        assert first.cuts == ()
        assert np.array_equal(first.landmarks, second.landmarks)
        # The mouth is below the eyes and the nose before both.
        assert (first.landmarks[:, 13, 1] > first.landmarks[:, 33, 1] + 20).all()
        assert (first.landmarks[:, 1, 2] < first.landmarks[:, 33, 2] - 10).all()
        assert np.nanmax(yaw_degrees(first.landmarks)) < 15
        assert capfd.readouterr() == ("", "")

    def test_the_face_is_found_in_every_take(self, shared_data: Path) -> None:
        takes = sorted((shared_data / "video" / "grid").glob("*.mpg"))
        assert len(takes) == 11
        for take in takes:
            followed = follow_face(open_film(take), "only", Silent())
            assert followed.track.seen.mean() >= 0.95, take.name
            assert followed.track.confidence.mean() > 0.85, take.name
            assert (followed.num_others, followed.track.cuts) == (0, ()), take.name
            assert usable(followed.track, "whole", take.name) == (0, 75)

    def test_two_people_a_cut_and_nobody(self, shared_data: Path, tmp_path: Path) -> None:
        one, other = (shared_data / "video" / "grid" / name for name in ("bbaf2n.mpg", "lwbsza.mpg"))
        both = ("-i", one, "-i", other, "-an", "-filter_complex")
        ffmpeg(
            *both, "[0:v]trim=end_frame=15[a];[1:v]trim=end_frame=15[b];[a][b]hstack", tmp_path / "two.mp4"
        )
        ffmpeg(
            *both, "[0:v]trim=end_frame=15[a];[1:v]trim=end_frame=15[b];[a][b]concat", tmp_path / "cut.mp4"
        )
        ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x240:duration=0.5", tmp_path / "nobody.mp4")
        with pytest.raises(InputError, match="more than one face"):
            follow_face(open_film(tmp_path / "two.mp4"), "only", Silent())
        assert follow_face(open_film(tmp_path / "two.mp4"), "largest", Silent()).num_others == 1
        assert follow_face(open_film(tmp_path / "cut.mp4"), "only", Silent()).track.cuts == (15,)
        with pytest.raises(InputError, match="no face"):
            follow_face(open_film(tmp_path / "nobody.mp4"), "only", Silent())

    def test_a_turned_video_is_upright(self, shared_data: Path, tmp_path: Path) -> None:
        take = shared_data / "video" / "grid" / "bbaf2n.mpg"
        # Lying pictures, and the remark that they are to be turned.
        ffmpeg("-i", take, "-frames:v", 5, "-an", "-vf", "transpose=1", tmp_path / "lying.mp4")
        ffmpeg("-display_rotation", 90, "-i", tmp_path / "lying.mp4", "-c", "copy", tmp_path / "turned.mp4")
        track = follow_face(open_film(tmp_path / "turned.mp4"), "only", Silent()).track
        assert (track.width, track.height) == (360, 288)
        assert (track.landmarks[:, 13, 1] > track.landmarks[:, 33, 1] + 20).all()
