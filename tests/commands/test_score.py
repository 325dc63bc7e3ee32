from __future__ import annotations

import json
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from talkcli.commands.score import score
from talkcli.engine.audio.degrade import DEGRADATIONS
from talkcli.engine.errors import UsageError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.engine.types import Motion
from tests.engine.face import flame_twin

# What every report says of who made the motion and of what.
_ORIGINS = {
    "talk": "0", "dataset": None,
    "generation": {
        "model_name": "embedded", "method": "deeptalk", "weights_sha256": "ab" * 32, "sigma": None,
        "actor": None, "takes": 1, "seed": 0, "degrade": None,
        "layers": False,
    },
}  # fmt: skip

app = typer.Typer()
app.command()(score)


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A prediction, its truth and a small head."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    head = tmp_path / "generic_model.pkl"
    flame_twin.write_flame(head, flame_twin.flame_arrays())
    for seed, name in enumerate(("predicted", "true")):
        coeffs = np.random.default_rng(seed).normal(0, 0.3, (30, 53)).astype(np.float32)
        motion = Motion(coeffs=coeffs, fps=25.0, head="flame", channels=FLAME)
        write_motion(tmp_path / f"{name}.npz", motion)
    return [str(tmp_path / "predicted.npz"), "--truth", str(tmp_path / "true.npz"), "--head", str(head)]


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
    offered = get_args(get_type_hints(score)["degraded"])[0]
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


def test_a_table_is_for_speech_alone(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--table", "diversity", "--sigma", "0.1"])
    assert isinstance(result.exception, UsageError)
    assert "PRED, --truth, --sigma" in result.exception.problem


def test_the_table_names_its_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    cell = {"value": 1.25, "reason": None}
    row = {"sigma": -2.0, "tau_top": 0.0, "tau_bottom": 0.0, "lse_d": {"value": None, "reason": "no weights"}}
    row |= dict.fromkeys(("diversity_mm", "diversity_l2", "sync_r", "bilabial_closure"), cell)
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
    assert "--takes" in result.exception.problem  # type: ignore[union-attr]
    result = CliRunner().invoke(app, ["--table", "emotion", "--dataset", "x", "--model", "rules"])
    assert "--model rules" in result.exception.problem  # type: ignore[union-attr]
