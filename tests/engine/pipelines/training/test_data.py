"""What learns from motion or pictures alone needs no sound, and a head only where vertices are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.config import load_recipe
from talkcli.engine.data.manifest import Digests, Entry, Split, read_manifest, write_manifest
from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.files import sha256
from talkcli.engine.models.deeptalk.fer import FER_CLASSES
from talkcli.engine.pipelines.training import data as training_data
from talkcli.engine.pipelines.training.data import load_data
from talkcli.engine.pipelines.training.dee import DeeRecipe
from talkcli.engine.pipelines.training.fer import FerRecipe
from talkcli.engine.pipelines.training.prior import PriorRecipe
from talkcli.engine.pipelines.training.train import Job, train_method
from talkcli.engine.types import Motion, Silent
from tests.engine.fakes import write_corpus

_PICTURES = 30


def _write(folder: Path, split: Split, emotion: str, pictures: int) -> Entry:
    """Pictures whose label is in one coefficient."""
    coeffs = np.random.default_rng(len(emotion)).normal(scale=0.1, size=(pictures, 53)).astype(np.float32)
    coeffs[:, FER_CLASSES.index(emotion)] += 2
    path = folder / f"{split}-{emotion}.npz"
    write_motion(path, Motion(coeffs=coeffs, fps=25.0, head="flame", channels=FLAME))
    return Entry(
        id=path.stem, motion=path.name, fps=25.0, num_frames=pictures, speaker=f"affectnet-{split}",
        emotion=emotion, intensity=1.0, split=split, still=True, sha256=Digests(motion=sha256(path)),
        licence="research only",
    )  # fmt: skip


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Pictures without sound, as `talk preprocess affectnet` leaves them; happy ones are rare."""
    entries = [
        _write(tmp_path, split, emotion, 10 if emotion == "happy" else _PICTURES)
        for split in ("train", "val")
        for emotion in FER_CLASSES
    ]
    write_manifest(tmp_path / "manifest.jsonl", entries)
    return tmp_path / "manifest.jsonl"


@pytest.fixture(autouse=True)
def _no_flame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_FLAME", str(tmp_path / "absent"))
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))


def test_fer_learns_from_pictures_without_sound_or_a_flame_file(pictures: Path, tmp_path: Path) -> None:
    recipe = load_recipe(FerRecipe, "fer.debug", ["train.steps=2"])
    trained = train_method(
        "fer", recipe, Job(manifest=pictures, out=tmp_path / "run", device="cpu"), Silent()
    )
    assert trained is not None
    assert trained.model.is_file()
    assert 0 <= trained.measures["recall"] <= 1


def test_pictures_are_counted_one_by_one(pictures: Path) -> None:
    data = load_data(pictures, Silent(), sound=False, still=True)
    assert data.emotions().count("happy") == 10
    assert data.emotions().count("sad") == _PICTURES
    count = 10 + _PICTURES * (len(FER_CLASSES) - 1)
    assert data.meta().trained_on.startswith(f"{count} pictures, manifest sha256")
    with pytest.raises(AssetError):
        _ = data.head


def test_pictures_are_no_motion_and_not_heard(pictures: Path, tmp_path: Path) -> None:
    recipe = load_recipe(PriorRecipe, "vqvae.debug", ["train.steps=2"])
    with pytest.raises(InputError, match="pictures that have nothing to do with one another"):
        train_method("th_vqvae", recipe, Job(manifest=pictures, out=tmp_path / "run", device="cpu"), Silent())
    with pytest.raises(InputError, match="has no audio, only motion"):
        load_data(pictures, Silent())


def test_sound_that_nobody_hears_is_not_read(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path)
    entries = [
        entry.model_copy(update={"audio": None, "sha256": Digests(motion=entry.sha256.motion)})
        for entry in read_manifest(manifest)
    ]
    write_manifest(manifest, entries)
    data = load_data(manifest, Silent(), sound=False)
    assert all(clip.speech is None for clip in data.training)
    assert data.meta().trained_on.startswith("10 clips, 0.00 h, manifest")


@pytest.mark.parametrize(
    ("meta", "smoothed"), [({"cleanup": {"smooth": True}}, True), ({"cleanup": {}}, False), ({}, False)]
)
def test_what_was_smoothed_is_known(tmp_path: Path, meta: dict[str, object], smoothed: bool) -> None:
    entry = _write(tmp_path, "train", "sad", 8)
    write_motion(
        tmp_path / entry.motion,
        Motion(coeffs=np.zeros((8, 53), np.float32), fps=25.0, head="flame", channels=FLAME),
        meta,
    )
    digest = Digests(motion=sha256(tmp_path / entry.motion))
    entries = [
        entry.model_copy(update={"id": split, "split": split, "sha256": digest}) for split in ("train", "val")
    ]
    write_manifest(tmp_path / "manifest.jsonl", entries)
    data = load_data(tmp_path, Silent(), sound=False, still=True)
    assert [clip.smoothed for clip in data.training] == [smoothed]


def test_an_emotion_embedding_needs_no_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise AssertionError(f"the head {name} is loaded for nothing")

    monkeypatch.setattr(training_data, "load_head", fail)
    recipe = load_recipe(DeeRecipe, "dee.debug", ["train.steps=2"])
    manifest = write_corpus(tmp_path)
    trained = train_method(
        "dee", recipe, Job(manifest=manifest, out=tmp_path / "run", device="cpu"), Silent()
    )
    assert trained is not None
    assert "speech_uar" in trained.measures
