"""The training commands through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from talkcli.commands.train_dee import train_dee
from talkcli.commands.train_fer import train_fer
from talkcli.commands.train_gen import train_gen
from talkcli.commands.train_vq import train_vq
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.pipelines.training import data as training_data
from tests.engine.fakes import LinearHead, write_corpus

app = typer.Typer()
app.command("train-dee")(train_dee)
app.command("train-fer")(train_fer)
app.command("train-vq")(train_vq)
app.command("train-gen")(train_gen)


def _run(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(app, [*arguments, "--json", "--quiet"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_all_make_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_data, "load_head", lambda name: LinearHead())
    manifest, two = str(write_corpus(tmp_path / "corpus")), ("--set", "train.steps=2", "--device", "cpu")
    dee, vq, gen = (str(tmp_path / name) for name in ("dee", "vq", "gen"))
    assert "speech_uar" in _run("train-dee", manifest, "-o", dee, "--recipe", "dee.debug", *two)["measures"]
    assert "top_usage" in _run("train-vq", manifest, "-o", vq, "--recipe", "th_vqvae.debug", *two)["measures"]
    fer = str(tmp_path / "fer")
    assert "recall" in _run("train-fer", manifest, "-o", fer, "--recipe", "fer.debug", *two)["measures"]
    parts = ("--dee", dee, "--prior", vq)
    made = _run("train-gen", manifest, "-o", gen, *parts, "--recipe", "deeptalk.debug", *two)
    assert made["model"] == str(tmp_path / "gen" / "best.safetensors")
    assert Path(made["model"]).is_file()


def test_unknown_keys_are_caught_before_anything_else(tmp_path: Path) -> None:
    arguments = ["train-vq", "absent.jsonl", "-o", str(tmp_path / "run"), "--set", "model.widht=3"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, UsageError)
    assert "did you mean width" in result.exception.problem
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_best_model_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(training_data, "load_head", lambda name: LinearHead())
    out = tmp_path / "vq"
    command = ["train-vq", str(write_corpus(tmp_path / "corpus")), "-o", str(out), "--device", "cpu"]
    command += ["--recipe", "th_vqvae.debug", "--set", "train.steps=2"]
    _run(*command)
    best = out / "best.safetensors"
    whole = best.read_bytes()
    broken = whole[: len(whole) // 2] if damage == "cut" else whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
    best.write_bytes(broken)
    result = CliRunner().invoke(app, [*command, "--resume"])
    assert isinstance(result.exception, InputError)
    assert "best.safetensors" in result.exception.problem
    assert "--overwrite" in str(result.exception.hint)
    best.write_bytes(whole)
    _run(*command, "--resume")
