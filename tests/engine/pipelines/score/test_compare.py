from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.pipelines.score.compare import compare_reports
from talkcli.engine.types import Silent


class Told(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.said.append(text)


def report(
    path: Path, values: dict[str, list[float | None]], speakers: int | None = None, **rest: Any
) -> Path:
    count = len(next(iter(values.values())))
    clips = [
        {
            "id": f"clip{index:03d}",
            "speaker": None if speakers is None else f"s{index % speakers}",
            "metrics": {name: {"value": each[index], "reason": None} for name, each in values.items()},
        }
        for index in range(count)
    ]
    path.write_text(json.dumps({"schema": 1, "talk": "0", "head": "ada", "clips": clips} | rest))
    return path


def noise(seed: int, count: int = 40, mean: float = 0.0) -> list[float]:
    return np.random.default_rng(seed).normal(mean, 1, count).tolist()


def compared(first: Path, second: Path, **options: Any) -> dict[str, Any]:
    return compare_reports(first, second, reporter=Silent(), **options)


def test_a_difference_is_one_only_where_the_interval_excludes_0(tmp_path: Path) -> None:
    base = noise(0)
    first = report(tmp_path / "a.json", {"lve_mm": base, "eve_mm": base, "mve_mm": base}, speakers=8)
    second = report(
        tmp_path / "b.json",
        {
            "lve_mm": [value + 0.5 + 0.1 * more for value, more in zip(base, noise(1), strict=True)],
            "eve_mm": [value + more for value, more in zip(base, noise(2), strict=True)],
            "mve_mm": base,
        },
        speakers=8,
    )
    found = compared(first, second)
    lve, eve, mve = (found["metrics"][name] for name in ("lve_mm", "eve_mm", "mve_mm"))
    assert lve["differs"] and lve["interval"][0] > 0
    assert lve["difference"] == pytest.approx(0.5, abs=0.1)
    assert not eve["differs"] and eve["interval"][0] <= 0 <= eve["interval"][1]
    # Equal values do not differ.
    assert mve["interval"] == [0, 0] and not mve["differs"]
    assert found["clips"] == 40 and found["speakers"] == 8
    # The other way around it is the same with the other sign.
    back = compared(second, first)["metrics"]["lve_mm"]
    assert back["difference"] == pytest.approx(-lve["difference"])
    assert back["interval"] == pytest.approx([-lve["interval"][1], -lve["interval"][0]], abs=0.02)


def test_of_many_metrics_without_a_difference_none_differs(tmp_path: Path) -> None:
    names = list(METRICS)[:40]
    first = report(tmp_path / "a.json", {name: noise(seed) for seed, name in enumerate(names)})
    second = report(tmp_path / "b.json", {name: noise(1000 + seed) for seed, name in enumerate(names)})
    found = compared(first, second)["metrics"]
    alone = [name for name in names if found[name]["differs_alone"]]
    assert alone and not any(found[name]["differs"] for name in names)
    assert all(found[name]["p"] < 0.05 < found[name]["p_holm"] for name in alone)
    # The same difference counts where nothing else was looked at.
    assert compared(first, second, metrics=alone[:1])["metrics"][alone[0]]["differs"]


def test_reports_of_two_judges_do_not_compare(tmp_path: Path) -> None:
    def judged(sha256: str) -> dict[str, Any]:
        return {"overall": {"lse_d": {"value": 1.0, "judge": {"name": "our judge", "sha256": sha256}}}}

    first = report(tmp_path / "a.json", {"lse_d": noise(0), "lve_mm": noise(1)}, **judged("ab"))
    for sha256, fair in (("ab", True), ("cd", False)):
        told = Told()
        compare_reports(
            first,
            report(tmp_path / "b.json", {"lse_d": noise(2), "lve_mm": noise(3)}, **judged(sha256)),
            reporter=told,
        )
        assert ("differ in the judge of lse_d:" in " ".join(told.said)) != fair


def test_pairs_find_what_means_alone_do_not(tmp_path: Path) -> None:
    base = [100.0 * value for value in noise(0)]
    first = report(tmp_path / "a.json", {"lve_mm": base})
    second = report(tmp_path / "b.json", {"lve_mm": [value + 0.1 for value in base]})
    assert compared(first, second)["metrics"]["lve_mm"]["differs"]


def test_the_wider_interval_decides(tmp_path: Path) -> None:
    speakers = 6
    moved = np.array([3.0, -1, 2.5, -0.5, 1, -1.5])[np.arange(60) % speakers]
    first = report(tmp_path / "a.json", {"lve_mm": [0.0] * 60}, speakers=speakers)
    second = report(tmp_path / "b.json", {"lve_mm": (moved + 0.1).tolist()}, speakers=speakers)
    found = compared(first, second)["metrics"]["lve_mm"]
    # Over clips it would be one.
    assert found["over_clips"][0] > 0
    assert found["interval"] == found["over_speakers"] and not found["differs"]


def test_few_speakers_and_unknown_ones_leave_the_clips(tmp_path: Path) -> None:
    for name, speakers in (("few", 4), ("unknown", None)):
        paths = [
            report(tmp_path / f"{name}{seed}.json", {"lve_mm": noise(seed)}, speakers=speakers)
            for seed in (0, 1)
        ]
        found = compared(*paths)["metrics"]["lve_mm"]
        assert found["over_speakers"] is None and found["interval"] == found["over_clips"]
        assert "speaker" in found["reason"]


def test_metrics_without_values_have_reasons(tmp_path: Path) -> None:
    some: list[float | None] = [1.0, 2.0, 3.0, None, 4.0, None]
    first = report(tmp_path / "a.json", {"lve_mm": some, "sync_r": [None] * 6})
    second = report(tmp_path / "b.json", {"lve_mm": some, "sync_r": [None] * 6})
    found = compared(first, second)["metrics"]
    assert found["lve_mm"]["clips"] == 4 and "needs 5" in found["lve_mm"]["reason"]
    assert found["lve_mm"]["difference"] == 0
    assert found["sync_r"]["difference"] is None and found["sync_r"]["reason"]


def test_only_common_clips_count_and_their_order_does_not(tmp_path: Path) -> None:
    first = report(tmp_path / "a.json", {"lve_mm": noise(0)})
    whole = report(tmp_path / "b.json", {"lve_mm": noise(1)})
    document = json.loads(whole.read_text())
    document["clips"] = document["clips"][::-1]
    (tmp_path / "c.json").write_text(json.dumps(document))
    assert compared(first, whole)["metrics"] == compared(first, tmp_path / "c.json")["metrics"]
    document["clips"] = document["clips"][:10]
    document["head"] = "flame"
    (tmp_path / "d.json").write_text(json.dumps(document))
    told = Told()
    assert compare_reports(first, tmp_path / "d.json", reporter=told)["clips"] == 10
    assert "30 clips" in told.said[0]
    assert "differ in the head" in told.said[1]


def test_metrics_are_chosen_and_keep_their_resamples(tmp_path: Path) -> None:
    first = report(tmp_path / "a.json", {"lve_mm": noise(0), "eve_mm": noise(1)})
    second = report(tmp_path / "b.json", {"lve_mm": noise(2), "eve_mm": noise(3)})
    both, one = compared(first, second), compared(first, second, metrics=["eve_mm"])
    assert list(one["metrics"]) == ["eve_mm"]
    # Only the adjustment depends on the other metrics.
    shared = {"p_holm", "differs"}
    kept = [
        {key: value for key, value in found["metrics"]["eve_mm"].items() if key not in shared}
        for found in (one, both)
    ]
    assert kept[0] == kept[1] and kept[0]["p"] is not None
    assert compared(first, second, seed=1)["metrics"] != both["metrics"]
    with pytest.raises(InputError, match="metric in common"):
        compared(first, second, metrics=["jump_mm"])


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "[]", "null", "{}", '{"clips": []}', '{"clips": [1]}', '{"clips": [{"id": "a"}]}',
        '{"clips": [{"id": "a", "metrics": {"lve_mm": {"value": "x"}}}]}', '{"table": "x", "clips": []}',
        '{"clips": [{"id": "a", "metrics": {"lve_mm": 1}}]}', '{"schema": 99, "clips": []}', '{"table": 1}',
        '{"clips": [{"id": "a", "metrics": {}}, {"id": "a", "metrics": {}}]}', '{"clips": {"a": 1}}',
    ],
)  # fmt: skip
def test_what_is_no_report(text: str, tmp_path: Path) -> None:
    good = report(tmp_path / "a.json", {"lve_mm": noise(0)})
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(InputError, match=r"b\.json"):
        compared(good, tmp_path / "b.json")


def test_reports_of_other_clips(tmp_path: Path) -> None:
    first = report(tmp_path / "a.json", {"lve_mm": noise(0)})
    (tmp_path / "b.json").write_text(first.read_text().replace("clip", "other"))
    document = json.loads(first.read_text())
    for clip in document["clips"]:
        clip["id"] = "x" + clip["id"]
    (tmp_path / "b.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="no clip in common"):
        compared(first, tmp_path / "b.json")
