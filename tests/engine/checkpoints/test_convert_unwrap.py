"""The network is found in what training programs make of it, and gives the numbers that it gave before."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from talkcli.engine.checkpoints.convert.deeptalk import DEE_FILE, FER_FILE, GEN_FILE, VQ_FILE
from talkcli.engine.checkpoints.convert.exchange import equal
from talkcli.engine.checkpoints.model_file import read_content
from talkcli.engine.errors import InputError
from talkcli.engine.pipelines.convert.deeptalk import OfficialFiles, export_deeptalk, import_deeptalk
from talkcli.engine.types import Silent
from tests.engine.checkpoints.official import TINY, State, official_states
from tests.engine.fakes import Told

OPTIONS = {GEN_FILE: "gen", DEE_FILE: "dee", FER_FILE: "fer", VQ_FILE: "vq"}
Wrap = Callable[[State], Any]


def _below(prefix: str, state: State, **beside: torch.Tensor) -> State:
    return {**{prefix + name: value for name, value in state.items()}, **beside}


def _lightning(state: State) -> dict[str, Any]:
    return {
        "epoch": 3,
        "global_step": 100,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": _below("model.", state, **{"loss.weight": torch.ones(3), "head.faces": torch.ones(2)}),
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 1e-4}]}],
        "lr_schedulers": [],
        "hyper_parameters": argparse.Namespace(lr=1e-4, name="x"),
    }


def _optimiser() -> dict[str, Any]:
    weight = torch.nn.Parameter(torch.ones(3))
    adam = torch.optim.Adam([weight])
    weight.sum().backward()
    adam.step()
    return adam.state_dict()


def _widened(state: State) -> State:
    return {name: value.double() if value.is_floating_point() else value for name, value in state.items()}


def _torch_2(state: State) -> State:
    return {
        name.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        ): value
        for name, value in state.items()
    }


WRAPS: dict[str, Wrap] = {
    "data parallel": lambda state: _below("module.", state),
    "compiled, data parallel": lambda state: _below("module._orig_mod.", state),
    "Lightning": _lightning,
    "Lightning of a data-parallel network": lambda state: {"state_dict": _below("net.module.", state)},
    "a module of somebody's": lambda state: {"model": _below("talking_head.", state, step=torch.ones(1))},
    "optimiser beside": lambda state: {"model_state_dict": state, "optimizer_state_dict": _optimiser()},
    "optimiser beside, data parallel": lambda state: {
        "epoch": 1,
        "model": _below("module.", state),
        "optimizer": _optimiser(),
        "scaler": {"scale": 65536.0},
    },
    "DeepSpeed": lambda state: {"module": state, "ds_version": "0.9", "ds_config": {"a": 1}},
    "net": lambda state: {"net": state, "lr": 0.1},
    "double": _widened,
    "torch 2": lambda state: _below("module.", _torch_2(state)),
}


@pytest.fixture(scope="module")
def states() -> dict[str, State]:
    return official_states()


@pytest.fixture(scope="module")
def plain(states: dict[str, State], tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """The weights of the model that the bare files make."""
    return _converted(states, tmp_path_factory.mktemp("plain"), lambda state: state)


def _converted(
    states: dict[str, State], folder: Path, wrap: Wrap, reporter: Silent | None = None
) -> dict[str, torch.Tensor]:
    folder.mkdir(exist_ok=True)
    paths = {}
    for name in (GEN_FILE, FER_FILE):
        paths[OPTIONS[name]] = folder / name
        torch.save(wrap(states[name]), folder / name)
    files, out = OfficialFiles(**paths), folder / "m.safetensors"
    import_deeptalk(files, out, reporter=reporter or Silent(), config=TINY)
    return read_content(out).weights


@pytest.mark.parametrize("kind", WRAPS)
def test_the_same_model_whatever_is_around_it(
    kind: str, states: dict[str, State], plain: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    found = _converted(states, tmp_path, WRAPS[kind])
    assert found.keys() == plain.keys()
    assert [name for name, value in plain.items() if not equal(value, found[name])] == []


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_half_precision(
    half: torch.dtype,
    prefix: str,
    states: dict[str, State],
    plain: dict[str, torch.Tensor],
    tmp_path: Path,
) -> None:
    """As `model.half()` stores it: whole numbers stay whole, position codes are rounded with the rest."""

    def rounded(state: State) -> State:
        return {name: value.to(half) if value.is_floating_point() else value for name, value in state.items()}

    found = _converted(states, tmp_path, lambda state: _below(prefix, rounded(state)))
    for name, value in plain.items():
        kept = name.startswith("prior.motion_scale")
        wanted = value.to(half).float() if value.is_floating_point() and not kept else value
        assert equal(found[name], wanted), name
    # The official code gets whole numbers in float32, its own position codes among them.
    export_deeptalk(tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    back = torch.load(tmp_path / "back" / DEE_FILE, weights_only=True)
    assert {value.dtype for value in back.values()} == {torch.float32}
    codes = "audio_encoder.audio_pos_encoder.pos_enc"
    assert equal(back[codes], states[DEE_FILE][codes])


def test_what_is_left_out_is_told(states: dict[str, State], tmp_path: Path) -> None:
    notes = Told()
    _converted(states, tmp_path, _lightning, notes)
    assert all("stands below model.; left out beside it: 2 tensors." in note for note in notes.notes)
    assert len(notes.notes) == 2


def test_safetensors_of_a_wrapped_network(
    states: dict[str, State], plain: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    for name in (GEN_FILE, FER_FILE):
        tensors = {key: value.clone().contiguous() for key, value in _below("model.", states[name]).items()}
        save_file(tensors, tmp_path / f"{name}.safetensors")
    files = OfficialFiles(gen=tmp_path / f"{GEN_FILE}.safetensors", fer=tmp_path / f"{FER_FILE}.safetensors")
    import_deeptalk(files, tmp_path / "m.safetensors", reporter=Silent(), config=TINY)
    found = read_content(tmp_path / "m.safetensors").weights
    assert all(equal(value, found[name]) for name, value in plain.items())


def _import(path: Path, option: str, fer: Path | None = None) -> None:
    files = OfficialFiles(**{option: path}, **({"fer": fer} if fer else {}))
    import_deeptalk(files, path.parent / "m.safetensors", reporter=Silent(), config=TINY)


@pytest.mark.parametrize("prefix", ["", "module.", "model.net."])
@pytest.mark.parametrize("name", [VQ_FILE, DEE_FILE])
def test_a_part_is_not_taken_out_of_the_whole(
    name: str, prefix: str, states: dict[str, State], tmp_path: Path
) -> None:
    """The generator holds both other networks below names of its own, and is none of them."""
    torch.save(_below(prefix, states[GEN_FILE]), tmp_path / "x.pth")
    torch.save(states[FER_FILE], tmp_path / "fer.pth")
    with pytest.raises(InputError, match=rf"was given as {name}, but holds the tensors of {GEN_FILE}"):
        _import(tmp_path / "x.pth", OPTIONS[name], tmp_path / "fer.pth" if name == DEE_FILE else None)


def test_a_network_that_is_there_twice(states: dict[str, State], tmp_path: Path) -> None:
    both = {**_below("model.", states[VQ_FILE]), **_below("ema.", states[VQ_FILE])}
    torch.save(both, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"holds the network 2 times: below model\.; ema\."):
        _import(tmp_path / "x.pth", "vq")


def test_what_is_missing_below_a_prefix_is_named(states: dict[str, State], tmp_path: Path) -> None:
    state = _below("module.", states[VQ_FILE])
    del state["module.upsample_t.bias"]
    torch.save({"state_dict": state}, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"does not hold the official tensors: missing upsample_t\.bias\.$"):
        _import(tmp_path / "x.pth", "vq")


def test_wrong_position_codes_are_found_at_any_precision(states: dict[str, State], tmp_path: Path) -> None:
    codes = "exp_encoder.exp_pos_encoder.pos_enc"
    torch.save(states[FER_FILE], tmp_path / "fer.pth")
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        state = {
            name: value.to(dtype) if value.is_floating_point() else value
            for name, value in states[DEE_FILE].items()
        }
        state[codes] = state[codes].flip(1)
        torch.save(state, tmp_path / "x.pth")
        with pytest.raises(InputError, match="sines and cosines"):
            _import(tmp_path / "x.pth", "dee", tmp_path / "fer.pth")
