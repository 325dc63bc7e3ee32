"""A new method by one row: `docs/add-a-method.md`, done with the toy method beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from talkcli.app import app
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.method_rows.row import Method
from talkcli.engine.methods import METHODS
from talkcli.engine.pipelines.training import data as training_data
from tests.engine.fakes import LinearHead, write_corpus

HERE = Path(__file__).parent / "toy"
ROOT = Path(__file__).resolve().parents[2]
HELLO = ROOT / "examples" / "hello.wav"
ROW = Method(
    model="tests.contracts.toy.model:Toy",
    config="tests.contracts.toy.model:ToyConfig",
    objective="tests.contracts.toy.objective:ToyObjective",
    objective_config="tests.contracts.toy.objective:ToyObjectiveConfig",
    recipe=str(HERE / "toy.yaml"),
    paper="ours",
    page="add-a-method.md",
    motion="coefficients",
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder of the toy method, trained on made-up clips."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(METHODS, "toy", ROW)
    monkeypatch.setattr(training_data, "load_head", lambda name: LinearHead())
    write_corpus(tmp_path / "corpus")
    trained = _talk("train", "toy", tmp_path / "corpus", "--out", tmp_path / "run", "--device", "cpu")
    assert trained["model"] == str(tmp_path / "run" / "best.safetensors")
    return tmp_path / "run"


def _talk(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json", "--quiet"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_it_learns(run: Path) -> None:
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    losses = [record["coefficient"] for record in log if "coefficient" in record]
    assert losses[-1] < losses[0]
    asked = json.loads((run / "run.json").read_text())
    assert (asked["method"], asked["recipe"]["model"]["width"]) == ("toy", 48)


def test_it_animates(run: Path, tmp_path: Path) -> None:
    report = _talk("animate", HELLO, "--model", run, "--takes", 2, "--out", tmp_path / "a.npz")
    motion, meta = read_motion(tmp_path / "a.take01.npz")
    assert np.isfinite(motion.coeffs).all()
    assert motion.coeffs.shape[1] == 53
    assert (meta["method"], meta["take"], report["method"]) == ("toy", 0, "toy")
    assert meta["origin"]["by"].startswith("toy ")


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (("--sigma", "0.1"), "no control of a toy model"),
        (("--emotion", "happy"), "takes the emotion only from the voice"),
        (("--actor", "Ann"), "knows no speakers"),
    ],
)
def test_what_it_does_not_understand_is_refused(
    run: Path, tmp_path: Path, wish: tuple[str, ...], sentence: str
) -> None:
    arguments = ["animate", str(HELLO), "--model", str(run), "--out", str(tmp_path / "a.npz"), *wish]
    result = CliRunner().invoke(app, arguments)
    assert sentence in str(result.exception)
    assert not (tmp_path / "a.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("toyy", "x"), "There is no method toyy"),
        (("toy", "x", "--stage", "2"), "has 1 stage"),
        (("toy", "x", "--part", "dee=x"), "--part dee is no part of toy"),
        (("toy", "x", "--part", "dee"), "is not of the form NAME=FILE"),
        (("deeptalk", "x", "--part", "dee=x", "--part", "dee=y"), "is given twice"),
        (("deeptalk", "x"), "--part dee is missing"),
        (("deeptalk", "x", "--stage", "3"), "has 2 stages"),
    ],
)
def test_what_cannot_be_trained_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(METHODS, "toy", ROW)
    result = CliRunner().invoke(app, ["train", *arguments, "--out", str(tmp_path / "run")])
    assert sentence in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_a_recipe_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus")
    command = ["train", "vae", str(tmp_path / "corpus"), "--recipe", "vqvae.debug", "--device", "cpu"]
    result = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "run")])
    assert "The recipe is for vqvae, not for vae" in str(result.exception)


def test_it_is_scored(run: Path, tmp_path: Path) -> None:
    report = _talk("score", "--dataset", tmp_path / "corpus", "--split", "val", "--model", run)
    assert report["generation"]["method"] == "toy"
    assert report["overall"]["lve_mm"]["value"] > 0


def test_it_is_listed(run: Path) -> None:
    rows = {row["method"]: row for row in _talk("methods")["methods"]}
    assert rows["toy"]["command"] == "train toy"
    assert rows["deeptalk"]["weights"] == "embedded"
    assert rows["toy"]["weights"] is None


def test_the_document_shows_the_files_that_are_tested() -> None:
    text = (ROOT / "docs" / "add-a-method.md").read_text(encoding="utf-8")
    for name in ("model.py", "objective.py", "toy.yaml"):
        content = (HERE / name).read_text(encoding="utf-8").strip()
        assert content.replace("tests.contracts.toy.model", "talkcli.engine.models.toy") in text, name
    assert yaml.safe_load((HERE / "toy.yaml").read_text(encoding="utf-8"))["train"]["steps"] == 30
