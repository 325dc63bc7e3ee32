"""Which clips a folder of videos gives, and what a video gives: sound and motion of the same moments."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA, ARKIT
from talkcli.engine.pipelines.preprocess import preprocess
from talkcli.engine.prepare.adapters import filmed, scored
from talkcli.engine.prepare.adapters.filmed import FilmedFile, HowToLook, aligned
from talkcli.engine.prepare.adapters.person import Person
from talkcli.engine.prepare.adapters.video import video_sources
from talkcli.engine.prepare.build import Plan
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Emotion, Motion, Reporter, Silent, Speech
from talkcli.engine.video.pictures import Film
from talkcli.engine.video.track import FaceTrack
from talkcli.engine.video.tracker import Followed
from tests.engine.fakes import Told
from tests.engine.prepare.trees import tree
from tests.engine.video.films import ffmpeg, write_film
from tests.engine.video.made_fit import made_fit

RATE = 16_000


def test_every_video_of_a_folder_with_its_labels(tmp_path: Path) -> None:
    tree(tmp_path, "a.MP4", "deep/b c.mov", "deep/b c.wav", "._a.mp4", ".trash/d.mp4", "notes.txt", "e.ts")
    (tmp_path / "labels.csv").write_text(
        "id,speaker,emotion,intensity,split\ndeep/b c,ann,happy,0.5,val\nz,,,,\n"
    )
    told = Told()
    plain, labelled = video_sources(tmp_path, told, licence="mine", how=HowToLook(face="largest"))
    assert (plain.id, plain.speaker, plain.emotion, plain.split) == (
        "a", "unknown", Emotion(label="neutral", level=0.0), "train",
    )  # fmt: skip
    assert (labelled.id, labelled.speaker, labelled.emotion, labelled.split, labelled.licence) == (
        "deep/b_c", "ann", Emotion(label="happy", level=0.5), "val", "mine",
    )  # fmt: skip
    assert plain.recipe == FilmedFile(video=tmp_path / "a.MP4", face="largest")
    assert labelled.recipe.inputs == (tmp_path / "deep/b c.mov", tmp_path / "deep/b c.wav")
    assert told.warned("Missing: 1 video that labels.csv names: z.")
    assert told.noted("For 1 video the sound file beside it is read")


def test_files_by_name_and_where_previews_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tree(tmp_path, "one.xyz", "more/two.webm")
    how = HowToLook(preview=Path("seen"), stretch="longest")
    sources = video_sources([tmp_path / "one.xyz", tmp_path / "more"], Silent(), how=how)
    assert [source.id for source in sources] == ["one", "two"]
    assert [_recipe(source).preview for source in sources] == [
        Path("seen/one.mp4").absolute(), Path("seen/two.mp4").absolute(),
    ]  # fmt: skip
    inside = HowToLook(preview=tmp_path / "more" / "seen")
    with pytest.raises(UsageError, match="a second run would read"):
        video_sources(tmp_path / "more", Silent(), how=inside)
    assert not (tmp_path / "more" / "seen").exists()


def test_where_no_previews_can_be_written_no_film_is_measured(tmp_path: Path) -> None:
    tree(tmp_path, "films/one.mp4")
    (tmp_path / "seen").write_text("a file")
    for place in ("seen", "seen/below"):
        with pytest.raises(OSError, match=r"File exists|Not a directory"):
            video_sources(tmp_path / "films", Silent(), how=HowToLook(preview=tmp_path / place))


def test_a_head_of_ones_own_is_an_input_and_a_preview_is_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    video, model = tmp_path / "a.mp4", tmp_path / "generic_model.pkl"
    model.write_bytes(b"")
    assert HowToLook(head="generic_model.pkl").at(video, "a").inputs == (video, model)
    monkeypatch.setenv("TALK_FLAME", str(model))
    assert HowToLook(head="flame").at(video, "a").inputs == (video, model)
    plain = HowToLook().at(video, "a")
    assert plain.inputs == (video,)
    assert repr(HowToLook(preview=tmp_path).at(video, "a")) == repr(plain)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    tree(tmp_path, "ann/take.mp4", "ben/take.mp4", "ben/other.mp4")
    files = [tmp_path / name for name in ("ann/take.mp4", "ben/take.mp4", "ben/other.mp4")]
    assert [source.id for source in video_sources(files, Silent())] == ["ann/take", "ben/take", "other"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        video_sources([tmp_path / "none.mp4"], Silent())
    with pytest.raises(InputError, match="holds no videos"):
        video_sources(tmp_path, Silent())
    with pytest.raises(UsageError, match="no head called"):
        video_sources(tmp_path, Silent(), how=HowToLook(head="nobody"))


def test_sound_is_laid_beside_the_pictures() -> None:
    speech = Speech(samples=np.arange(1, 9, dtype=np.float32) / 10, rate_hz=4)
    assert aligned(speech, 0.5, 1.0).samples.tolist() == pytest.approx([0.3, 0.4, 0.5, 0.6])
    assert aligned(speech, -0.5, 1.0).samples.tolist() == pytest.approx([0, 0, 0.1, 0.2])
    assert aligned(speech, 1.5, 9.0).samples.tolist() == pytest.approx([0.7, 0.8])
    assert aligned(speech, -1e9, 1.0).samples.tolist() == [0, 0, 0, 0]


def test_late_sound_gets_silence_before_it(tmp_path: Path, pretended: Pretended) -> None:
    plain = write_film(tmp_path / "a.mkv", "-c:a", "pcm_s16le", num_frames=50)
    late = tmp_path / "late.mkv"
    ffmpeg("-itsoffset", 0.4, "-i", plain, "-i", plain, "-map", "0:a", "-map", "1:v", "-c", "copy", late)
    recording = pretended(FilmedFile(video=late))
    assert recording.speech is not None
    loud = np.abs(recording.speech.samples) > 0.01
    assert not loud[: int(0.398 * RATE)].any()
    assert loud[int(0.4 * RATE) :].mean() > 0.8
    assert recording.speech.duration_s == pytest.approx(2.0, abs=0.01)


def test_sound_and_motion_of_a_part_are_of_the_same_moments(tmp_path: Path, pretended: Pretended) -> None:
    # A tone in the second second alone, and a face from then on.
    tone = ("-af", "volume=0:enable='lt(t,1)'", "-c:a", "pcm_s16le")
    path = write_film(tmp_path / "a.mkv", *tone, num_frames=50)
    with pytest.raises(InputError, match=r"not seen in 0\.00-1\.00 s"):
        pretended(FilmedFile(video=path), unseen=25)
    recording = pretended(FilmedFile(video=path, stretch="longest"), unseen=25)
    assert recording.motion is not None
    assert recording.speech is not None
    assert recording.report is not None
    assert recording.motion.coeffs[:, 0].tolist() == list(range(25, 50))
    assert np.abs(recording.speech.samples[200:400]).max() > 0.01
    assert recording.speech.duration_s == pytest.approx(1.0, abs=0.01)
    assert (recording.report["used_from_s"], recording.report["used_to_s"]) == (1.0, 2.0)
    assert recording.report["video"] == "Used are 1.00 to 2.00 of 2.00 s."
    assert recording.report["face_seen"] == 1.0


def test_motion_ends_with_the_sound_of_its_own_file(tmp_path: Path, pretended: Pretended) -> None:
    path = write_film(tmp_path / "a.mkv", "-af", "atrim=end=1.2", num_frames=50)
    recording = pretended(FilmedFile(video=path))
    assert recording.motion is not None
    assert recording.motion.pose is not None
    assert len(recording.motion.coeffs) == len(recording.motion.pose) == 30
    assert "0.80 s more" in str((recording.report or {})["video"])


def test_sound_and_pictures_of_different_times_are_refused(tmp_path: Path, pretended: Pretended) -> None:
    path = write_film(tmp_path / "a.mkv", "-af", "atrim=end=0.9", num_frames=60)
    with pytest.raises(InputError, match=r"share 0\.00 s"):
        pretended(FilmedFile(video=path, stretch="longest"), unseen=25)


def test_missing_sound_is_said_unless_it_lies_beside(tmp_path: Path, pretended: Pretended) -> None:
    mute = write_film(tmp_path / "a.mp4", sound=False)
    with pytest.raises(InputError, match="has no sound"):
        pretended(FilmedFile(video=mute))
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", tmp_path / "a.wav")
    recording = pretended(FilmedFile(video=mute, sound=tmp_path / "a.wav"))
    assert recording.speech is not None
    assert recording.speech.duration_s == pytest.approx(1.0)


def test_pictures_that_the_bundle_does_not_score_are_said_or_refused(
    tmp_path: Path, pretended: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = np.full((50, len(ARKIT)), 0.1, np.float32)
    monkeypatch.setattr(scored, "arkit_scores", lambda *arguments: scores)
    path = write_film(tmp_path / "a.mkv", "-c:a", "pcm_s16le", num_frames=50)
    recipe = FilmedFile(video=path, capture="arkit", bundle=tmp_path / "any.task")
    scores[[*range(10, 15), *range(20, 25)]] = np.nan
    report = pretended(recipe).report or {}
    assert report["face_scored"] == 0.8
    assert report["video"] == "The networks of the bundle find it in 80% of the pictures."
    # The neutral film gives the identity, though not the scores at rest.
    person = Person(identity=made_fit(64, 48)[1].identity, unscored="It is dark.")
    monkeypatch.setattr(filmed, "find_person", lambda *arguments: person)
    report = pretended(replace(recipe, rest=path)).report or {}
    assert report["rest_from"] == "a.mkv"
    assert "cannot be scored: It is dark." in str(report["video"])
    scores[25:] = np.nan
    scores[:25] = 0.1
    with pytest.raises(InputError, match=r"do not find the face in 1\.00-2\.00 s"):
        pretended(recipe)
    assert (pretended(replace(recipe, stretch="longest")).report or {})["face_scored"] == 0.5


@pytest.mark.data
def test_a_take_of_grid_becomes_motion(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    take = tmp_path / "take.mp4"
    ffmpeg("-i", shared_data / "video" / "grid" / "lbax4n.mpg", "-t", 1.2, take)
    (source,) = video_sources([take], Silent())
    recording = source.recipe.make(source)
    assert recording.speech is not None
    assert recording.motion is not None
    assert recording.report is not None
    assert recording.motion.head == "ada"
    assert recording.motion.fps == 25
    assert recording.motion.coeffs.shape == (30, 53)
    assert recording.motion.pose is not None
    assert np.isfinite(recording.motion.coeffs).all()
    assert recording.report["face_seen"] == 1.0
    assert "video" not in recording.report
    error = recording.report["fit_error"]
    assert isinstance(error, float)
    assert error < 0.06


def test_films_of_one_person_are_told_of_the_neutral_one(tmp_path: Path) -> None:
    root = tree(tmp_path, "a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4")
    rows = ("a,ann,angry,1", "b,ann,neutral,0.5", "c,ann,neutral,1", "d,bob,happy,1")
    (root / "labels.csv").write_text("\n".join(["id,speaker,emotion,intensity", *rows]))
    rest = {source.id: _recipe(source).rest for source in video_sources(root, Silent())}
    # The neutral film itself, and whoever may be anybody, have none.
    assert rest == {"a": root / "b.mp4", "b": None, "c": root / "b.mp4", "d": None, "e": None}


@pytest.mark.data
def test_rest_is_taken_from_the_neutral_film(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    grid = shared_data / "video" / "grid" / "lbax4n.mpg"
    take, other = tmp_path / "take.mp4", tmp_path / "other.mp4"
    ffmpeg("-i", grid, "-t", 1.0, take)
    ffmpeg("-ss", 1.0, "-i", grid, "-t", 1.0, other)
    made = {}
    for rest in (None, other, tmp_path / "empty.mp4", tmp_path / "absent.mp4"):
        if rest == tmp_path / "empty.mp4":
            rest.touch()
        recipe = FilmedFile(video=take, rest=rest)
        assert (rest in recipe.inputs) == (rest is not None and rest.is_file())
        recording = recipe.make(video_sources([take], Silent())[0])
        assert recording.motion is not None and recording.report is not None
        made[rest and rest.stem] = (recording.motion.coeffs, recording.report)
    assert made["other"][1]["rest_from"] == "other.mp4"
    assert not np.array_equal(made["other"][0], made[None][0])
    for name, words in (("empty", "empty file"), ("absent", "No such file")):
        np.testing.assert_array_equal(made[name][0], made[None][0])
        assert made[name][1]["rest_from"] is None
        assert words in str(made[name][1]["video"])


@pytest.mark.data
def test_a_run_over_files_leaves_out_what_cannot_be_used(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    grid = shared_data / "video" / "grid" / "bbaf2n.mpg"
    ffmpeg("-i", grid, "-t", 0.8, tmp_path / "take.mp4")
    (tmp_path / "empty.mp4").touch()
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc=duration=0.5",
        "-f",
        "lavfi",
        "-i",
        "sine=duration=0.5",
        tmp_path / "no.mp4",
    )
    told = Told()
    films = [tmp_path / name for name in ("take.mp4", "empty.mp4", "no.mp4")]
    summary = preprocess("video", films, tmp_path / "out", Plan(num_workers=0), told)
    assert summary.num_clips == 1
    assert "empty file" in summary.dropped["empty"]
    assert "no face" in summary.dropped["no"]
    assert told.noted("not captured")
    (entry,) = read_manifest(summary.manifest)
    assert (entry.id, entry.fps, entry.num_frames) == ("take", 25.0, 20)
    assert json.loads((tmp_path / "out" / "report.jsonl").read_text())["face_seen"] == 1.0


Pretended = Callable[..., Recording]


@dataclass(frozen=True)
class PretendedFit:
    """What a recipe takes of a fit."""

    motion: Motion
    error: np.ndarray


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    """Make a recipe's recording with a face that is seen after `unseen` pictures, and motion whose first
    column numbers the pictures.
    """

    def make(recipe: FilmedFile, unseen: int = 0) -> Recording:
        def follow_face(film: Film, choice: str, reporter: Reporter) -> Followed:
            landmarks = np.zeros((film.num_frames, 478, 3), np.float32)
            landmarks[:, 0] = np.arange(film.num_frames)[:, None]
            landmarks[:, 263, 0] = 40
            seen = np.arange(film.num_frames) >= unseen
            track = FaceTrack(
                landmarks=np.where(seen[:, None, None], landmarks, np.nan).astype(np.float32),
                seen=seen,
                confidence=seen.astype(np.float32),
                fps=film.fps,
                width=64,
                height=48,
            )
            return Followed(track=track, num_others=0)

        def fit_head(track: FaceTrack, head: object, person: object = None) -> PretendedFit:
            coeffs = np.zeros((track.num_frames, len(ADA)), np.float32)
            coeffs[:, 0] = track.landmarks[:, 0, 0]
            pose = np.zeros((track.num_frames, 3), np.float32)
            motion = Motion(coeffs=coeffs, fps=track.fps, head="ada", channels=ADA, pose=pose)
            return PretendedFit(motion=motion, error=np.full(track.num_frames, 0.01))

        monkeypatch.setattr(filmed, "follow_face", follow_face)
        monkeypatch.setattr(filmed, "fit_head", fit_head)
        # No checks of types at run time for what is pretended.
        monkeypatch.setattr(filmed, "_report", getattr(filmed._report, "__wrapped__", filmed._report))
        return recipe.make(Source(
            id="a", speaker="ann", emotion=Emotion(), split="train", licence="mine", recipe=recipe
        ))  # fmt: skip

    return make


def _recipe(source: Source) -> FilmedFile:
    assert isinstance(source.recipe, FilmedFile)
    return source.recipe
