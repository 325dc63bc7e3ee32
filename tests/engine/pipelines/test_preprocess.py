"""The generated corpus, and a corpus from nothing but what a machine has."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.prosody import loudness_db
from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import ExtraError, InputError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.pipelines import preprocess
from talkcli.engine.prepare.adapters import synthetic
from talkcli.engine.prepare.adapters.filmed import HowToLook
from talkcli.engine.prepare.build import Built, Plan
from talkcli.engine.prepare.ravdess_names import EMOFACE_SPLIT
from talkcli.engine.types import SILENCE, Reporter, Silent
from tests.engine.fakes import Told
from tests.engine.prepare.trees import tree

SILENT = Silent()


def run(
    name: str, root: Path, out: Path, reporter: Reporter = SILENT, **options: object
) -> preprocess.Summary:
    return preprocess.preprocess(name, root, out, Plan(num_workers=0), reporter, **options)


def test_the_debug_corpus(tmp_path: Path) -> None:
    started = time.process_time()
    summary = preprocess.preprocess_debug(tmp_path, reporter=Silent())
    assert time.process_time() - started < 20
    assert summary.num_clips == 12
    assert summary.dropped == {}
    assert set(summary.splits) == {"train", "val"}
    assert len(summary.emotions) == 4
    clips = load_clips(summary.manifest, None, Silent())
    assert all(1.8 < clip.motion.duration_s < 3.5 for clip in clips)
    for clip in clips:
        # The mouth opens with the sound, or the corpus would teach nothing.
        jaw = clip.motion.coeffs[:, ADA.index("jawPitch")]
        level = loudness_db(clip.speech)[2::4][: len(jaw)]
        assert np.corrcoef(jaw[: len(level)], level)[0, 1] > 0.35, clip.id


def test_a_corpus_without_any_of_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocess, "require", lambda package, purpose: None)
    monkeypatch.setattr(synthetic.shutil, "which", lambda name: None)
    monkeypatch.setattr(preprocess, "is_installed", lambda package: False)
    notes = Told()
    # Films without a tracker are no part either, but are told from no films.
    tree(tmp_path / "root", "video/grid_s1/bbaf2n.mpg")
    summary = preprocess.preprocess_corpus(
        tmp_path / "root", tmp_path / "out", Plan(num_workers=0), notes, prompts=tmp_path / "none"
    )
    assert {entry.id.split("/")[0] for entry in read_manifest(summary.manifest)} == {"quiet"}
    assert len(notes.notes) == 11
    for said in (
        "flite is not installed",
        "festival is not installed",
        "none holds no prompts",
        "video/grid_s1 needs mediapipe (in the repository, run: pip install",
        "grid does not exist",
    ):
        assert any(said in text for text in notes.notes), said


def test_performed_motion_is_no_fit_whatever_the_setting_for_films(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line gives `how` with every run of a set that has films."""
    monkeypatch.setattr(preprocess, "require", lambda package, purpose: None)
    nothing = Built(entries=(), dropped=(), num_kept=0, seconds=0.0)
    monkeypatch.setattr(preprocess, "build", lambda *arguments: nothing)
    root, notes = tree(tmp_path / "root", "Actor_01/03-01-03-01-01-01-01.wav"), Told()
    options = {"split_of_actor": EMOFACE_SPLIT, "channels": ("speech",)}
    run("ravdess", root, tmp_path / "out", notes, **options, motion="performed", how=HowToLook())
    card = (tmp_path / "out" / "CARD.md").read_text()
    assert notes.noted("motion is performed") and "motion is performed" in card
    assert not notes.noted("fitted to the landmarks") and "fitted to the landmarks" not in card


def test_without_an_aligner_there_is_no_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pocketsphinx", None)
    with pytest.raises(ExtraError, match="pocketsphinx"):
        preprocess.preprocess_corpus(tmp_path, tmp_path / "out", Plan(num_workers=0), Silent())


def test_empty_folders(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(InputError, match="no sound files"):
        run("folder", root, tmp_path / "out", bare=None, licence="mine")
    with pytest.raises(UsageError, match="lies in"):
        run("folder", root, root / "out", bare=None, licence="mine")
    with pytest.raises(InputError, match="bs_value_NAME"):
        run("facegood", root, tmp_path / "out")


@pytest.mark.parametrize("name", [name for name in preprocess.DATA_SETS if name != "video"])
def test_what_is_no_folder_is_said_of_every_set(name: str, tmp_path: Path) -> None:
    text = tmp_path / "readme.txt"
    text.write_text("not clips")
    with pytest.raises(InputError, match=r"nowhere does not exist"):
        run(name, tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(InputError, match=r"readme\.txt is neither a folder nor an archive"):
        run(name, text, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.data
def test_a_corpus_of_one_ravdess_clip(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pocketsphinx")
    monkeypatch.setattr(synthetic.shutil, "which", lambda name: None)
    name = "Actor_02/03-01-03-02-01-01-02.wav"
    target = tmp_path / "root" / "emotion" / "ravdess16k" / name
    target.parent.mkdir(parents=True)
    target.write_bytes((shared_data / "emotion" / "ravdess16k" / name).read_bytes())
    summary = preprocess.preprocess_corpus(
        tmp_path / "root", tmp_path / "out", Plan(num_workers=0), Silent(), prompts=tmp_path / "none"
    )
    clip = load_clips(summary.manifest, None, Silent())[0]
    assert (clip.emotion.label, clip.speaker) == ("happy", "ravdess-02")
    assert clip.motion.coeffs[:, ADA.index("mouthSmileLeft")].mean() > 0.3
    said = [phone.symbol for phone in clip.alignment.phones if phone.symbol != SILENCE]
    assert said[:4] == ["K", "IH", "D", "Z"]
    assert clip.alignment.phones[-1].end_s == pytest.approx(clip.motion.duration_s)


def test_sets_without_motion_need_the_aligner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pocketsphinx", None)
    root = tmp_path / "root"
    root.mkdir()
    (root / "03-01-06-02-01-02-01.wav").touch()
    (root / "1001_DFA_ANG_XX.wav").touch()
    with pytest.raises(ExtraError, match="motion of RAVDESS"):
        run("ravdess", root, tmp_path / "out", split_of_actor=EMOFACE_SPLIT, channels=("speech",))
    with pytest.raises(ExtraError, match="motion of CREMA-D"):
        run("crema-d", root, tmp_path / "out")


@pytest.mark.data
def test_the_sound_of_a_ravdess_video_is_performed(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    folder = tmp_path / "root" / "Actor_01"
    folder.mkdir(parents=True)
    sound = shared_data / "emotion" / "ravdess16k" / "Actor_01" / "03-01-03-01-01-01-01.wav"
    picture = ["-f", "lavfi", "-i", "color=size=64x64:rate=30:duration=3"]
    video = folder / "01-01-03-01-01-01-01.mp4"
    subprocess.run(
        [ffmpeg, "-v", "error", *picture, "-i", sound, "-ar", "48000", "-ac", "2", "-shortest", video],
        check=True,
    )
    (folder / "02-01-04-01-01-01-01.mp4").write_bytes(b"picture")
    notes = Told()
    options = {"split_of_actor": EMOFACE_SPLIT, "channels": ("speech",)}
    summary = run("ravdess", tmp_path / "root", tmp_path / "out", notes, **options)
    (entry,) = read_manifest(summary.manifest)
    assert (entry.emotion, entry.intensity, entry.split) == ("happy", 0.65, "train")
    assert any("performed" in text for text in notes.notes)
    assert "motion is performed" in summary.manifest.with_name("CARD.md").read_text()
    assert "without sound" in summary.dropped["ravdess/02-01-04-01-01-01-01"]
    (clip,) = load_clips(summary.manifest, None, Silent())
    jaw = clip.motion.coeffs[:, ADA.index("jawPitch")]
    level = loudness_db(clip.speech)[2::4][: len(jaw)]
    assert np.corrcoef(jaw[: len(level)], level)[0, 1] > 0.35
