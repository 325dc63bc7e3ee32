"""States on disk: equal ones have equal bytes, and no changed byte is taken for a state."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from talkcli.engine.errors import InputError
from talkcli.engine.train.state_file import read_state, write_state
from tests.engine.train.test_run_folder import at_step


def _refused(path: Path) -> InputError:
    with pytest.raises(InputError, match="Training cannot resume") as caught:
        read_state(path)
    assert path.name in caught.value.problem
    assert "`overwrite`" in str(caught.value.hint)
    assert len(caught.value.problem) < 1000
    return caught.value


def test_equal_states_have_equal_bytes(tmp_path: Path) -> None:
    write_state(tmp_path / "first.pt", at_step(3))
    write_state(tmp_path / "elsewhere" / "second.pt", at_step(3))
    whole = (tmp_path / "first.pt").read_bytes()
    assert (tmp_path / "elsewhere" / "second.pt").read_bytes() == whole
    # Also once it was read: equal texts are then no longer the same ones.
    write_state(tmp_path / "again.pt", read_state(tmp_path / "first.pt"))
    assert (tmp_path / "again.pt").read_bytes() == whole
    write_state(tmp_path / "other.pt", at_step(4))
    assert (tmp_path / "other.pt").read_bytes() != whole


def test_every_flipped_bit_of_content_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    write_state(path, at_step(3, size=200))
    whole, state = path.read_bytes(), read_state(path)
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.choice(len(whole), 150, replace=False):
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            found = read_state(path)
        except InputError:
            refused += 1
            continue
        # Padding, dates and the like: then it says what it said before.
        assert found.step == state.step
        assert found.best == state.best
        assert torch.equal(found.model["w"], state.model["w"])
        assert torch.equal(found.optimiser.state[0]["exp_avg"], state.optimiser.state[0]["exp_avg"])
    assert refused > 75


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_cut_files(share: float, tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    write_state(path, at_step(3))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    _refused(path)


def _saved(path: Path, **changed: Any) -> Path:
    """A state with other parts, an Ellipsis for those left out, and no SHA-256."""
    content = {**at_step(3).model_dump(), **changed}
    torch.save({name: value for name, value in content.items() if value is not ...}, path)
    return path


WRONG = {
    "no-model": {"model": ...},
    "no-optimiser": {"optimiser": ...},
    "no-step": {"step": ...},
    "no-best": {"best": ...},
    "no-frozen": {"frozen": ...},
    "no-average": {"average": ...},
    "step-text": {"step": "3"},
    "step-float": {"step": 3.0},
    "step-true": {"step": True},
    "step-negative": {"step": -1},
    "step-tensor": {"step": torch.tensor(3)},
    "model-list": {"model": [torch.zeros(3)]},
    "model-number": {"model": {"w": 3.0}},
    "model-keys": {"model": {3: torch.zeros(3)}},
    "optimiser-list": {"optimiser": []},
    "optimiser-keys": {"optimiser": {"state": {"0": {}}}},
    "optimiser-number": {"optimiser": {"state": {0: {"step": 3.0}}}},
    "best-text": {"best": {"score": "low", "step": 3.0}},
    "best-no-score": {"best": {"step": 3.0}},
    "average-none": {"average": None},
    "more": {"more": 1},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_parts_that_are_missing_or_of_another_type(changed: dict[str, Any], tmp_path: Path) -> None:
    assert "damaged" in _refused(_saved(tmp_path / "state.pt", **changed)).problem


def test_a_change_under_right_checksums_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    write_state(path, at_step(3))
    content = torch.load(path, weights_only=True)
    content["model"]["w"][1] += 1
    torch.save(content, path)
    assert "SHA-256" in _refused(path).problem


def test_states_of_versions_without_a_digest_are_read(tmp_path: Path) -> None:
    groups = [{"lr": 1.0, "betas": (0.9, 0.99), "params": [0]}]
    old = {"state": at_step(3).optimiser.state, "param_groups": groups}
    assert read_state(_saved(tmp_path / "state.pt", optimiser=old)).step == 3


@pytest.mark.parametrize("what", ["a list", 3, None, {"a": {"b": {}}}])
def test_what_is_no_state(what: Any, tmp_path: Path) -> None:
    torch.save(what, tmp_path / "state.pt")
    _refused(tmp_path / "state.pt")


def test_what_is_no_archive_of_torch(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    deep: Any = ()
    for _ in range(400):
        deep = (deep,)
    for content in (b"", b"\0" * 1000, b"PK\x03\x04", pickle.dumps(deep), b"<html>"):
        path.write_bytes(content)
        _refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"cos\nsystem\n(S'true'\ntR.")
        archive.writestr("archive/version", b"3")
    _refused(path)
    path.unlink()
    path.mkdir()
    _refused(path)
