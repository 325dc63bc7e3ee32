"""Runs of a mask: first index, and index after the last."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.masks import runs


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("", []),
        ("000", []),
        ("111", [(0, 3)]),
        ("0110100", [(1, 3), (4, 5)]),
        ("1011", [(0, 1), (2, 4)]),
    ],
)
def test_runs_are_found_at_the_ends_too(mask: str, expected: list[tuple[int, int]]) -> None:
    assert runs(np.array([sign == "1" for sign in mask], dtype=bool)) == expected
