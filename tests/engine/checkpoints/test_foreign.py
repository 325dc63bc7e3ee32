"""Files of strangers: every kind is read, nothing of them runs, and whatever is wrong becomes a sentence."""

from __future__ import annotations

import argparse
import collections
import enum
import os
import pickle
import random
import sys
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from talkcli.engine.checkpoints.fit import check_fit
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.errors import InputError

STATE = {
    "a.weight": torch.arange(12.0).reshape(3, 4),
    "b": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "steps": torch.tensor(7),
}


def assert_same(found: dict[str, torch.Tensor], state: dict[str, torch.Tensor] = STATE) -> None:
    assert found.keys() == state.keys()
    for name, value in state.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)


class Mode(enum.Enum):
    NONE = 0


@pytest.fixture
def omegaconf() -> Iterator[Any]:
    """A package that is there when the file is written and gone when it is read."""
    module: Any = types.ModuleType("omegaconf")

    class DictConfig:
        def __init__(self, content: Any) -> None:
            self.content = content

        def __setstate__(self, state: Any) -> None:
            raise AssertionError("ran")

    DictConfig.__module__, DictConfig.__qualname__ = "omegaconf", "DictConfig"
    Mode.__module__, Mode.__qualname__ = "omegaconf", "Mode"
    module.DictConfig, module.Mode = DictConfig, Mode
    sys.modules["omegaconf"] = module
    yield module
    sys.modules.pop("omegaconf", None)


def fairseq(omegaconf: Any) -> dict[str, Any]:
    counts = collections.defaultdict(list)
    counts[1].append(2)
    settings = omegaconf.DictConfig({Mode.NONE: [Mode.NONE, {1, 2}], "path": Path("x"), "kind": float})
    return {
        "args": argparse.Namespace(lr=[0.1], arch="data2vec"),
        "cfg": settings,
        "model": collections.OrderedDict(STATE) | {"_ema": {"a.weight": torch.zeros(1)}},
        "extra": counts,
    }


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "a.pt")
    assert_same(read_state_dict(tmp_path / "a.pt"))


def test_the_format_of_before_pytorch_1_6_is_read(tmp_path: Path) -> None:
    torch.save({"state_dict": STATE}, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    assert_same(read_state_dict(tmp_path / "a.pt"))
    mixed = {"model": STATE, "args": argparse.Namespace(a=1)}
    torch.save(mixed, tmp_path / "b.pt", _use_new_zipfile_serialization=False)
    assert_same(read_state_dict(tmp_path / "b.pt"))


@pytest.mark.parametrize("wrap", [["model"], ["state_dict"], ["state_dict", "model"]])
def test_weights_below_a_wrapper_are_found(tmp_path: Path, wrap: list[str]) -> None:
    content: Any = STATE
    for name in wrap:
        content = {name: content, "epoch": 3}
    torch.save(content, tmp_path / "a.pt")
    assert_same(read_state_dict(tmp_path / "a.pt"))


def test_safetensors_and_folders_are_read(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "model.safetensors")
    torch.save({"other": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    assert_same(read_state_dict(tmp_path / "model.safetensors"))
    assert_same(read_state_dict(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    assert read_state_dict(tmp_path).keys() == {"other"}


def test_settings_beside_the_tensors_stay_inert(tmp_path: Path, omegaconf: Any) -> None:
    torch.save(fairseq(omegaconf), tmp_path / "a.pt")
    del sys.modules["omegaconf"]
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "a.pt", weights_only=True)
    found = read_state_dict(tmp_path / "a.pt")
    assert_same(found)
    assert "omegaconf" not in sys.modules


def test_views_and_parameters_survive_the_second_reader(tmp_path: Path) -> None:
    storage = torch.arange(24.0)
    state = {
        "whole": storage.view(4, 6),
        "turned": storage.view(4, 6).T[2:],
        "part": storage[5:9],
        "empty": torch.zeros(0, 3),
        "flags": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    torch.save({"model": state, "args": argparse.Namespace(a=1)}, tmp_path / "a.pt")
    assert_same(read_state_dict(tmp_path / "a.pt"), state)


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.reduced = (function, args)

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("function", [os.system, eval, exec, open, getattr])
def test_a_file_that_wants_to_run_something_is_refused(tmp_path: Path, function: Any, zipped: bool) -> None:
    made = tmp_path / "made"
    argument = f"touch {made}" if function is os.system else f"open({str(made)!r}, 'w')"
    bad = {"model": STATE, "cfg": Call(function, argument)}
    torch.save(bad, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match="Nothing of it has run"):
        read_state_dict(tmp_path / "a.pt")
    assert not made.exists()


def test_a_function_of_another_package_is_not_called(tmp_path: Path, omegaconf: Any) -> None:
    def function() -> None:
        raise AssertionError("ran")

    function.__module__, function.__qualname__ = "omegaconf", "function"
    omegaconf.function = function
    torch.save({"model": STATE, "cfg": Call(function)}, tmp_path / "a.pt")
    assert_same(read_state_dict(tmp_path / "a.pt"))


def rewrite(source: Path, target: Path, name: str, content: bytes, compression: int = 0) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename.endswith(name) else old.read(info))


def test_no_damage_escapes_as_another_error(tmp_path: Path, omegaconf: Any) -> None:
    torch.save(fairseq(omegaconf), tmp_path / "a.pt")
    del sys.modules["omegaconf"]
    with zipfile.ZipFile(tmp_path / "a.pt") as archive:
        original = archive.read("a/data.pkl")
    dice = random.Random(0)
    outcomes = collections.Counter[str]()
    for _ in range(400):
        damaged = bytearray(original)
        for _ in range(dice.randint(1, 3)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        rewrite(tmp_path / "a.pt", tmp_path / "b.pt", "/data.pkl", bytes(damaged))
        try:
            read_state_dict(tmp_path / "b.pt")
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert min(outcomes["read"], outcomes["refused"]) > 20


def test_files_that_are_cut_short_are_refused(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "a.pt")
    torch.save(STATE, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    save_file(STATE, tmp_path / "a.safetensors")
    for name in ("a.pt", "old.pt", "a.safetensors"):
        whole = (tmp_path / name).read_bytes()
        for length in (0, 5, 20, len(whole) // 2, len(whole) - 3):
            (tmp_path / "cut").write_bytes(whole[:length])
            with pytest.raises(InputError):
                read_state_dict(tmp_path / "cut")


@pytest.mark.parametrize("settings", [False, True])
def test_a_changed_number_is_noticed(tmp_path: Path, omegaconf: Any, settings: bool) -> None:
    torch.save(fairseq(omegaconf) if settings else STATE, tmp_path / "a.pt")
    whole = (tmp_path / "a.pt").read_bytes()
    at = whole.index(STATE["a.weight"].numpy().tobytes())
    (tmp_path / "a.pt").write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    with pytest.raises(InputError, match="damaged"):
        read_state_dict(tmp_path / "a.pt")


def test_a_file_written_without_checksums_is_read(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(STATE, tmp_path / "a.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert_same(read_state_dict(tmp_path / "a.pt"))


@pytest.mark.parametrize("value", [torch.zeros(3, device="meta"), torch.zeros(3).to_sparse()])
def test_tensors_without_plain_numbers_are_refused(tmp_path: Path, value: torch.Tensor) -> None:
    torch.save({**STATE, "strange": value}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"without data or not in dense form: strange\."):
        read_state_dict(tmp_path / "a.pt")


def test_names_that_are_numbers_are_text(tmp_path: Path) -> None:
    torch.save({**STATE, 3: torch.zeros(1)}, tmp_path / "a.pt")
    assert read_state_dict(tmp_path / "a.pt").keys() == {*STATE, "3"}


def test_compressed_storages_are_refused(tmp_path: Path, omegaconf: Any) -> None:
    torch.save(fairseq(omegaconf), tmp_path / "a.pt")
    rewrite(tmp_path / "a.pt", tmp_path / "b.pt", "no such", b"", zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="compressed"):
        read_state_dict(tmp_path / "b.pt")


def test_what_is_no_weight_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no weight file"):
        read_state_dict(tmp_path / "missing.pt")
    with pytest.raises(InputError, match="holds none of"):
        read_state_dict(tmp_path)
    (tmp_path / "noise.pt").write_bytes(random.Random(0).randbytes(5000))
    with pytest.raises(InputError, match="not a weight file"):
        read_state_dict(tmp_path / "noise.pt")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="not one that PyTorch wrote"):
        read_state_dict(tmp_path / "other.zip")
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    with pytest.raises(InputError, match=r"no named tensors \(found: epoch\)"):
        read_state_dict(tmp_path / "empty.pt")
    torch.save(torch.zeros(3), tmp_path / "bare.pt")
    with pytest.raises(InputError, match="no named tensors"):
        read_state_dict(tmp_path / "bare.pt")


def test_what_does_not_fit_is_listed_up_to_eight() -> None:
    check_fit(STATE, STATE, "x")
    given = {"b": torch.zeros(3), "steps": torch.tensor(1), "more": torch.zeros(1)}
    with pytest.raises(InputError) as caught:
        check_fit(given, STATE, "x.pt")
    assert caught.value.problem == "x.pt: missing a.weight; unknown more; b is (3,) instead of (2,)."
    many = {f"n{index}": torch.zeros(1) for index in range(20)}
    with pytest.raises(InputError, match="unknown n7; and 12 more"):
        check_fit(many, {}, "x.pt")
