"""How logits become codes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from talkcli.engine.device import seeded
from talkcli.engine.models.deeptalk import choose

LOGITS = torch.tensor([0.0, 1.0, 2.0]).expand(1, 30_000, 3)


@pytest.mark.parametrize("tau", [0.5, 2.0])
def test_codes_are_drawn_at_the_temperature(tau: float) -> None:
    drawn = choose.drawn(tau, seeded(0))(LOGITS).mean(1)[0]
    assert drawn == pytest.approx((LOGITS[0, 0] / tau).softmax(-1), abs=0.01)


@pytest.mark.parametrize("tau", [0.0, 1e-50, 1e-39, 1e-30])
def test_zero_and_next_to_it_is_the_likeliest(tau: float) -> None:
    assert choose.drawn(tau, seeded(0))(LOGITS).mean(1)[0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("tau", [1e-4, 0.1, 2.0])
def test_straight_through_draws_from_the_softmax_at_any_tau(tau: float) -> None:
    torch.manual_seed(0)
    drawn = choose.straight_through(tau)(LOGITS).mean(1)[0]
    assert drawn == pytest.approx(LOGITS[0, 0].softmax(-1), abs=0.01)


def test_gumbel_is_the_draw_of_the_released_inference() -> None:
    """torch's own, whatever tau, from the global generator of the same seed: top first, then bottom."""
    top, bottom = torch.randn(2, 8, 256, generator=seeded(1)), torch.randn(2, 16, 256, generator=seeded(2))
    torch.manual_seed(42)
    wanted = [F.gumbel_softmax(logits, 1e-4, hard=True) for logits in (top, bottom)]
    ours = choose.gumbel(seeded(42))
    assert all(torch.equal(ours(logits), want) for logits, want in zip((top, bottom), wanted, strict=True))


def test_straight_through_passes_a_gradient() -> None:
    logits = torch.randn(1, 4, 6, requires_grad=True)
    chosen = choose.straight_through(1.0)(logits)
    assert chosen.detach().sum(-1).tolist() == [[1.0] * 4]
    (chosen * torch.randn(6, generator=seeded(0))).sum().backward()
    assert logits.grad is not None
    assert (logits.grad != 0).any()


def test_given_codes_stay() -> None:
    codes = torch.tensor([[2, 0]])
    assert choose.given(codes)(torch.randn(1, 2, 3)).argmax(-1).tolist() == codes.tolist()
