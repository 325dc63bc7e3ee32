"""The running average: its values, and the weights that come back after it."""

from __future__ import annotations

import torch
from torch import nn

from talkcli.engine.train.average import Average


def test_follows_and_gives_back() -> None:
    weight = nn.Parameter(torch.zeros(1))
    average = Average({"weight": weight}, 0.75)
    for value in (4.0, 8.0):
        weight.data.fill_(value)
        average.update()
    # 0, then 0.75 * 0 + 0.25 * 4 = 1, then 0.75 * 1 + 0.25 * 8.
    with average.applied():
        assert weight.item() == 2.75
    assert weight.item() == 8.0


def test_off() -> None:
    weight = nn.Parameter(torch.ones(1))
    average = Average({"weight": weight}, 0.0)
    average.update()
    assert average.values == {}
    with average.applied():
        assert weight.item() == 1.0
