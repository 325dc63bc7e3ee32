"""The error by which a metric reports that it has no value."""

from __future__ import annotations


class UndefinedMetricError(Exception):
    """The metric has no value for its input; the text is the reason, which tables show."""
