from __future__ import annotations

from typing import Any

import pytest

from talkcli.engine.pipelines.score.paper_table import paper_table, table_metrics
from talkcli.engine.pipelines.score.published import TABLES


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
    made = paper_table("ravdess3d", report("ravdess", stand_in=True, lve_m2=1e-5, eve_m2=1e-5))
    assert made["ours"][0]["value"] == pytest.approx(1)
    assert any("stand-in" in line for line in made["caption"])


def test_the_judge_is_named() -> None:
    scored = report("mead", fid=12.0)
    scored["overall"]["fid"]["judge"] = "ours, not the papers'"
    made = paper_table("main", scored)
    assert "Judge: ours, not the papers'." in made["caption"]
    assert [cell["value"] for cell in made["ours"]].count(12.0) == 1


def test_printed_numbers() -> None:
    rows = TABLES["main"].rows
    assert rows["DEEPTalk"]["mead"] == (26.07, 64.02, 15.16, 10.65, 1.103)
    assert TABLES["ravdess3d"].rows["EmoFace"]["ravdess"] == (4.8863, 0.9509)
    assert set(table_metrics("vocaset")) == {"lve_m2", "eve_m2"}
