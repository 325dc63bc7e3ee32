"""The closed-form distance against samples, and the losses on it."""

import pytest
import torch

from talkcli.engine.losses.csd import csd, csd_loss, matches, spread_loss, vib_loss
from talkcli.engine.models.deeptalk.gaussian import Gaussian


def test_is_the_expected_squared_distance_of_samples() -> None:
    torch.manual_seed(0)
    left, right = (Gaussian(torch.randn(3, 4), torch.randn(3, 4) * 0.3) for _ in range(2))

    def draw(side: Gaussian) -> torch.Tensor:
        return side.mean + (side.log_variance / 2).exp() * torch.randn(100_000, 3, 4)

    sampled = (draw(left)[:, :, None] - draw(right)[:, None, :]).square().sum(-1).mean(0)
    assert torch.allclose(csd(left, right), sampled, rtol=0.03)


def test_loss_is_low_where_matches_are_likely() -> None:
    targets = matches(torch.tensor([1, 2, 1])).float()
    assert targets.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    right = csd_loss(20 * targets - 10, targets)
    wrong = csd_loss(10 - 20 * targets, targets)
    assert right < 1e-3
    assert wrong > 10


def test_pseudo_positives_forgive_what_is_closer_than_the_pair() -> None:
    logits, targets = torch.tensor([[0.0, 5.0], [-5.0, 0.0]]), torch.eye(2)
    plain = csd_loss(logits, targets)
    extra = csd_loss(logits, targets, pseudo_weight=1.0) - plain
    # Rows: [1, 1], [0, 1]; columns: [1, 0], [1, 1]. Each direction weighs four cells.
    cross = torch.nn.functional.binary_cross_entropy_with_logits
    rows = cross(logits, torch.tensor([[1.0, 1.0], [0.0, 1.0]]))
    columns = cross(logits.T, torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    assert extra.item() == pytest.approx((rows + columns).item())


def test_spread_wants_variances_that_sum_up_to_the_error() -> None:
    mean = torch.tensor([[1.0, 0.0]], requires_grad=True)
    error = (mean - torch.tensor([[0.8, 0.6]])).square().sum(-1)
    log_variance = torch.full((1, 2), 0.4 / 2).log().requires_grad_()
    spread_loss(Gaussian(mean, log_variance), error).backward()
    assert torch.allclose(log_variance.grad, torch.zeros(1, 2), atol=1e-6)
    # The mean is not moved to make it smaller.
    assert mean.grad is None
    for other in (-8.0, 1.0):
        worse = spread_loss(Gaussian(mean, torch.full((1, 2), other)), error)
        assert worse > spread_loss(Gaussian(mean, log_variance), error)


def test_vib_is_zero_at_the_standard_normal_and_holds_variances_up() -> None:
    assert vib_loss(Gaussian(torch.zeros(2, 4), torch.zeros(2, 4))).item() == 0
    assert vib_loss(Gaussian(torch.zeros(2, 4), torch.full((2, 4), -8.0))).item() > 1


def test_vib_leaves_out_what_has_gone_astray() -> None:
    astray = torch.full((2, 4), 12.0, requires_grad=True)
    loss = vib_loss(Gaussian(torch.zeros(2, 4), astray))
    loss.backward()
    assert loss.item() == 0
    assert astray.grad.abs().max() == 0
    assert vib_loss(Gaussian(torch.zeros(2, 4), torch.full((2, 4), 9.0))).item() > 4000
