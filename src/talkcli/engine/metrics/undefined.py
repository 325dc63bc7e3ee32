"""How a metric says that it has no value here."""

from __future__ import annotations


class UndefinedMetricError(Exception):
    """The metric cannot be computed from what was given; the text is the reason, shown beside the dash."""
