from __future__ import annotations

from pathlib import Path

import pytest

from talkcli.engine.errors import UsageError
from talkcli.engine.metrics.catalogue import METRICS, chosen_metrics, shown_metrics

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_on_its_page(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")


def test_names_and_patterns_choose_metrics_in_the_catalogues_order() -> None:
    assert chosen_metrics([]) == shown_metrics()
    assert chosen_metrics(["mve_mm", "lve_??"]) == ["lve_mm", "lve_m2", "mve_mm"]
    assert chosen_metrics(["lve_mm", "lve_mm"]) == ["lve_mm"]
    assert chosen_metrics(["*"]) == list(METRICS)


def test_an_unknown_metric_is_refused_with_names_like_it() -> None:
    with pytest.raises(UsageError, match="no metric called lve_mn") as caught:
        chosen_metrics(["mve_mm", "lve_mn"])
    assert "lve_mm" in str(caught.value.hint)
    with pytest.raises(UsageError, match="lve@nobody"):
        chosen_metrics(["lve@nobody*"])
