"""Distance biases against the numbers in their papers."""

import pytest
import torch

from talkcli.engine.nn.alibi import distance_bias, slopes


@pytest.mark.parametrize(
    ("heads", "exponents"),
    [(4, [2, 4, 6, 8]), (8, range(1, 9)), (12, [*range(1, 9), 0.5, 1.5, 2.5, 3.5])],
)
def test_slopes(heads: int, exponents: list[float]) -> None:
    assert slopes(heads) == pytest.approx([2.0**-exponent for exponent in exponents])


def test_bias_falls_with_distance_to_both_sides() -> None:
    bias = distance_bias(8, 5)
    assert torch.equal(bias, bias.transpose(1, 2))
    assert bias[0, 0].tolist() == [-0.0, -0.5, -1.0, -1.5, -2.0]


def test_period_makes_steps_of_a_second() -> None:
    row = distance_bias(8, 60, period=25)[2, 0]
    assert (row[:25] == 0).all()
    assert (row[25:50] == -(2.0**-3)).all()
    assert (row[50:] == -2 * 2.0**-3).all()
