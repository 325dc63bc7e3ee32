"""CodeTalker's published files to model files and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.checkpoints.convert.codetalker import STAGE_1, STAGE_2, layouts
from talkcli.engine.checkpoints.convert.exchange import differences
from talkcli.engine.checkpoints.convert.layout import Layout
from talkcli.engine.checkpoints.convert.published import Choices
from talkcli.engine.checkpoints.model_file import load_model, read_header
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.pipelines.convert.published import export_published, import_published
from talkcli.engine.types import Silent
from tests.engine.checkpoints.official import random_fill
from tests.engine.models.codetalker.tiny_codetalker import tiny_config

NUM_VERTS = 10


def states() -> dict[str, dict[str, Tensor]]:
    """Tiny files as the authors' code would save them."""
    fill = random_fill()

    def state(layout: Layout) -> dict[str, Tensor]:
        return {entry.official: entry.codes() if entry.codes else fill(entry) for entry in layout}

    return {name: state(form) for name, form in layouts("codetalker", tiny_config(), 3 * NUM_VERTS).items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, state in states().items():
        torch.save({"state_dict": state, "epoch": 3}, tmp_path / name)
    np.save(tmp_path / "rest.npy", np.random.default_rng(0).normal(size=(NUM_VERTS, 3)).astype(np.float32))
    return tmp_path


def bring_in(folder: Path, method: str, *names: str) -> None:
    template = folder / "rest.npy" if method == "codetalker" else None
    import_published(
        method,
        [folder / name for name in names],
        folder / "m.safetensors",
        choices=Choices(dataset="vocaset", template=template),
        reporter=Silent(),
    )


@pytest.mark.parametrize("names", [(STAGE_2, STAGE_1), (STAGE_1, STAGE_2)])
def test_both_stages_there_and_back(folder: Path, names: tuple[str, str]) -> None:
    bring_in(folder, "codetalker", *names)
    header = read_header(folder / "m.safetensors")
    assert (header.head, header.num_verts, header.fps) == ("flame", NUM_VERTS, 30)
    model, _ = load_model(folder / "m.safetensors")
    assert model.config.prior.codes_per_frame == 4
    np.testing.assert_array_equal(model.neutral, np.load(folder / "rest.npy"))
    export_published("codetalker", folder / "m.safetensors", folder / "back", reporter=Silent())
    for name, state in states().items():
        back = torch.load(folder / "back" / name, weights_only=True)["state_dict"]
        assert list(back) == list(state)
        assert differences(back, state) == []


def test_stage_1_alone_there_and_back(folder: Path) -> None:
    bring_in(folder, "codetalker_vq", STAGE_1)
    export_published("codetalker_vq", folder / "m.safetensors", folder / "back", reporter=Silent())
    back = torch.load(folder / "back" / STAGE_1, weights_only=True)["state_dict"]
    assert differences(back, states()[STAGE_1]) == []


def test_files_that_make_no_model(folder: Path) -> None:
    with pytest.raises(UsageError, match="two files"):
        bring_in(folder, "codetalker", STAGE_2)
    with pytest.raises(UsageError, match="one file"):
        bring_in(folder, "codetalker_vq", STAGE_1, STAGE_2)
    with pytest.raises(InputError, match="holds the auto-encoder"):
        bring_in(folder, "codetalker", STAGE_2, STAGE_2)
    with pytest.raises(InputError, match=r"missing decoder\.vertice_map_reverse"):
        bring_in(folder, "codetalker_vq", STAGE_2)
    assert not (folder / "m.safetensors").exists()


def test_models_without_an_official_form() -> None:
    with pytest.raises(InputError, match="another speech encoder"):
        layouts("codetalker", tiny_config(content=LogMelEncoderConfig(width=8, heads=2), period=25), 30)
