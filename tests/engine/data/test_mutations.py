"""The damage tests work with: it is damage, it is repeatable, and what a reader does wrong is seen."""

from __future__ import annotations

import time

import pytest

from talkcli.engine.errors import InputError
from tests.engine.data.mutations import mutations, survives

CONTENT = bytes(range(256)) * 8


@pytest.mark.parametrize("content", [CONTENT, b"a", b"\x00" * 100])
def test_every_mutation_is_damage_and_repeats(content: bytes) -> None:
    first = list(mutations(content, 200, seed=3))
    assert len(first) == 200
    assert content not in first
    assert first == list(mutations(content, 200, seed=3))


def test_they_differ_among_each_other_and_with_the_seed() -> None:
    first = list(mutations(CONTENT, 200, seed=0))
    assert len(set(first)) > 190
    assert set(first) != set(mutations(CONTENT, 200, seed=1))


def test_what_a_reader_does_wrong_is_seen() -> None:
    def refuses(content: bytes) -> None:
        raise InputError("damaged")

    def breaks(content: bytes) -> int:
        return content.index(b"\xff" * 3000)

    assert survives(refuses, CONTENT) == 200
    assert survives(len, CONTENT) == 0
    with pytest.raises(AssertionError, match=r"mutation 0 of seed 0 .*ValueError"):
        survives(breaks, CONTENT)
    with pytest.raises(AssertionError, match=r"mutation 0 .*read as 0"):
        survives(len, CONTENT, plausible=bool)
    with pytest.raises(AssertionError, match="not done after"):
        survives(lambda _: time.sleep(5), CONTENT, seconds_each=0.1)
