from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from talkcli.commands.score import app
from talkcli.commands.score_paper_tables import show_models
from talkcli.console import Console
from talkcli.engine.audio.io import write_wav
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.files import sha256
from talkcli.engine.methods import METHODS
from talkcli.engine.pipelines.score.paper_table import published_rows
from talkcli.engine.pipelines.score.published import TABLES
from talkcli.engine.types import Motion, Speech
from tests.report_schema import faults


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a data set VOCASET of one clip on the own head."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "300")
    folder = tmp_path / "vocaset"
    folder.mkdir()
    draw = np.random.default_rng(0)
    files = {"audio": folder / "a.wav", "motion": folder / "a.npz"}
    coeffs = draw.uniform(0, 0.3, (25, len(ADA))).astype(np.float32)
    write_motion(files["motion"], Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA))
    write_wav(files["audio"], Speech(samples=draw.normal(0, 0.1, 16_000).astype(np.float32)))
    line = {
        "id": "a", "fps": 25.0, "speaker": "s", "split": "test", "licence": "MIT",
        "emotion": "happy", "intensity": 1.0, "sha256": {kind: sha256(path) for kind, path in files.items()},
    } | {kind: path.name for kind, path in files.items()}  # fmt: skip
    (folder / "manifest.jsonl").write_text(json.dumps(line) + "\n")
    return str(folder)


def first_words(table: str) -> list[str]:
    """Return the first column of a printed table."""
    return [line.split("  ")[0].strip() for line in table.splitlines()]


def test_every_model_has_a_row_beside_the_published_ones(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [word for name in ("rules", "embedded", "absent.pt") for word in ("--model", name)]
    asked = ["--dataset", data, "--table", "vocaset", *models]
    result = CliRunner().invoke(app, [*asked, "--json"])
    # The model that cannot be read ends the command with its exit code, and leaves the others their rows.
    assert result.exit_code == InputError.exit_code and "absent.pt" in result.stderr
    document = json.loads(result.stdout)
    assert faults(document) == []
    rules, embedded, absent = document["models"]
    assert absent["report"] is None and absent["paper_table"] is None and "absent.pt" in absent["reason"]
    for row in (rules, embedded):
        cell = row["paper_table"]["ours"][0]["value"]
        assert cell == pytest.approx(row["report"]["overall"]["lve_m2"]["value"] * 1e5)
    assert rules["report"]["overall"] != embedded["report"]["overall"]
    # A model by itself has the same numbers.
    alone = json.loads(CliRunner().invoke(app, [*asked[:4], "--model", "rules", "--json"]).stdout)
    assert alone["overall"] == rules["report"]["overall"]
    shown = first_words(CliRunner().invoke(app, asked).stdout)
    assert [word for word in shown if word.startswith("talk: ")] == ["talk: rules", "talk: embedded"]
    # A model of a method that the table names stands below it.
    embedded["report"]["generation"]["method"] = "faceformer"
    show_models(Console(quiet=True), document)
    words = first_words(capsys.readouterr().out)
    assert words[words.index("FaceFormer") + 1] == "talk: embedded"
    assert words.index("talk: rules") > words.index("EmoFace")


def test_a_row_of_the_table_belongs_to_its_method() -> None:
    for name, table in TABLES.items():
        known = {row for method in METHODS for row in published_rows(method, list(table.rows))}
        assert known, name
    rows = ["FaceFormer", "EMOTE (MEAD)", "EmoTalk", "DEEPTalk, without codes", "DEEPTalk"]
    assert published_rows("emotalk", rows) == ["EmoTalk"]
    assert published_rows("deeptalk", rows) == ["DEEPTalk, without codes", "DEEPTalk"]
    assert published_rows("rules", rows) == [] and published_rows(None, rows) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--dataset", "x"], "table of the papers"),
        (["a.npz", "--table", "main"], "files are given"),
        (["--dataset", "x", "--table", "main", "--report", "page.html"], "one model"),
        (["--dataset", "x", "--table", "main", "--fail-if", "lve_mm>1"], "one model"),
        (["--dataset", "x", "--table", "main", "--junit", "cases.xml"], "one model"),
        (["--dataset", "x", "--table", "main", "--model", "rules"], "twice"),
        (["--dataset", "x", "--table", "main", "--sigma", "1"], "--sigma is an option of one model"),
        (["--dataset", "x", "--table", "main", "--actor", "a"], "--actor is an option of one model"),
    ],
)
def test_several_models_refuse_what_is_about_one(options: list[str], words: str) -> None:
    result = CliRunner().invoke(app, [*options, "--model", "rules", "--model", "embedded"])
    assert isinstance(result.exception, UsageError) and words in result.exception.problem


def test_models_that_all_fail_end_with_the_first_error(data: str) -> None:
    models = ["--model", "absent.pt", "--model", "missing.pt"]
    result = CliRunner().invoke(app, ["--dataset", data, "--table", "vocaset", *models])
    assert isinstance(result.exception, InputError) and "absent.pt" in result.exception.problem
    assert result.stdout == ""
