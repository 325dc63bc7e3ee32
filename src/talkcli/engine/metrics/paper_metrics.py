"""Rows of the metrics that single papers' public scripts compute, as `name@source`.

They are measured when they are asked for by name. `docs/metrics.md` has a table of what they differ in.
"""

from __future__ import annotations

from talkcli.engine.metrics.metric_info import MetricInfo

PAPER_METRICS: dict[str, MetricInfo] = {}
