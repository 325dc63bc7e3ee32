from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.commands.score_paper_tables import show_paper_table
from talkcli.console import Console
from talkcli.engine.assets import WEIGHTS_DIR
from talkcli.engine.audio.io import write_wav
from talkcli.engine.checkpoints.judge_weights import OWN_JUDGES, PUBLISHED_JUDGES, judge_of
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.files import sha256
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.pipelines.score.clip import Value
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.motions import score_motions
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.pipelines.score.paper_table import paper_table, table_metrics
from talkcli.engine.pipelines.score.published import TABLES
from talkcli.engine.types import Motion, Silent, Speech
from tests.report_schema import faults


def report(name: str | None, stand_in: bool = False, **overall: float | None) -> dict[str, Any]:
    described = None if name is None else {"name": name, "manifest": "m", "split": "test", "clips": 7}
    return {
        "dataset": described,
        "truth": {"stand_in": stand_in, "kinds": "measured", "text": "measured"},
        "head": "ada",
        "vertex_sets": {"all": 40, "lips": 9, "eyes+forehead": None},
        "overall": {
            key: {"value": value, "reason": None if value is not None else "no vertices"}
            for key, value in overall.items()
        },
    }


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_a_cell_for_every_column(name: str) -> None:
    table = TABLES[name]
    for cells in table.rows.values():
        assert list(cells) == list(table.columns)
        assert [len(cells[where]) for where in cells] == [len(each) for each in table.columns.values()]
    made = paper_table(name, report("x"))
    assert all(len(row["cells"]) == len(made["columns"]) == len(made["ours"]) for row in made["rows"])


@pytest.mark.parametrize("name", ["vocaset", "VOCASET", "data/vocaset", "data/vocaset/manifest.jsonl"])
def test_our_value_stands_in_the_unit_of_the_column(name: str) -> None:
    made = paper_table("vocaset", report(name, lve_m2=2.5e-5, eve_m2=None))
    assert made["ours"][0]["value"] == pytest.approx(2.5)
    assert made["ours"][1] == {"value": None, "reason": "no vertices"}
    assert "Our vertices: ada (lips 9), mean identity." in made["caption"]
    assert not any("Not comparable" in line for line in made["caption"])


def test_another_data_set_has_dashes_and_a_caption_that_says_so() -> None:
    made = paper_table("vocaset", report("ravdess", lve_m2=1.0, eve_m2=1.0))
    assert all(cell["value"] is None and "ravdess" in cell["reason"] for cell in made["ours"])
    assert any("Not comparable: the table is about vocaset" in line for line in made["caption"])
    assert any("no data set" in cell["reason"] for cell in paper_table("main", report(None))["ours"])


def test_a_stand_in_is_never_comparable() -> None:
    made = paper_table("ravdess3d", report("ravdess3d", lve_m2=4e-5, eve_m2=1e-5))
    assert [cell["value"] for cell in made["ours"]] == pytest.approx([4.0, 1.0])
    made = paper_table("ravdess3d", report("ravdess", stand_in=True, lve_m2=1e-5, eve_m2=1e-5))
    assert made["ours"][0]["value"] == pytest.approx(1)
    assert any("stand-in" in line for line in made["caption"])


def scored(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> dict[str, Any]:
    """Score three clips of a data set `name`, and return the report with the table `main`."""
    monkeypatch.setenv("TALK_CACHE", str(folder / "cache"))
    monkeypatch.delenv("TALK_SYNCNET", raising=False)
    data = folder / name
    data.mkdir()
    lines = []
    for index in range(3):
        draw = np.random.default_rng(index)
        files = {"audio": data / f"{index}.wav", "motion": data / f"{index}.npz"}
        coeffs = draw.uniform(0, 0.3, (50, len(ADA))).astype(np.float32)
        write_motion(files["motion"], Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA))
        write_wav(files["audio"], Speech(samples=draw.normal(0, 0.1, 32_000).astype(np.float32)))
        lines.append(
            {
                "id": str(index), "fps": 25.0, "speaker": "s", "split": "test", "licence": "MIT",
                "emotion": "happy", "intensity": 1.0,
                "sha256": {kind: sha256(path) for kind, path in files.items()},
            } | {kind: path.name for kind, path in files.items()}
        )  # fmt: skip
    (data / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = score_motions(
        [data / f"{index}.npz" for index in range(3)],
        truth=None,
        audio=None,
        dataset=str(data),
        head_name=None,
        generation=Generation(),
        thresholds=(),
        reporter=Silent(),
        metrics=[name for name in table_metrics("main") if name not in ("fid", "emo_fid")],
    )
    found["paper_table"] = paper_table("main", found)
    assert faults(json.loads(json.dumps(found, allow_nan=False))) == []
    return found


def test_our_judge_never_stands_in_the_papers_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    found = scored(tmp_path, monkeypatch, "mead")
    table = found["paper_table"]
    column = next(
        index for index, each in enumerate(table["columns"])
        if (each["dataset"], each["name"]) == ("mead", "LSE-D")
    )  # fmt: skip
    assert table["columns"][column]["metric"] == "lse_d@syncnet"
    assert table["ours"][column]["value"] is None and "TALK_SYNCNET" in table["ours"][column]["reason"]
    ours = table["by_our_judge"][column]["value"]
    assert ours == found["overall"]["lse_d"]["value"] and 0 < ours < 2
    judge = found["overall"]["lse_d"]["judge"]
    assert judge["sha256"] == sha256(WEIGHTS_DIR / "judge-sync.safetensors")
    assert (
        f"Judge of lse_d: our judge, not comparable with the papers (sha256 {judge['sha256'][:12]})."
        in (table["caption"])
    )
    show_paper_table(Console(quiet=True), found)
    row = next(line for line in capsys.readouterr().out.splitlines() if f"{ours:.3f}" in line)
    assert "judge of ours: not comparable" in row
    ffd = next(each for each in table["columns"] if each["name"] == "FFD")
    assert (ffd["metric"], ffd["own_metric"]) == (None, "ffd")


def test_a_judge_of_the_user_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path))
    ours = judge_of("sync", "our judge")
    content = (WEIGHTS_DIR / "judge-sync.safetensors").read_bytes()
    (tmp_path / "judge-sync.safetensors").write_bytes(content)
    judge = over_clips("lse_d", [Value(value=1.0)])["judge"]
    assert ours is not None and judge["sha256"] == ours.sha256
    assert judge["name"] == f"your judge {ours.sha256[:8]}, not comparable with the papers"
    # Another file in its place is another judge.
    (tmp_path / "judge-sync.safetensors").write_bytes(content + b" ")
    assert over_clips("lse_d", [Value(value=1.0)])["judge"]["sha256"] != ours.sha256
    assert over_clips("lve_mm", [Value(value=1.0)])["judge"] is None


def test_every_judged_row_names_its_weights() -> None:
    known = {*OWN_JUDGES, *PUBLISHED_JUDGES}
    assert all((info.weights in known) == bool(info.judge) for info in METRICS.values())


def test_printed_numbers() -> None:
    rows = TABLES["main"].rows
    assert rows["DEEPTalk"]["mead"] == (26.07, 64.02, 15.16, 10.65, 1.103)
    assert TABLES["ravdess3d"].rows["EmoFace"]["ravdess"] == (4.8863, 0.9509)
    assert set(table_metrics("vocaset")) == {"lve_m2", "eve_m2"}
