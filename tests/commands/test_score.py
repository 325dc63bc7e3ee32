from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import get_args, get_type_hints
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from talkcli.commands.score import app, with_command
from talkcli.commands.score_motions import motions
from talkcli.engine.audio.degrade import DEGRADATIONS
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.engine.types import Motion
from tests.report_schema import faults

# What every report says of who made the motion and of what.
_ORIGINS = {
    "talk": "0", "dataset": None,
    "generation": {
        "model_name": "embedded", "method": "deeptalk", "weights_sha256": "ab" * 32, "sigma": None,
        "actor": None, "takes": 1, "seed": 0, "degrade": None,
        "layers": False,
    },
}  # fmt: skip


def test_table_names_vertex_sets_and_reasons(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    for name, info in METRICS.items():
        assert (name in result.stdout.split()) == info.shown
    assert "all (40)" in result.stdout
    assert "no sound given" in result.stdout
    row = next(line for line in result.stdout.splitlines() if "mve_mm" in line)
    assert " mm " in row
    assert "clip mean of 1" in row


def test_the_option_offers_every_degradation() -> None:
    offered = get_args(get_type_hints(motions)["degraded"])[0]
    assert get_args(offered) == DEGRADATIONS


@pytest.mark.parametrize("option", [["--degrade", "noise"], ["--layers"]])
def test_how_a_model_performs_is_no_option_of_motion_that_is_there(
    arguments: list[str], option: list[str]
) -> None:
    with pytest.raises(UsageError, match=option[0]):
        CliRunner().invoke(app, [*arguments, *option], catch_exceptions=False)


def test_json_is_one_document(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--json", "--per-clip"], catch_exceptions=False)
    document = json.loads(result.stdout)
    assert document["overall"]["mve_mm"]["value"] > 0
    assert document["overall"]["sync_r"]["value"] is None
    assert document["overall"]["sync_r"]["reason"]
    assert document["clips"][0]["id"] == "predicted"


def test_per_clip_adds_a_row_for_each(arguments: list[str]) -> None:
    assert "predicted" not in CliRunner().invoke(app, arguments).stdout
    assert "predicted" in CliRunner().invoke(app, [*arguments, "--per-clip"]).stdout


@pytest.mark.parametrize(("limit", "code"), [("mve_mm=1e6", 0), ("mve_mm=0", 7)])
def test_fail_over(arguments: list[str], limit: str, code: int) -> None:
    result = CliRunner().invoke(app, [*arguments, "--fail-over", limit, "--json"])
    assert result.exit_code == code
    assert len(json.loads(result.stdout)["missed"]) == (code == 7)
    assert ("Thresholds not met" in result.stderr) == (code == 7)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], ["motions"]),
        (["a.npz", "--truth", "b.npz"], ["motions", "a.npz", "--truth", "b.npz"]),
        (["--dataset", "ravdess"], ["motions", "--dataset", "ravdess"]),
        (["motions", "a.npz"], ["motions", "a.npz"]),
        # A file that is called like a command.
        (["./motions"], ["motions", "./motions"]),
        (["a.npz", "emotion"], ["motions", "a.npz", "emotion"]),
        (["--table", "emotion", "--dataset", "x"], ["emotion", "--dataset", "x"]),
        (["--dataset", "x", "--table=diversity", "--json"], ["diversity", "--dataset", "x", "--json"]),
        (["--table", "main", "--dataset", "x"], ["motions", "--table", "main", "--dataset", "x"]),
        (["--table"], ["motions", "--table"]),
        (["--", "--table", "emotion"], ["motions", "--", "--table", "emotion"]),
        (["--help"], ["--help"]),
        (["-h"], ["-h"]),
    ],
)
def test_the_name_of_the_command_may_be_left_out(given: list[str], meant: list[str]) -> None:
    assert with_command(given, ("motions", "dataset", "diversity", "emotion")) == meant


def test_help_shows_the_commands_and_the_options_of_the_usual_one() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    for words in ("motions", "dataset", "diversity", "emotion", "--truth", "--fail-under", "--json"):
        assert words in shown
    shown = CliRunner().invoke(app, ["emotion", "--help"], env={"COLUMNS": "200"}).stdout
    assert "--emotions-of" in shown
    assert "--layers" not in shown


def test_a_named_data_set_is_that_of_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """`talk score dataset x` is `talk score --dataset x`, with all its options."""
    asked = []

    def scored(predictions: object, **options: object) -> dict[str, object]:
        asked.append((predictions, {key: value for key, value in options.items() if key != "reporter"}))
        raise UsageError("Stop.")

    monkeypatch.setattr("talkcli.engine.pipelines.score.motions.score_motions", scored)
    rest = ["--split", "val", "--takes", "2", "--seed", "3"]
    CliRunner().invoke(app, ["dataset", "x", *rest])
    CliRunner().invoke(app, ["--dataset", "x", *rest])
    assert asked[0] == asked[1]
    assert asked[0][1]["dataset"] == "x"
    assert asked[0][1]["generation"].takes == 2  # type: ignore[attr-defined]


def test_a_table_has_no_options_that_it_does_not_use(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--table", "diversity"])
    assert result.exit_code == 2
    assert "--truth" in result.stderr
    result = CliRunner().invoke(app, ["--table", "diversity", "--sigma", "0.1"])
    assert result.exit_code == 2
    assert "--sigma" in result.stderr
    assert CliRunner().invoke(app, [arguments[0], "--table", "diversity"]).exit_code == 2


def test_the_table_names_its_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    cell = {"value": 1.25, "reason": None}
    row = {"sigma": -2.0, "tau_top": 0.0, "tau_bottom": 0.0, "lse_d": {"value": None, "reason": "no weights"}}
    row |= dict.fromkeys(("diversity_mm", "diversity_l2", "sync_r", "bilabial_closure"), cell)
    row["codes"] = {"top": {"num_codes": 8, "used": 0.25, "perplexity": 1.9}}
    codes = row | {"sigma": None, "tau_top": 0.5, "tau_bottom": 0.5}
    asked = {}

    def table(**options: object) -> dict[str, object]:
        asked.update(options)
        return _ORIGINS | {"head": "ada", "clips": ["a"], "takes": 10, "rows": [row, codes]}

    monkeypatch.setattr("talkcli.engine.pipelines.score.diversity.diversity_table", table)
    result = CliRunner().invoke(app, ["--table", "diversity", "--audio", "a.wav"], catch_exceptions=False)
    assert asked["generation"].takes == 10  # type: ignore[attr-defined]
    for words in (
        "vertices of ada",
        "coefficient sequences of ada",
        "sigma -2",
        "argmax",
        "tau 0.5, 0.5",
        "1.250",
    ):
        assert words in result.stdout
    assert "LSE-D (our judge): no weights." in result.stderr


def test_the_table_of_emotion_has_errors_chances_and_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    cell = {
        "value": None,
        "unit": "",
        "chance": None,
        "standard_error": None,
        "clips": 0,
        "reason": "no sound",
    }
    measures = dict.fromkeys(EMOTION_MEASURES, cell)
    truth = {"text": "performed by rules", "stand_in": True}
    measures["emotion_uar"] = cell | {"value": 0.5, "chance": 0.125, "standard_error": 0.04, "clips": 120}
    report = _ORIGINS | {
        "measures": measures,
        "num_clips": 120,
        "emotions": ["calm"],
        "errors_over": "speakers",
        "speakers": {"a": {}},
        "training_set": {"manifest": "m.jsonl", "clips": 7, "truth": truth},
        "truth": truth,
        "clips": [{"id": "one", "speaker": "a", "emotion": "calm", "emotion_uar": "sad"}],
        "thresholds": [],
        "missed": ["emotion_uar is 0.5, under 0.52"],
    }
    asked = {}

    def table(inputs: object, **options: object) -> dict[str, object]:
        asked.update(options, inputs=inputs)
        return report

    monkeypatch.setattr("talkcli.engine.pipelines.score.emotion.table.emotion_table", table)
    arguments = ["--table", "emotion", "--dataset", "x", "--fail-under", "emotion_uar=0.52", "--per-clip"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 7
    assert asked["thresholds"][0].metric == "emotion_uar"  # type: ignore[index]
    for words in ("0.500 ± 0.040", "0.125", "no sound", "over speakers", "sad"):
        assert words in result.stdout
    assert "7 clips of m.jsonl: performed by rules" in result.stdout
    # Measures of the one list are none of the other.
    result = CliRunner().invoke(app, ["--table", "emotion", "--dataset", "x", "--fail-under", "mve_mm=1"])
    assert isinstance(result.exception, UsageError)
    result = CliRunner().invoke(app, ["--table", "emotion", "--dataset", "x", "--takes", "3"])
    assert result.exit_code == 2
    assert "--takes" in result.stderr
    result = CliRunner().invoke(app, ["--table", "emotion", "--dataset", "x", "--model", "rules"])
    assert "--model rules" in result.exception.problem  # type: ignore[union-attr]


def test_fail_if_and_junit(arguments: list[str], tmp_path: Path) -> None:
    junit = tmp_path / "ci" / "score.xml"
    limits = ["--fail-if", "mve_mm>1e6", "--fail-if", "mve_mm >= 0", "--junit", str(junit)]
    result = CliRunner().invoke(app, [*arguments, *limits, "--json"])
    assert result.exit_code == 7
    document = json.loads(result.stdout)
    assert [item["missed"] is None for item in document["thresholds"]] == [True, False]
    assert faults(document) == []
    suite = ElementTree.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")


def test_junit_names_every_clip_with_an_error(arguments: list[str], tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / "many" / f"{name}.npz").write_text("hello")
    shutil.copy(tmp_path / "predicted.npz", tmp_path / "many" / "good.npz")
    junit = tmp_path / "score.xml"
    result = CliRunner().invoke(app, [str(tmp_path / "many"), "--head", arguments[-1], "--junit", str(junit)])
    assert isinstance(result.exception, InputError)
    suite = ElementTree.parse(junit).getroot()[0]
    assert [case.get("name") for case in suite] == ["one", "two"]
    assert "one.npz" in (suite[0][0].get("message") or "")
    # An error before the first clip has the name of the whole.
    CliRunner().invoke(app, ["absent.npz", "--junit", str(junit)])
    assert [case.get("name") for case in ElementTree.parse(junit).getroot()[0]] == ["score"]


@pytest.mark.parametrize("option", ["--junit", "--report"])
def test_a_file_that_cannot_be_written_is_said_before_any_work(option: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["absent.npz", option, str(tmp_path)])
    assert isinstance(result.exception, InputError)
    assert option in (result.exception.hint or "")


def test_metrics_are_chosen_by_pattern(arguments: list[str]) -> None:
    options = ["--metric", "mve_mm", "--metric", "eve_*", "--fail-over", "fdd_m2=1e9", "--json"]
    document = json.loads(CliRunner().invoke(app, [*arguments, *options]).stdout)
    # What has a threshold is measured too.
    assert {"mve_mm", "eve_mm", "fdd_m2"} <= set(document["overall"])
    assert not {"lve_mm", "sync_r"} & set(document["overall"])
    result = CliRunner().invoke(app, [*arguments, "--metric", "mve"])
    assert isinstance(result.exception, UsageError)


def test_two_reports_are_compared(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(6):
        for kind, size in (("a", 0.1), ("b", 0.3), ("true", 0.0)):
            coeffs = np.random.default_rng(seed).normal(0, 1, (10, 53)).astype(np.float32)
            motion = Motion(coeffs=size * coeffs, fps=25.0, head="flame", channels=FLAME)
            (tmp_path / kind).mkdir(exist_ok=True)
            write_motion(tmp_path / kind / f"clip{seed}.npz", motion)
    for kind in ("a", "b"):
        options = ["--truth", str(tmp_path / "true"), "--head", arguments[-1], "--json", "--limit", "5"]
        result = CliRunner().invoke(app, [str(tmp_path / kind), *options], catch_exceptions=False)
        (tmp_path / f"{kind}.json").write_text(result.stdout)
        assert len(json.loads(result.stdout)["clips"]) == 5
    both = ["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    result = CliRunner().invoke(app, [*both, "--json"], catch_exceptions=False)
    document = json.loads(result.stdout)
    assert faults(document) == []
    assert document["metrics"]["mve_mm"]["differs"] and document["metrics"]["mve_mm"]["difference"] > 0
    shown = CliRunner().invoke(app, [*both, "--metric", "mve_mm"], catch_exceptions=False).stdout
    assert "B is higher" in shown and "5 clips in common" in shown
    # With five clips the same difference is too small when two metrics are looked at.
    for kind in ("a", "b"):
        report = json.loads((tmp_path / f"{kind}.json").read_text())
        for clip in report["clips"]:
            clip["metrics"]["eve_mm"] = clip["metrics"]["mve_mm"]
        (tmp_path / f"{kind}.json").write_text(json.dumps(report))
    shown = CliRunner().invoke(app, both, catch_exceptions=False).stdout
    assert shown.count("not after Holm") == 2


def test_the_paper_table_stands_beside_a_row_of_ours(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--table", "vocaset"], catch_exceptions=False)
    assert result.exit_code == 0
    for words in ("EmoFace", "2.8669", "Not comparable", "not of vocaset", "these files"):
        assert words in result.stdout
    document = json.loads(CliRunner().invoke(app, [*arguments, "--table", "main", "--json"]).stdout)
    assert faults(document) == []


@pytest.mark.parametrize(
    "options", [["--cache", "c"], ["--no-cache"], ["--prepare", "somewhere"], ["--table", "emotion", "x.npz"]]
)
def test_options_that_have_no_use_are_refused(arguments: list[str], options: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, *options])
    assert isinstance(result.exception, UsageError) or result.exit_code == 2


def test_a_data_set_is_prepared_and_scored_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def prepared(name: str, root: Path, out: Path, plan: object, reporter: object) -> object:
        asked.append((name, root, out))
        return SimpleNamespace(num_clips=3, dropped={"a": "too short"}, manifest=out / "manifest.jsonl")

    monkeypatch.setenv("TALK_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr("talkcli.engine.pipelines.score.prepare.preprocess", prepared)
    result = CliRunner().invoke(app, ["--dataset", "RAVDESS", "--prepare", "recordings"])
    assert asked == [("ravdess", Path("recordings"), tmp_path / "ravdess")]
    assert "Prepared 3 clips of ravdess" in result.stderr and "quarantine" in result.stderr
    # Nothing was really written.
    assert "talk preprocess ravdess ROOT" in (result.exception.hint or "")  # type: ignore[union-attr]
    result = CliRunner().invoke(app, ["--dataset", "video", "--prepare", "films"])
    assert isinstance(result.exception, UsageError)
    assert "talk preprocess video films" in (result.exception.hint or "")
    assert len(asked) == 1
