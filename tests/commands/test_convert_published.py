"""`talk convert METHOD FILE...` from end to end, with a tiny FaceFormer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from talkcli.app import app
from talkcli.engine.checkpoints.convert.exchange import differences
from talkcli.engine.checkpoints.convert.faceformer import FILE
from talkcli.engine.errors import TalkError
from tests.engine.pipelines.test_convert_published import NUM_VERTS, state_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.save(state_of(), tmp_path / "vocaset.pth")
    np.save(tmp_path / "rest.npy", np.random.default_rng(0).normal(size=(NUM_VERTS, 3)).astype(np.float32))
    return tmp_path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["convert", "faceformer", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_there_and_back(folder: Path) -> None:
    model = folder / "m.safetensors"
    choices = ("--dataset", "vocaset", "--template", folder / "rest.npy")
    report = json.loads(run(folder / "vocaset.pth", *choices, "--out", model, "--json"))
    assert report["tensors"] == {FILE: len(state_of())}
    told = run(model, "--to", "official", "--out", folder / "back", "--quiet")
    assert f"faceformer, {FILE}" in told
    back = torch.load(folder / "back" / FILE, weights_only=True)
    assert differences(back, state_of()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("vocaset.pth", "--out", "m.safetensors"), "Give --dataset"),
        (("vocaset.pth", "vocaset.pth", "--out", "m.safetensors"), "is one file"),
        (("m.safetensors", "--to", "official", "--dataset", "biwi", "--out", "back"), "takes one model file"),
        (("absent.pth", "--out", "m.safetensors"), "absent.pth"),
    ],
)
def test_mistakes_are_sentences(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(TalkError) as caught:
        CliRunner().invoke(app, ["convert", "faceformer", *arguments], catch_exceptions=False)
    assert words in f"{caught.value.problem} {caught.value.hint}"
    assert not (folder / "m.safetensors").exists()
