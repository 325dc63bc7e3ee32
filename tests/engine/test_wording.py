from __future__ import annotations

import pytest

from talkcli.engine.wording import counted, parameter


@pytest.mark.parametrize(("number", "told"), [(0, "0 clips"), (1, "1 clip"), (21, "21 clips")])
def test_one_is_singular(number: int, told: str) -> None:
    assert counted(number, "clip") == told


@pytest.mark.parametrize(("number", "told"), [(0, "0 clips are"), (1, "1 clip is"), (2, "2 clips are")])
def test_a_plural_may_be_given(number: int, told: str) -> None:
    assert counted(number, "clip is", "clips are") == told


@pytest.mark.parametrize(
    ("value", "told"),
    [("cpu", "`device=cpu`"), (2, "`device=2`"), ("a`b", "``device=a`b``"), ("``", "```device=`````")],
)
def test_around_a_value_stand_more_backticks_than_are_inside(value: object, told: str) -> None:
    assert parameter("device", value) == told
