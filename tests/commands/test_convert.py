"""`talk convert` from end to end, with the two official files that are small."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from talkcli.app import main
from talkcli.engine.checkpoints.convert import deeptalk
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from tests.engine.checkpoints.official import random_fill


class Said(NamedTuple):
    """What a command left behind."""

    exit_code: int
    out: str
    err: str


@pytest.fixture
def talk(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """`talk convert deeptalk` in this process, in `folder`: a process of its own takes seconds."""

    def run(*arguments: str) -> Said:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["talk", "convert", "deeptalk", *arguments])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """FER.pth and TH-VQVAE.pth at their released sizes."""
    fill = random_fill()
    for name, layout in (
        ("FER.pth", deeptalk.fer(FerConfig())),
        ("TH-VQVAE.pth", deeptalk.th_vqvae(ThVqvaeConfig())),
    ):
        torch.save({entry.official: fill(entry) for entry in layout}, tmp_path / name)
    return tmp_path


def test_there_and_back(talk: Callable[..., Said], folder: Path) -> None:
    result = talk("--vq", "TH-VQVAE.pth", "--out", "vq.safetensors", "--json")
    assert result.exit_code == 0, result.err
    report = json.loads(result.out)
    assert report["method"] == "th_vqvae"
    assert report["tensors"] == {"TH-VQVAE.pth": 96}
    assert report["numbers"] == {"TH-VQVAE.pth": 3_033_145}
    result = talk("vq.safetensors", "--to", "official", "--out", "back")
    assert result.exit_code == 0, result.err
    assert result.out == "back/TH-VQVAE.pth: th_vqvae, TH-VQVAE.pth (96 tensors)\n"
    one, two = (torch.load(folder / at / "TH-VQVAE.pth", weights_only=True) for at in ("", "back"))
    assert list(one) == list(two)
    assert all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["--out", "m.safetensors"], 2, "No official file"),
        (["--gen", "FER.pth", "--out", "m.safetensors"], 2, "--fer is missing"),
        (["--vq", "absent.pth", "--out", "m.safetensors"], 3, "absent.pth"),
        (["--vq", "FER.pth", "--out", "m.safetensors"], 3, "was given as TH-VQVAE.pth"),
        (["--fer", "FER.pth", "--out", "FER.pth"], 2, "also read"),
        (["FER.pth", "--out", "m.safetensors"], 2, "has no option before it"),
        (["--fer", "FER.pth", "--to", "official", "--out", "back"], 2, "one model file of ours"),
        (["FER.pth", "--to", "official", "--out", "back"], 3, "not a complete safetensors file"),
        (["--fer", "FER.pth", "--to", "theirs", "--out", "back"], 2, "theirs"),
    ],
)
def test_mistakes(
    arguments: list[str], exit_code: int, words: str, talk: Callable[..., Said], folder: Path
) -> None:
    result = talk(*arguments)
    assert result.exit_code == exit_code, result.err
    assert words in result.err
    assert "Traceback" not in result.err
    assert sorted(path.name for path in folder.iterdir()) == ["FER.pth", "TH-VQVAE.pth"]
