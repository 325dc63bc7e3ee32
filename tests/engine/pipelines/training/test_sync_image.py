"""Training of the sync judge of pictures: which clips are seen, in what, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.judge_weights import own_judge
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.pipelines.training import sync_image as module
from talkcli.engine.pipelines.training import train
from talkcli.engine.pipelines.training.data import TrainingData, load_data
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.sync_image import SyncImageAssembly, SyncImageRecipe
from talkcli.engine.train import mouths
from talkcli.engine.types import Silent
from tests.engine.fakes import write_corpus


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"), clips=10)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (module, mouths):
        monkeypatch.setattr(each, "cache_dir", lambda: tmp_path / "cache")


def assembly(manifest: Path, **settings: Any) -> tuple[SyncImageAssembly, TrainingData]:
    given = [f"{name}={value}" for name, value in settings.items()]
    recipe = load_recipe(SyncImageRecipe, "sync_image.debug", given)
    parts = GivenParts("sync_image", {}, manifest, resume=False)
    made = SyncImageAssembly("sync_image", recipe, parts, stage=1, reporter=Silent())
    return made, load_data(manifest, Silent())


def test_clips_are_chosen_evenly(manifest: Path) -> None:
    made, data = assembly(manifest, drawn=3)
    chosen = made.chosen(data)
    assert [clip.id for clip in chosen.training] == ["clip000", "clip002", "clip004"]
    assert [clip.id for clip in chosen.validation] == ["clip006"]
    assert assembly(manifest, drawn=100)[0].chosen(data).training == data.training


def test_a_clip_with_a_film_is_seen_in_it(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    (films / "clip003.mp4").write_bytes(b"a film")
    asked: list[Path] = []

    class Film:
        def __init__(self, path: Path) -> None:
            asked.append(path)

        def mouths(self, side: int, fps: float, num_frames: int) -> list[np.ndarray]:
            assert fps == 25
            return [np.full((num_frames, side, side), 7, np.uint8)]

    monkeypatch.setattr(module, "FilmPictures", Film)
    made, data = assembly(manifest, drawn=1, films=films)
    chosen = made.chosen(data)
    assert [clip.id for clip in chosen.training] == ["clip000", "clip003"]
    look = made.look(chosen)
    for _ in range(2):
        assert (look(chosen.training[1]) == 7).all()
    # From the disk it is the same, and the film is not asked.
    assert asked == [films / "clip003.mp4"]
    assert look(chosen.training[0]).std() > 10


def test_a_folder_without_films_is_refused(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    made, data = assembly(manifest, films=tmp_path / "films")
    with pytest.raises(InputError, match="holds no videos"):
        made.chosen(data)


@pytest.mark.parametrize("setting", [{"data.copies": 1}, {"data.pairs": "content"}, {"data.frames": 5}])
def test_what_has_no_pictures_or_no_choice_is_refused(manifest: Path, setting: dict[str, Any]) -> None:
    made, data = assembly(manifest, **setting)
    with pytest.raises(UsageError):
        made.build(data)


def test_it_begins_with_the_hearing_of_the_judge_of_lip_curves(manifest: Path) -> None:
    sizes = {"model.ear": "{num_mels: 40, prosody: false}", "model.width": 192, "model.features": 64}
    made, data = assembly(manifest, begin_hearing="true", **sizes)
    model, (theirs, _) = made.build(data).model, own_judge("sync")
    sound = {"log_mel": torch.rand(1, 40, 40)}
    torch.testing.assert_close(model.hear(sound), theirs.hear(sound))  # type: ignore[operator]
    made, data = assembly(manifest, begin_hearing="true")
    with pytest.raises(UsageError, match=r"model\.ear is not that of our judge"):
        made.build(data)


def test_it_trains(manifest: Path, tmp_path: Path) -> None:
    recipe = load_recipe(SyncImageRecipe, "sync_image.debug", ["drawn=2", "train.steps=2"])
    job = train.Job(manifest=manifest, out=tmp_path / "run", device="cpu")
    made = train.train_method("sync_image", recipe, job, Silent())
    assert made is not None
    assert {"score", "found", "near"} <= set(made.measures)
    model, header = load_model(made.model)
    assert model.method == "sync_image"
    assert header.trained_on.startswith("2 clips")
