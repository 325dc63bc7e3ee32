"""Films by ARKit's scores: what is needed is missed before any work, and says what the motion is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.channels import ADA, ARKIT
from talkcli.engine.pipelines.preprocess import preprocess
from talkcli.engine.prepare.adapters import person
from talkcli.engine.prepare.adapters.filmed import FilmedFile, HowToLook
from talkcli.engine.prepare.adapters.video import video_sources
from talkcli.engine.prepare.build import Plan
from talkcli.engine.types import Silent
from talkcli.engine.video.bundle import BUNDLE_FILE
from talkcli.engine.video.merge import FROM_SCORES, Capture
from talkcli.engine.video.tracker import Followed
from tests.engine.fakes import Told
from tests.engine.prepare.trees import tree
from tests.engine.video.films import ffmpeg
from tests.engine.video.made_fit import made_film, made_fit


@pytest.fixture(autouse=True)
def _no_bundle(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("TALK_FACE_LANDMARKER", raising=False)


@pytest.mark.parametrize("capture", ["arkit", "both"])
def test_what_is_missing_is_said_before_any_work(tmp_path: Path, capture: Capture) -> None:
    tree(tmp_path, "films/a.mp4")
    with pytest.raises(AssetError, match=r"face_landmarker\.task is not here") as caught:
        video_sources(tmp_path / "films", Silent(), how=HowToLook(capture=capture))
    assert caught.value.exit_code == 4


def test_a_damaged_bundle_and_a_head_of_other_channels_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, "films/a.mp4")
    (tmp_path / BUNDLE_FILE).write_bytes(b"PK\3\4 cut short")
    monkeypatch.setenv("TALK_FACE_LANDMARKER", str(tmp_path))
    with pytest.raises(InputError, match="cut short"):
        video_sources(tmp_path / "films", Silent(), how=HowToLook(capture="both"))
    monkeypatch.setattr("talkcli.engine.prepare.adapters.filmed.load_head", lambda name: None)
    with pytest.raises(UsageError, match="does not have"):
        video_sources(tmp_path / "films", Silent(), how=HowToLook(capture="both", head="flame"))


def test_the_bundle_is_an_input_and_the_capture_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video, bundle = tmp_path / "a.mp4", tmp_path / BUNDLE_FILE
    bundle.touch()
    monkeypatch.setenv("TALK_FACE_LANDMARKER", str(bundle))
    made = {capture: HowToLook(capture=capture).at(video, "a") for capture in ("landmarks", "arkit", "both")}
    assert made["landmarks"] == FilmedFile(video=video)
    assert made["landmarks"].inputs == (video,)
    assert made["arkit"].inputs == made["both"].inputs == (video, bundle)
    assert len({repr(recipe) for recipe in made.values()}) == 3
    # A worker elsewhere has another environment.
    monkeypatch.delenv("TALK_FACE_LANDMARKER")
    assert made["both"].inputs == (video, bundle)
    with pytest.raises(ValueError, match="belongs to the captures"):
        FilmedFile(video=video, capture="both")


def test_a_neutral_film_that_cannot_be_scored_still_shows_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track, fit = made_fit(64, 48, frames=30)
    never = np.full((30, len(ARKIT)), np.nan, np.float32)
    monkeypatch.setattr(person, "open_film", lambda path: made_film(path, track))
    monkeypatch.setattr(person, "follow_face", lambda *arguments: Followed(track=track, num_others=0))
    monkeypatch.setattr(person, "fit_head", lambda track, head: fit)
    monkeypatch.setattr(person, "arkit_scores", lambda *arguments: never)
    monkeypatch.setattr(person, "read_pictures", lambda film: iter(()))
    found = person.find_person(tmp_path / "rest.mp4", "ada", "only", None, tmp_path / BUNDLE_FILE, 0)
    assert isinstance(found, person.Person)
    assert (found.identity, found.rest) == (fit.identity, None)
    assert "in none of 30 pictures" in found.unscored


@pytest.fixture
def real_bundle(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let talk find the bundle among the shared data; skip where it or mediapipe is absent."""
    pytest.importorskip("mediapipe")
    bundle = shared_data / "models" / BUNDLE_FILE
    if not bundle.is_file():
        pytest.skip(f"no bundle at {bundle}")
    monkeypatch.setenv("TALK_FACE_LANDMARKER", str(bundle))


@pytest.mark.data
@pytest.mark.usefixtures("real_bundle")
def test_a_take_of_grid_by_both_captures(
    shared_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # A second with a blink.
    take, told = tmp_path / "take.mp4", Told()
    ffmpeg("-ss", 1.4, "-i", shared_data / "video" / "grid" / "bbaf2n.mpg", "-t", 1.2, take)
    (source,) = video_sources([take], told, how=HowToLook(capture="both"))
    assert not told.noted("sound file beside it")
    assert isinstance(source.recipe, FilmedFile)
    plain = replace(source.recipe, capture="landmarks", bundle=None).make(source)
    both, again = (source.recipe.make(source) for _ in range(2))
    assert plain.motion is not None and both.motion is not None and again.motion is not None
    assert plain.report is not None and both.report is not None
    assert both.motion.coeffs.tobytes() == again.motion.coeffs.tobytes()
    for column, name in enumerate(ADA):
        same = np.array_equal(plain.motion.coeffs[:, column], both.motion.coeffs[:, column])
        assert same or name.startswith(tuple(FROM_SCORES)), name
    assert not np.array_equal(plain.motion.coeffs, both.motion.coeffs)
    assert ((both.motion.coeffs[:, :50] >= 0) & (both.motion.coeffs[:, :50] <= 1)).all()
    assert str(plain.origin) == "fitted to film (MediaPipe)"
    assert str(both.origin) == "fitted to film (MediaPipe, landmarks and ARKit scores)"
    added = both.report.keys() - plain.report.keys()
    assert added == {"capture", "face_scored", "arkit_lag_frames"}
    assert (both.report["capture"], both.report["face_scored"]) == ("both", 1.0)
    lag = both.report["arkit_lag_frames"]
    assert isinstance(lag, float) and abs(lag) < 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.usefixtures("real_bundle")
def test_a_run_by_scores_alone_says_so_and_rest_comes_from_the_neutral_film(
    shared_data: Path, tmp_path: Path
) -> None:
    films, told = tmp_path / "films", Told()
    films.mkdir()
    grid = shared_data / "video" / "grid" / "lbax4n.mpg"
    ffmpeg("-i", grid, "-t", 1.0, films / "take.mp4")
    ffmpeg("-ss", 1.0, "-i", grid, "-t", 1.0, films / "rest.mp4")
    (films / "labels.csv").write_text("id,speaker,emotion,intensity\nrest,ann,neutral,1\ntake,ann,happy,1\n")
    sources = {source.id: source for source in video_sources(films, told, how=HowToLook(capture="arkit"))}
    recipe = sources["take"].recipe
    assert isinstance(recipe, FilmedFile) and recipe.rest == films / "rest.mp4"
    by_other = recipe.make(sources["take"]).motion
    by_itself = replace(recipe, rest=None).make(sources["take"]).motion
    assert by_other is not None and by_itself is not None
    assert not np.array_equal(by_other.coeffs, by_itself.coeffs)
    how = HowToLook(capture="arkit")
    summary = preprocess("video", [films / "take.mp4"], tmp_path / "out", Plan(num_workers=0), told, how=how)
    assert summary.num_clips == 1
    assert told.noted("a network's ARKit scores of faces in videos, not captured")
    assert "ARKit scores" in (tmp_path / "out" / "CARD.md").read_text()
