"""The most probable path of phones: against all paths, and in its times."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from talkcli.engine.models import phone_path
from talkcli.engine.models.phone_path import phones_heard
from talkcli.engine.models.phones import SYMBOLS
from talkcli.engine.types import Phone


@pytest.mark.parametrize("seed", range(6))
def test_no_path_is_more_probable(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    shares = np.full((6, len(SYMBOLS)), 1e-9)
    shares[:, :3] = drawn.dirichlet([0.6] * 3, 6)

    def cost(path: tuple[int, ...]) -> float:
        changes = sum(a != b for a, b in itertools.pairwise(path))
        return phone_path._CHANGE * changes - float(np.log(shares[range(6), path]).sum())

    best = min(itertools.product(range(3), repeat=6), key=cost)
    found = phones_heard(shares, 0.12)
    steps = [
        SYMBOLS.index(phone.symbol) for phone in found.phones for _ in range(round(phone.duration_s * 50))
    ]
    assert tuple(steps) == best


def test_phones_have_the_times_of_their_steps_and_no_gaps() -> None:
    shares = np.full((10, len(SYMBOLS)), 0.001)
    said = ["SIL", "SIL", "M", "M", "M", "AA", "AA", "AA", "AA", "AA"]
    shares[range(10), [SYMBOLS.index(symbol) for symbol in said]] = 0.96
    # A single doubtful step is no phone.
    shares[6, SYMBOLS.index("AA")], shares[6, SYMBOLS.index("AE")] = 0.4, 0.5
    found = phones_heard(shares, 0.19)
    assert found.phones == (Phone("SIL", 0.0, 0.04), Phone("M", 0.04, 0.1), Phone("AA", 0.1, 0.19))
    assert found.method == "heard"
    assert phones_heard(shares[:0], 0.0).phones == ()
    assert phones_heard(shares, 0.08).phones[-1] == Phone("M", 0.04, 0.08)
