"""A toy metric: the widest mouth of a take, in millimetres."""

from __future__ import annotations

from talkcli.engine.metrics.take import Take


def measure(take: Take) -> float:
    """Measure the widest mouth."""
    return float(take.width_mm().max())
