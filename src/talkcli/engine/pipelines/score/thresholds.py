"""Limits on metrics over all clips, for tests that a program runs."""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talkcli.engine.errors import UsageError
from talkcli.engine.metrics.catalogue import METRICS

# Comparisons of a value with the limit, by sign, and what a value is for which they hold.
_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "<": (operator.lt, "under"),
    "<=": (operator.le, "not over"),
    ">": (operator.gt, "over"),
    ">=": (operator.ge, "not under"),
}
_CONDITION = re.compile(r"\s*(?P<metric>[^<>=\s]+)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>\S+)\s*")


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Limit of a metric over all clips."""

    metric: str
    """Name of the metric."""
    limit: float
    """Limit in the unit of the metric."""
    fails_if: str
    """Comparison with the limit for which the value fails: <, <=, > or >=."""

    @classmethod
    def parse(cls, text: str, *, is_floor: bool, known: Collection[str] = METRICS) -> Threshold:
        """Return the threshold that `METRIC=VALUE` states.

        Args:
            text: Text to parse.
            is_floor: Whether the value must not be under the limit; else it must not be over it.
            known: Names that METRIC may have.

        Raises:
            UsageError: For anything else.
        """
        metric, _, limit = text.partition("=")
        return cls._of(text, metric, limit, "<" if is_floor else ">", "METRIC=VALUE", known)

    @classmethod
    def parse_condition(cls, text: str, *, known: Collection[str] = METRICS) -> Threshold:
        """Return the threshold that a condition such as `lve_mm>3.0` states: the value fails if it holds.

        Raises UsageError for anything else, and for a metric that is not `known`.
        """
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise UsageError(f"{text} is not of the form METRIC>VALUE, with >, >=, < or <=.")
        return cls._of(text, found["metric"], found["limit"], found["sign"], "METRIC>VALUE", known)

    @classmethod
    def _of(
        cls, text: str, metric: str, limit: str, fails_if: str, form: str, known: Collection[str]
    ) -> Threshold:
        if metric not in known:
            near = difflib.get_close_matches(metric, known, n=1)
            raise UsageError(
                f"There is no metric called {metric} here.",
                hint=f"Did you mean {near[0]}?" if near else f"Metrics: {', '.join(known)}.",
            )
        try:
            number = float(limit)
        except ValueError as error:
            raise UsageError(f"{text} is not of the form {form}.") from error
        if math.isnan(number):
            raise UsageError(f"{text}: the value is not a number.")
        return cls(metric=metric, limit=number, fails_if=fails_if)

    def missed(self, overall: Mapping[str, Mapping[str, Any]]) -> str | None:
        """Return the failure in words; None when the threshold is met. A metric without a value fails."""
        found = overall[self.metric]
        value = found["value"]
        if value is None:
            return f"{self.metric} has no value ({found['reason']})"
        holds, words = _COMPARISONS[self.fails_if]
        return f"{self.metric} is {value:.4g}, {words} {self.limit:g}" if holds(value, self.limit) else None


def verdict(
    thresholds: Sequence[Threshold], overall: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Any]]:
    """Return what a report says of `thresholds`, ready for JSON.

    `thresholds` has the metric, the comparison, the limit and the failure (or None) of each; `missed` has the
    failures alone.
    """
    missed = [item.missed(overall) for item in thresholds]
    return {
        "thresholds": [
            {"metric": item.metric, "fails_if": item.fails_if, "limit": item.limit, "missed": text}
            for item, text in zip(thresholds, missed, strict=True)
        ],
        "missed": [text for text in missed if text],
    }
