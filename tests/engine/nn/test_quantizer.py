"""The moving codebook."""

import pytest
import torch

from talkcli.engine.nn.quantizer import EmaQuantizer


def test_nearest_is_by_euclidean_distance() -> None:
    torch.manual_seed(0)
    quantizer, x = EmaQuantizer(16, 4).eval(), torch.randn(2, 5, 4)
    assert torch.equal(quantizer.nearest(x), torch.cdist(x, quantizer.codebook[None]).argmin(-1))


def test_gradient_passes_straight_through() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 3, 4, requires_grad=True)
    made = EmaQuantizer(16, 4).eval()(x)
    made.vectors.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


def test_codebook_follows_the_data() -> None:
    torch.manual_seed(0)
    centres = torch.randn(4, 3) * 5
    quantizer = EmaQuantizer(32, 3, decay=0.8)
    for _ in range(60):
        quantizer(centres[torch.randint(4, (1, 64))] + 0.01 * torch.randn(1, 64, 3) + 1.0)
    made = quantizer.eval()(centres[None] + 1.0)
    assert (made.vectors - centres - 1.0).norm(dim=-1).max() < 0.05


@pytest.mark.parametrize(("revive_below", "left_behind"), [(0.0, 28), (0.01, 0)])
def test_dead_codes_are_placed_on_data(revive_below: float, left_behind: int) -> None:
    torch.manual_seed(0)
    quantizer = EmaQuantizer(32, 3, decay=0.8, revive_below=revive_below)
    quantizer(torch.randn(1, 64, 3))
    quantizer.ema_sum[4:] += 1000.0
    quantizer.codebook[4:] += 1000.0
    for _ in range(60):
        quantizer(torch.randn(1, 64, 3))
    assert (quantizer.codebook.norm(dim=1) > 100).sum() == left_behind


def test_evaluation_moves_nothing() -> None:
    torch.manual_seed(0)
    quantizer = EmaQuantizer(8, 4).eval()
    before = {name: value.clone() for name, value in quantizer.state_dict().items()}
    quantizer(torch.randn(2, 5, 4))
    assert all(torch.equal(value, before[name]) for name, value in quantizer.state_dict().items())


def test_lookup_of_one_hot_is_the_code() -> None:
    quantizer = EmaQuantizer(8, 4)
    assert torch.equal(quantizer.lookup(torch.eye(8)[None, [3]])[0, 0], quantizer.codebook[3])
