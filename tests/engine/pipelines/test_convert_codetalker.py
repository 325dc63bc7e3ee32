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
from talkcli.engine.checkpoints.model_file import Meta, load_model, read_content, read_header, save_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.pipelines.convert.published import export_published, import_published
from talkcli.engine.types import Silent
from tests.engine.checkpoints.official import random_fill
from tests.engine.fakes import Told
from tests.engine.models.codetalker.tiny_codetalker import TINY_VQ, tiny_codetalker, tiny_config

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
    template = str(folder / "rest.npy") if method == "codetalker" else None
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


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        (3, "the shapes of the tensors are not those of a codetalker_vq model"),
        (0, r"quantize\.embedding\.weight is \(64, 0\) instead of \(64, 1\)"),
    ],
)
def test_a_code_book_of_no_model_is_a_sentence(folder: Path, channels: int, said: str) -> None:
    state = states()[STAGE_1] | {"quantize.embedding.weight": torch.zeros(64, channels)}
    torch.save({"state_dict": state}, folder / STAGE_1)
    with pytest.raises(InputError, match=rf"^[^\n]*{said}\.$"):
        bring_in(folder, "codetalker_vq", STAGE_1)
    assert not (folder / "m.safetensors").exists()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"period": 20}, "period 30 instead of 20"),
        ({"heads": 2}, "heads 4 instead of 2"),
        ({"prior": TINY_VQ.model_copy(update={"heads": 4})}, r"prior\.heads 8 instead of 4"),
        (
            {"prior": TINY_VQ.model_copy(update={"positions": "frame"})},
            r"prior\.positions none instead of frame",
        ),
    ],
)
def test_a_network_that_the_official_code_cannot_run_is_refused(
    tmp_path: Path, how: dict[str, object], said: str
) -> None:
    save(tmp_path / "m.safetensors", how)
    with pytest.raises(UsageError, match=rf"no official form: the official code has {said} built in\.$"):
        export_published("codetalker", tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert not (tmp_path / "back").exists()


def test_a_model_that_talk_made_comes_back(folder: Path) -> None:
    save(folder / "own.safetensors", {"feedback_window": 9})
    told = Told()
    export_published("codetalker", folder / "own.safetensors", folder / "back", reporter=told)
    (note,) = told.notes
    assert note.startswith("The official files leave out: the face at rest, which `template` names")
    assert "feedback_window 9" in note
    bring_in(folder, "codetalker", f"back/{STAGE_1}", f"back/{STAGE_2}")
    own, back = (read_content(folder / f"{name}.safetensors") for name in ("own", "m"))
    assert differences(own.weights, back.weights) == ["neutral"]


def save(path: Path, how: dict[str, object]) -> None:
    """Write a model that talk made, at VOCASET's rate unless `how` says another."""
    model = tiny_codetalker(tiny_config(**{"fps": 30, **how}))
    meta = Meta(head="flame", channels=(), num_verts=NUM_VERTS, fps=30, trained_on="nothing", licence="MIT")
    save_model(path, model, meta=meta)


def test_models_without_an_official_form() -> None:
    with pytest.raises(InputError, match="another speech encoder"):
        layouts("codetalker", tiny_config(content=LogMelEncoderConfig(width=8, heads=2), period=25), 30)
