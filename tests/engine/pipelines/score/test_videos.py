"""Videos are scored: captured motion, sound and crops of the face; bad ones have a reason and end nothing."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from talkcli.engine.errors import ExtraError, UsageError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics import fid, lse_measures
from talkcli.engine.pipelines.score import videos as module
from talkcli.engine.pipelines.score.face_pictures import shown_at
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.motions import score_motions
from talkcli.engine.pipelines.score.thresholds import Threshold
from talkcli.engine.render.mouths import drawn_mouths
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.render.video import write_video
from talkcli.engine.types import Motion, Silent, Speech
from talkcli.engine.video.pictures import Film
from tests.engine.face.flame_twin import NUM_VERTS, flame_arrays, write_flame
from tests.engine.fakes import Told
from tests.engine.video.films import ffmpeg, write_film
from tests.report_schema import faults

FRAMES, SIDE = 30, 192
METRICS = ("lse_d", "lse_offset", "sync_r", "gap_mean_mm", "jump_mm", "mod_mm", "fid")


def acted(phase: float) -> Motion:
    """A mouth that opens twice."""
    head = load_head("ada")
    coeffs = np.zeros((FRAMES, len(head.channels)), np.float32)
    opening = np.sin(np.arange(FRAMES) * 0.4 + phase).clip(0)
    coeffs[:, head.channels.index("jawPitch")] = 0.3 * opening
    return Motion(coeffs=coeffs, fps=25.0, head="ada", channels=head.channels)


def speech() -> Speech:
    times = np.arange(FRAMES * 640) / 16_000
    loud = np.sin(times * 25 * 0.4).clip(0)
    return Speech(samples=(0.3 * loud * np.sin(2 * np.pi * 180 * times)).astype(np.float32))


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a drawn face that talks, as an mp4, and its motion beside."""
    pytest.importorskip("mediapipe")
    folder = tmp_path_factory.mktemp("talking")
    motion = acted(0.0)
    surface = Surface(motion, load_head("ada"))
    drawer = open_renderer("software", studio_scene(surface.topology), SIDE, SIDE)
    write_video(
        folder / "a.mp4", pictures(surface, drawer), num_frames=FRAMES, fps=25.0, size=(SIDE, SIDE),
        speech=speech(), metadata={}, reporter=Silent(),
    )  # fmt: skip
    drawer.close()
    (folder / "motion").mkdir()
    write_motion(folder / "motion" / "a.npz", motion)
    return folder


def scored(folder: Path, **options: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "truth": None, "audio": None, "dataset": None, "head_name": None, "thresholds": (),
        "metrics": METRICS, "reporter": Silent(),
    }  # fmt: skip
    report = score_motions((), videos=folder, **(defaults | options), generation=Generation())
    assert faults(json.loads(json.dumps(report, allow_nan=False))) == []
    return report


@pytest.fixture(scope="module")
def report(talking: Path) -> dict[str, Any]:
    """Score of the talking face with its own sound."""
    return scored(talking)


def test_a_video_with_its_own_sound(talking: Path, report: dict[str, Any]) -> None:
    found = report["overall"]
    assert report["generation"] is None
    assert report["motion"] == {"fitted to film (MediaPipe)": 1}
    assert report["videos"] == {"folder": str(talking), "films": None, "unusable": {}}
    assert report["clips"][0]["frames"] == FRAMES
    # The drawn mouth opens and shuts with the sound.
    assert found["sync_r"]["value"] > 0.6
    assert found["gap_mean_mm"]["value"] > 1
    assert found["lse_d"]["value"] is not None
    assert {found[name]["scored"] for name in METRICS if name != "fid"} == {"video: captured motion"}
    assert found["fid"]["scored"] == "video: crops of its pictures"
    assert found["mod_mm"]["reason"] == "no true motion given for this clip"


def test_the_true_motion_is_compared_with_what_is_captured(talking: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(fid, "published_judge", lambda name: name)
    monkeypatch.setattr(fid, "features", lambda _, block: block.mean(axis=(1, 2)).astype(np.float64))
    drawn = scored(talking, truth=talking / "motion")["overall"]
    assert drawn["mod_mm"]["value"] < 6
    assert drawn["fid"]["scored"] == "video: crops of its pictures, against drawings of the true motion"
    # The crops are of one face under one light and differ by what the video's encoding did.
    assert drawn["fid"]["value"] < 30
    real = scored(talking, films=talking)
    assert real["truth"]["kinds"] == "fitted"
    assert real["overall"]["mod_mm"]["value"] == 0
    assert real["overall"]["fid"]["value"] == pytest.approx(0, abs=1e-6)
    assert real["overall"]["fid"]["scored"].endswith("against the real films")


def test_another_frame_rate_is_followed_by_time(
    talking: Path, report: dict[str, Any], tmp_path: Path
) -> None:
    ffmpeg("-i", talking / "a.mp4", "-r", "50", tmp_path / "a.mp4")
    told = Told()
    faster = scored(tmp_path, reporter=told)
    assert faster["clips"][0]["fps"] == 50
    at_25 = report["overall"]["lse_d"]["value"]
    assert faster["overall"]["lse_d"]["value"] == pytest.approx(at_25, abs=0.1)
    assert any("50 pictures a second; judges see it at 25" in text for text in told.notes)


def test_syncnet_sees_crops_at_25(talking: Path, tmp_path: Path, monkeypatch: Any) -> None:
    seen: list[tuple[int, ...]] = []

    def features(_: Any, blocks: Any, speech: Speech) -> tuple[np.ndarray, np.ndarray]:
        assert len(speech.samples) == pytest.approx(FRAMES * 640, abs=1280)
        seen.extend(block.shape for block in blocks)
        both = np.eye(FRAMES)
        return both, both

    monkeypatch.setattr(lse_measures, "published_judge", lambda name: name)
    monkeypatch.setattr(lse_measures.syncnet, "features", features)
    ffmpeg("-i", talking / "a.mp4", "-r", "50", tmp_path / "a.mp4")
    found = scored(tmp_path, metrics=("lse_offset@syncnet", "lse_c@wav2lip"))["overall"]
    assert found["lse_offset@syncnet"]["value"] == 0
    assert found["lse_c@wav2lip"]["scored"] == "video: crops of its pictures"
    # Both metrics share one look at the pictures.
    assert seen == [(FRAMES, 224, 224, 3)]


def test_our_judge_sees_mouths_at_25(talking: Path, tmp_path: Path, monkeypatch: Any) -> None:
    seen: list[np.ndarray] = []

    def features(_: Any, blocks: Any, speech: Speech) -> tuple[np.ndarray, np.ndarray]:
        seen.append(np.concatenate(list(blocks)))
        return np.eye(FRAMES), np.eye(FRAMES)

    monkeypatch.setattr(lse_measures, "own_judge", lambda name: (name, None))
    monkeypatch.setattr(lse_measures.sync_image, "features", features)
    ffmpeg("-i", talking / "a.mp4", "-r", "50", tmp_path / "a.mp4")
    write_film(tmp_path / "faceless.mp4")
    report = scored(tmp_path, metrics=("lse_offset@pictures", "lse_c@pictures"))
    assert report["overall"]["lse_c@pictures"]["scored"] == "video: crops of its pictures"
    found = {clip["id"]: clip["metrics"] for clip in report["clips"]}
    assert found["a"]["lse_offset@pictures"]["value"] == 0
    assert "shows no face" in found["faceless"]["lse_offset@pictures"]["reason"]
    (mouths,) = seen
    assert mouths.shape == (FRAMES, 48, 48)
    # The crops are what talk draws of the same motion's mouth, as far as 192 pixels of a head show it.
    same, other = (_likeness(mouths, phase) for phase in (0.0, 1.5))
    assert same > 0.82
    assert same > other + 0.1


def _likeness(mouths: np.ndarray, phase: float) -> float:
    """Correlate crops with drawings, where MediaPipe may put the crop one pixel off."""
    drawn = np.concatenate(list(drawn_mouths(Surface(acted(phase), load_head("ada")), 48)))
    inside = np.s_[2:-2, 1:-1, 1:-1]
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    moved = (np.roll(mouths, shift, axis=(1, 2)) for shift in shifts)
    return max(np.corrcoef(crops[inside].ravel(), drawn[inside].ravel())[0, 1] for crops in moved)


def test_bad_videos_have_a_reason_and_end_nothing(talking: Path, tmp_path: Path) -> None:
    whole = (talking / "a.mp4").read_bytes()
    (tmp_path / "whole.mp4").write_bytes(whole)
    (tmp_path / "broken.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.webm").write_text("no video")
    write_film(tmp_path / "faceless.mp4")
    ffmpeg("-i", talking / "a.mp4", "-an", "-c:v", "copy", tmp_path / "silent.mp4")
    told = Told()
    limit = Threshold.parse("lse_d=9", is_floor=False, known=METRICS)
    report = scored(tmp_path, reporter=told, thresholds=(limit,))
    clips = {clip["id"]: clip["metrics"] for clip in report["clips"]}
    assert set(report["videos"]["unusable"]) == {"broken", "faceless", "text"}
    assert "shows no face" in clips["faceless"]["gap_mean_mm"]["reason"]
    assert clips["whole"]["lse_d"]["value"] is not None
    assert clips["silent"]["gap_mean_mm"]["value"] is not None
    assert "has no sound" in clips["silent"]["lse_d"]["reason"]
    assert report["overall"]["gap_mean_mm"]["clips"] == 2
    assert report["overall"]["lse_d"]["clips"] == 1
    assert report["missed"] == []
    assert sum("faceless" in text for text in told.warnings) == 1


def test_the_head_is_that_of_the_first_usable_video(
    talking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The motion of a usable video is of its true motion's head, that of an unusable one of none.
    write_flame(tmp_path / "generic_model.pkl", flame_arrays())
    monkeypatch.setenv("TALK_FLAME", str(tmp_path))
    motion = Motion(coeffs=acted(0.0).coeffs, fps=25.0, head="flame", channels=FLAME)
    monkeypatch.setattr(module, "fit_head", lambda *_: SimpleNamespace(motion=motion))
    for folder in ("videos", "motion"):
        (tmp_path / folder).mkdir()
    (tmp_path / "videos" / "a.mp4").write_text("no video")
    (tmp_path / "videos" / "b.mp4").write_bytes((talking / "a.mp4").read_bytes())
    for name in ("a", "b"):
        write_motion(tmp_path / "motion" / f"{name}.npz", motion)
    metrics = ("mve_mm", "gap_mean_mm")
    report = scored(tmp_path / "videos", truth=tmp_path / "motion", metrics=metrics)
    assert list(report["videos"]["unusable"]) == ["a"]
    assert report["overall"]["mve_mm"]["value"] == 0
    assert (report["head"], report["vertex_sets"]["all"]) == ("flame", NUM_VERTS)


def test_a_video_shorter_than_its_clip(talking: Path, tmp_path: Path) -> None:
    motion = acted(0.0)
    long = np.concatenate([motion.coeffs, motion.coeffs])
    write_motion(tmp_path / "a.npz", Motion(coeffs=long, fps=25.0, head="ada", channels=motion.channels))
    report = scored(talking, truth=tmp_path)
    assert "has 1.20 s of the clip's 2.40 s" in report["videos"]["unusable"]["a"]
    assert report["overall"]["mod_mm"]["value"] is None


def test_without_the_extra_nothing_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_installed", lambda _: False)
    with pytest.raises(ExtraError, match="Scoring `videos` needs the package mediapipe"):
        scored(tmp_path)


def test_films_need_videos(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`films` is compared with `videos`"):
        score_motions(
            (), truth=None, audio=None, dataset=None, head_name=None, thresholds=(), films=tmp_path,
            generation=Generation(), reporter=Silent(),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("fps", "wanted"), [(25.0, [0, 1, 2, 3]), (50.0, [1, 3, 5, 7]), (12.5, [0, 0, 1, 1])]
)
def test_the_picture_that_is_shown_then(fps: float, wanted: list[int]) -> None:
    film = Film(path=Path("a.mp4"), fps=fps, num_frames=8, constant=True, rates=(fps, fps), sound_late_s=None)
    assert shown_at(25.0, 4, film).tolist() == wanted
