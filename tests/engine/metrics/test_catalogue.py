from __future__ import annotations

from pathlib import Path

import pytest

from talkcli.engine.metrics.catalogue import METRICS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_on_its_page(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")
