"""The front-end comes out of the recogniser's file whole, or with a list of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.lip_reader import load_lip_reader
from talkcli.engine.errors import InputError
from tests.engine.judges.lip_readers import random_state

REST = (
    "encoder.embed.0.weight",
    "encoder.encoders.0.norm.bias",
    "encoder.after_norm.weight",
    "decoder.x",
    "ctc.y",
)


def _save(path: Path, state: dict[str, Tensor], *, prefix: str = "encoder.frontend.") -> Path:
    named = {f"{prefix}{name}": value for name, value in state.items()}
    torch.save({**named, **({name: torch.zeros(2) for name in REST} if prefix else {})}, path)
    return path


@pytest.mark.parametrize("prefix", ["encoder.frontend.", ""])
@pytest.mark.parametrize("prelu", [False, True])
def test_the_whole_recogniser_or_its_front_end_alone(tmp_path: Path, prefix: str, prelu: bool) -> None:
    state = random_state(prelu=prelu)
    reader = load_lip_reader(_save(tmp_path / "reader.pth", state, prefix=prefix))
    loaded = reader.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in loaded.items())
    assert reader.config.activation == ("prelu" if prelu else "swish")
    assert not any(value.requires_grad for value in reader.parameters()) and not reader.training


def test_what_is_missing_unknown_or_misshapen_is_listed(tmp_path: Path) -> None:
    state = random_state()
    del state["trunk.layer3.1.bn2.bias"]
    state["trunk.layer5.0.conv1.weight"] = torch.zeros(3)
    state["frontend3D.0.weight"] = torch.zeros(64, 3, 5, 7, 7)
    path = _save(tmp_path / "reader.pth", state)
    with pytest.raises(InputError) as caught:
        load_lip_reader(path)
    for part in (
        "missing trunk.layer3.1.bn2.bias",
        "unknown trunk.layer5.0.conv1.weight",
        "(64, 3, 5, 7, 7)",
    ):
        assert part in caught.value.problem


def test_a_file_without_a_lip_reader_is_refused(tmp_path: Path) -> None:
    torch.save({"layers.0.weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="front-end of a lip reader"):
        load_lip_reader(tmp_path / "other.pth")
    with pytest.raises(InputError, match="no weight file"):
        load_lip_reader(tmp_path / "none.pth")
