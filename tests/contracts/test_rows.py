"""A new metric and a new format: one file and one row each, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from talkcli.app import app
from talkcli.engine.errors import UsageError
from talkcli.engine.exports.formats import FORMATS, Format
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.methods import resolve
from talkcli.engine.metrics.catalogue import METRICS, MetricInfo
from talkcli.engine.types import Motion

# What the sound's loudness alone would reach: a bound, and no score of the motion.
NOT_OF_THE_MOTION = ("opening_energy_r",)
SYNCHRONY = {"lse_d": "lower", "lse_c": "higher", "lse_offset": "near zero"}
HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello.wav"


def _talk(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json", "--quiet"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_names_functions_that_there_are(name: str) -> None:
    info = METRICS[name]
    assert callable(resolve(info.measure))
    assert (info.pool is not None) == (info.over_clips == "pooled")
    assert info.pool is None or callable(resolve(info.pool))


@pytest.mark.parametrize("name", METRICS)
def test_every_error_says_which_values_are_worse(name: str) -> None:
    """Else the page of a score shows the best clips as the worst ones."""
    info = METRICS[name]
    if "truth" in info.needs and name not in NOT_OF_THE_MOTION:
        assert info.better is not None
    if name.startswith("lse_"):
        assert (
            info.better
            == {"d": "lower", "c": "higher", "offset": "near zero"}[name[4:].split("@", maxsplit=1)[0]]
        )
    # Scores of the motion alone, or of how takes differ, are properties.
    if info.needs == "takes" or name in NOT_OF_THE_MOTION:
        assert info.better is None


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_names_functions_that_there_are(suffix: str) -> None:
    row = FORMATS[suffix]
    assert callable(resolve(row.write))
    for function in (row.check, row.write_all, row.write_head):
        assert function is None or callable(resolve(function))


def test_a_metric_is_one_file_and_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = MetricInfo(
        measure="tests.contracts.toy.widest:measure",
        unit="mm",
        vertices="mouth corners",
        needs="motion",
        over_takes="largest",
        over_clips="largest",
        meaning="the widest mouth",
    )
    monkeypatch.setitem(METRICS, "widest_mm", row)
    coeffs = np.zeros((30, 53), np.float32)
    coeffs[10:, [ADA.index("mouthSmileLeft"), ADA.index("mouthSmileRight")]] = 1.0
    write_motion(tmp_path / "a.npz", Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA))
    write_motion(tmp_path / "b.npz", Motion(coeffs=0 * coeffs, fps=25.0, head="ada", channels=ADA))
    found = _talk("score", tmp_path)
    smiling, resting = (clip["metrics"]["widest_mm"]["value"] for clip in found["clips"])
    assert smiling > resting + 5
    assert found["overall"]["widest_mm"]["value"] == smiling
    failed = CliRunner().invoke(app, ["score", str(tmp_path), "--fail-over", "widest_mm=1", "--quiet"])
    assert "widest_mm" in failed.output
    assert failed.exit_code != 0


def test_a_format_is_one_file_and_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, ".txt", Format(write="tests.contracts.toy.count:write"))
    report = _talk("animate", HELLO, "--out", tmp_path / "a.txt", "--out", tmp_path / "a.npz")
    assert (tmp_path / "a.txt").read_text() == f"{report['frames']} frames by deeptalk\n"
    result = CliRunner().invoke(app, ["animate", str(HELLO), "--out", str(tmp_path / "a.avi")])
    assert isinstance(result.exception, UsageError)
    assert ".txt" in str(result.exception.hint)
    drawn = CliRunner().invoke(app, ["render", str(tmp_path / "a.npz"), "--out", str(tmp_path / "b.txt")])
    assert ".txt files cannot be written" in str(drawn.exception)


def test_the_document_shows_the_files_that_are_tested() -> None:
    text = (HELLO.parents[1] / "docs" / "add-a-metric.md").read_text(encoding="utf-8")
    for name in ("widest.py", "count.py"):
        content = (Path(__file__).parent / "toy" / name).read_text(encoding="utf-8").strip()
        assert content in text, name
