"""The published files of FLINT and EMOTE to model files and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.checkpoints.convert.emote import EMOTE_FILE, FLINT_FILE, layouts
from talkcli.engine.checkpoints.convert.exchange import differences
from talkcli.engine.checkpoints.convert.mead import MEAD_SPEAKERS
from talkcli.engine.checkpoints.convert.published import Choices
from talkcli.engine.checkpoints.model_file import Meta, load_model, read_header, save_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.pipelines.convert.published import export_published, import_published
from talkcli.engine.types import Config, Silent
from tests.engine.checkpoints.official import random_fill
from tests.engine.fakes import Told
from tests.engine.models.emote.tiny_emote import TINY_FLINT, tiny_config, tiny_emote

FILES = {"flint": FLINT_FILE, "emote": EMOTE_FILE}


def config_of(method: str, more: int) -> Config:
    prior = TINY_FLINT.model_copy(update={"more_expressions": more})
    return prior if method == "flint" else tiny_config(prior=prior, identity=32)


def state_of(method: str, more: int = 0) -> dict[str, Tensor]:
    """A tiny file as the authors' code would save it."""
    fill = random_fill()
    (layout,) = layouts(method, config_of(method, more)).values()
    return {entry.official: fill(entry) for entry in layout}


def write(path: Path, state: dict[str, Tensor]) -> Path:
    """Write a checkpoint of Lightning, with what else lies in the released ones."""
    beside = {"renderer.ambient": torch.ones(3), "preprocessor.flame.v_template": torch.zeros(9, 3)}
    whole = {
        "epoch": 7,
        "pytorch-lightning_version": "1.4.9",
        "hyper_parameters": {"cfg": {"model": {"sizes": [1, 2]}}},
        "state_dict": {**state, **beside},
        "optimizer_states": [{"state": {0: torch.ones(2)}}],
    }
    torch.save(whole, path)
    return path


def bring_in(method: str, path: Path, reporter: Told | None = None, **choices: str) -> Path:
    out = path.with_name("m.safetensors")
    import_published(method, [path], out, choices=Choices(**choices), reporter=reporter or Silent())
    return out


@pytest.mark.parametrize("more", [0, 50])
@pytest.mark.parametrize("method", FILES)
def test_there_and_back(tmp_path: Path, method: str, more: int) -> None:
    state, told = state_of(method, more), Told()
    path = bring_in(method, write(tmp_path / "last.ckpt", state), told)
    # What the released code keeps beside the network is left out, and said.
    assert told.noted("renderer.ambient")
    header = read_header(path)
    assert (header.method, header.head, header.channels, header.fps) == (method, "flame", FLAME, 25)
    assert "non-commercial" in header.licence
    model, _ = load_model(path)
    prior = model.config if method == "flint" else model.config.prior
    assert (prior.more_expressions, prior.feedforward, prior.width) == (more, 22, 16)
    if method == "emote":
        assert model.config.speakers == MEAD_SPEAKERS
        assert model.generate(torch.zeros(1, 3200)).shape == (1, 5, 53)
    export_published(method, path, tmp_path / "back", reporter=Silent())
    back = torch.load(tmp_path / "back" / FILES[method], weights_only=True)["state_dict"]
    assert list(back) == list(state)
    assert differences(back, state) == []
    # Once more, from what was written.
    again = bring_in(method, tmp_path / "back" / FILES[method])
    assert again.read_bytes()[-1000:] == path.read_bytes()[-1000:]


def test_files_that_are_none(tmp_path: Path) -> None:
    state = state_of("emote")
    path = write(tmp_path / "a.ckpt", state)
    with pytest.raises(UsageError, match="one file, not 2"):
        import_published("emote", [path, path], tmp_path / "m.safetensors", reporter=Silent())
    with pytest.raises(UsageError, match="no choice of emote"):
        bring_in("emote", path, dataset="vocaset")
    with pytest.raises(InputError, match="missing motion_decoder"):
        bring_in("flint", path)
    last = "sequence_decoder.motion_prior.motion_decoder.cross_smooth_layer"
    wide = {**state, f"{last}.weight": torch.zeros(60, 16, 5), f"{last}.bias": torch.zeros(60)}
    with pytest.raises(InputError, match="makes 60 numbers a frame; the released models make 53 or 103"):
        bring_in("emote", write(tmp_path / "b.ckpt", wide))
    few = {name: value for name, value in state.items() if name != "sequence_decoder.decoder.bias"}
    with pytest.raises(InputError, match=r"missing sequence_decoder\.decoder\.bias"):
        bring_in("emote", write(tmp_path / "c.ckpt", few))
    # One person fewer than none.
    narrow = {**state, "sequence_decoder.obj_vector.map.weight": torch.zeros(12, 11)}
    with pytest.raises(InputError, match="not those of a emote model"):
        bring_in("emote", write(tmp_path / "d.ckpt", narrow))
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"period": 25}, "period 30 instead of 25"),
        ({"heads": 4}, "heads 8 instead of 4"),
        ({"prior": TINY_FLINT.model_copy(update={"heads": 4})}, r"prior\.heads 8 instead of 4"),
        (
            {"prior": TINY_FLINT.model_copy(update={"more_expressions": 7})},
            "53 or 103 numbers a frame, not 60",
        ),
    ],
)
def test_a_network_that_the_official_code_cannot_run(
    tmp_path: Path, how: dict[str, object], said: str
) -> None:
    save(tmp_path / "m.safetensors", **how)
    with pytest.raises(UsageError, match=said):
        export_published("emote", tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert not (tmp_path / "back").exists()


def test_another_encoder_has_no_official_form(tmp_path: Path) -> None:
    small = LogMelEncoderConfig(width=16, layers=1, heads=4, feedforward=16)
    save(tmp_path / "m.safetensors", content=small)
    with pytest.raises(InputError, match="another speech encoder"):
        export_published("emote", tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())


def save(path: Path, **how: object) -> None:
    meta = Meta(head="flame", channels=FLAME, fps=25, trained_on="n", licence="MIT")
    save_model(path, tiny_emote(tiny_config(**how)), meta=meta)
