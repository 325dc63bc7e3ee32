"""Positional codes that repeat."""

from __future__ import annotations

import torch

from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.nn.transformer import sinusoids


def test_codes_of_the_first_period_are_sinusoids_and_then_repeat() -> None:
    codes = periodic_positions(75, 8, 30)
    assert torch.equal(codes[:30], sinusoids(30, 8))
    assert torch.equal(codes[30:60], codes[:30])
    assert torch.equal(codes[60:], codes[:15])


def test_a_later_start() -> None:
    assert torch.equal(periodic_positions(20, 8, 30, first=55), periodic_positions(75, 8, 30)[55:])
