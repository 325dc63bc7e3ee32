"""FaceDiffuser's published state dicts to a model file and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.exchange import differences
from talkcli.engine.checkpoints.convert.facediffuser import FILE, layouts, tensors
from talkcli.engine.checkpoints.convert.published import Choices
from talkcli.engine.checkpoints.model_file import Meta, load_model, read_header, save_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.pipelines.convert.published import export_published, import_published
from talkcli.engine.types import Silent
from tests.engine.checkpoints.official import random_fill
from tests.engine.fakes import Told
from tests.engine.models.tiny_facediffuser import TINY_HUBERT, tiny_config, tiny_facediffuser

NUM_VERTS = 40


def state_of(**how: object) -> dict[str, Tensor]:
    """A tiny FaceDiffuser as its authors' code would save it."""
    fill = random_fill()
    return {entry.official: fill(entry) for entry in layouts("", tiny_config(**how), 3 * NUM_VERTS)[FILE]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.save(state_of(), tmp_path / "official.pth")
    np.save(tmp_path / "rest.npy", np.random.default_rng(0).normal(size=(NUM_VERTS, 3)).astype(np.float32))
    return tmp_path


def bring_in(folder: Path, dataset: str = "vocaset", file: str = "official.pth") -> dict[str, object]:
    return import_published(
        "facediffuser",
        [folder / file],
        folder / "m.safetensors",
        choices=Choices(dataset=dataset, template=str(folder / "rest.npy")),
        reporter=Silent(),
    )


@pytest.mark.parametrize(("dataset", "fps", "paired"), [("vocaset", 30, False), ("biwi", 25, True)])
def test_there_and_back(folder: Path, dataset: str, fps: int, paired: bool) -> None:
    bring_in(folder, dataset)
    header = read_header(folder / "m.safetensors")
    assert (header.num_verts, header.fps) == (NUM_VERTS, fps)
    assert "CC BY-NC 4.0" in header.licence
    model, _ = load_model(folder / "m.safetensors")
    assert (model.config.paired, model.config.times, model.config.content.frozen_layers) == (paired, 37, 2)
    np.testing.assert_array_equal(model.neutral, np.load(folder / "rest.npy"))
    told = Told()
    export_published("facediffuser", folder / "m.safetensors", folder / "back", reporter=told)
    back, state = torch.load(folder / "back" / FILE, weights_only=True), state_of()
    assert list(back) == list(state)
    assert differences(back, state) == []
    assert told.noted("the face at rest")


def test_files_that_are_none(folder: Path) -> None:
    state = state_of()
    for changed, said in (
        ({**state, "extra.weight": torch.zeros(2)}, "extra.weight"),
        ({name: value for name, value in state.items() if name != "gru.bias_hh_l1"}, "gru.bias_hh_l1"),
        ({**state, "norm_cond.bias": torch.zeros(3)}, "norm_cond.bias"),
        ({"a.weight": torch.zeros(2)}, "final_layer.weight"),
        ({name: value for name, value in state.items() if name != "time_mlp.0.weight"}, "time_mlp"),
    ):
        torch.save(changed, folder / "broken.pth")
        with pytest.raises(InputError, match=said):
            bring_in(folder, file="broken.pth")
    assert not (folder / "m.safetensors").exists()


def test_the_variant_for_blendshapes_is_refused(folder: Path) -> None:
    fill = random_fill()
    config = tiny_config(plain=True, motion="coefficients")
    torch.save({entry.official: fill(entry) for entry in tensors(config, 51)}, folder / "beat.pth")
    with pytest.raises(InputError, match="variant for blendshapes"):
        bring_in(folder, file="beat.pth")


def test_several_files(folder: Path) -> None:
    with pytest.raises(UsageError, match="is one file"):
        import_published(
            "facediffuser",
            [folder / "official.pth"] * 2,
            folder / "m.safetensors",
            choices=Choices(),
            reporter=Silent(),
        )


def save(path: Path, **how: object) -> None:
    """Write a model that talk made, at VOCASET's rate unless `how` says another."""
    config = tiny_config(**{"fps": 30, **how})
    coefficients = config.motion == "coefficients"
    model = tiny_facediffuser(config, 53 if coefficients else 3 * NUM_VERTS)
    meta = Meta(
        head="ada" if coefficients else "flame",
        channels=ADA if coefficients else (),
        num_verts=None if coefficients else NUM_VERTS,
        fps=config.fps,
        trained_on="n",
        licence="MIT",
    )
    save_model(path, model, meta=meta)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"fps": 25}, "fps 30 instead of 25"),
        ({"content": TINY_HUBERT.model_copy(update={"heads": 2})}, r"content\.heads 1 instead of 2"),
        ({"content": TINY_HUBERT.model_copy(update={"normalise": "none"})}, "utterance instead of none"),
    ],
)
def test_a_network_that_the_official_code_cannot_run_is_refused(
    tmp_path: Path, how: dict[str, object], said: str
) -> None:
    save(tmp_path / "m.safetensors", **how)
    with pytest.raises(UsageError, match=said):
        export_published("facediffuser", tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert not (tmp_path / "back").exists()


def test_coefficients_have_no_official_form(tmp_path: Path) -> None:
    save(tmp_path / "m.safetensors", motion="coefficients")
    with pytest.raises(InputError, match="makes coefficients"):
        export_published("facediffuser", tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
