"""The moving codebook."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from talkcli.engine.nn.quantizer import EmaQuantizer, QuantizerConfig


def _quantizer(codes: int, width: int, **how: Any) -> EmaQuantizer:
    return EmaQuantizer(width, QuantizerConfig(codes=codes, **how))


def test_nearest_is_by_euclidean_distance() -> None:
    torch.manual_seed(0)
    quantizer, x = _quantizer(16, 4).eval(), torch.randn(2, 5, 4)
    assert torch.equal(quantizer.nearest(x), torch.cdist(x, quantizer.codebook[None]).argmin(-1))


def test_gradient_passes_straight_through() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 3, 4, requires_grad=True)
    made = _quantizer(16, 4).eval()(x)
    made.vectors.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


def test_soft_choices_have_gradients() -> None:
    torch.manual_seed(0)
    quantizer = _quantizer(6, 4)
    logits = torch.randn(1, 3, 6, requires_grad=True)
    quantizer.lookup(logits.softmax(-1)).square().sum().backward()
    assert logits.grad.abs().min() > 0
    assert quantizer.codebook.grad is None


def test_lookup_of_one_hot_is_the_code() -> None:
    quantizer = _quantizer(8, 4)
    assert torch.equal(quantizer.lookup(torch.eye(8)[None, [3]])[0, 0], quantizer.codebook[3])


def test_the_released_start() -> None:
    torch.manual_seed(0)
    quantizer = _quantizer(256, 64)
    assert torch.equal(quantizer.ema_count, torch.zeros(256))
    for values in (quantizer.codebook, quantizer.ema_sum):
        assert values.abs().max() <= 1 / 256
        assert values.std().item() == pytest.approx(1 / 256 / 3**0.5, rel=0.02)
    assert not torch.equal(quantizer.codebook, quantizer.ema_sum)


def test_the_released_update() -> None:
    """Written out code by code: counts are smoothed against the number of clips, and run on smoothed."""
    torch.manual_seed(0)
    codes, clips, epsilon = 5, 3, 1e-5
    quantizer = _quantizer(codes, 2)
    book, count, total = (getattr(quantizer, name).double() for name in ("codebook", "ema_count", "ema_sum"))
    for _ in range(3):
        x = torch.randn(clips, 4, 2)
        made = quantizer(x)
        vectors = x.double().view(-1, 2)
        nearest = [min(range(codes), key=lambda code: float((v - book[code]).norm())) for v in vectors]
        assert made.codes.flatten().tolist() == nearest
        far = [float((v - book[code]).square().mean()) for v, code in zip(vectors, nearest, strict=True)]
        assert made.commitment.item() == pytest.approx(0.25 * sum(far) / len(far), rel=1e-5)
        new_book, new_count, new_total = book.clone(), count.clone(), total.clone()
        for code in range(codes):
            mine = [v for v, chosen in zip(vectors, nearest, strict=True) if chosen == code]
            new_count[code] = 0.95 * count[code] + 0.05 * len(mine)
            new_count[code] = (new_count[code] + epsilon) / (clips + codes * epsilon) * clips
            new_total[code] = 0.95 * total[code] + 0.05 * sum(mine, torch.zeros(2, dtype=torch.float64))
            new_book[code] = new_total[code] / new_count[code]
        book, count, total = new_book, new_count, new_total
        for name, wanted in (("codebook", book), ("ema_count", count), ("ema_sum", total)):
            assert torch.allclose(getattr(quantizer, name).double(), wanted, rtol=1e-4, atol=1e-6), name


def test_counts_smoothed_by_vectors_do_not_depend_on_clips() -> None:
    x = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0))
    books: dict[str, list[Tensor]] = {}
    for by in ("vectors", "clips"):
        for shaped in (x, x.view(1, 24, 3)):
            torch.manual_seed(0)
            quantizer = _quantizer(8, 3, smooth_counts_by=by)
            quantizer(shaped)
            books.setdefault(by, []).append(quantizer.codebook)
    assert torch.equal(*books["vectors"])
    assert not torch.allclose(*books["clips"], rtol=1e-6)


@pytest.mark.parametrize("by", ["clips", "vectors"])
def test_codebook_follows_the_data(by: str) -> None:
    torch.manual_seed(0)
    centres = torch.randn(4, 3) * 5
    quantizer = _quantizer(32, 3, decay=0.8, start="data", smooth_counts_by=by)
    for _ in range(60):
        quantizer(centres[torch.randint(4, (1, 64))] + 0.01 * torch.randn(1, 64, 3) + 1.0)
    made = quantizer.eval()(centres[None] + 1.0)
    assert (made.vectors - centres - 1.0).norm(dim=-1).max() < 0.05


@pytest.mark.parametrize(("revive_below", "left_behind"), [(0.0, 28), (0.01, 0)])
def test_dead_codes_are_placed_on_data(revive_below: float, left_behind: int) -> None:
    torch.manual_seed(0)
    quantizer = _quantizer(
        32, 3, decay=0.8, start="data", smooth_counts_by="vectors", revive_below=revive_below
    )
    quantizer(torch.randn(1, 64, 3))
    quantizer.ema_sum[4:] += 1000.0
    quantizer.codebook[4:] += 1000.0
    for _ in range(60):
        quantizer(torch.randn(1, 64, 3))
    assert (quantizer.codebook.norm(dim=1) > 100).sum() == left_behind


def test_evaluation_moves_nothing() -> None:
    torch.manual_seed(0)
    quantizer = _quantizer(8, 4, start="data").eval()
    before = {name: value.clone() for name, value in quantizer.state_dict().items()}
    quantizer(torch.randn(2, 5, 4))
    assert all(torch.equal(value, before[name]) for name, value in quantizer.state_dict().items())


def test_rounding_of_autocast_does_not_reach_the_codes() -> None:
    torch.manual_seed(0)
    quantizer, x = _quantizer(256, 8), torch.randn(2, 50, 8)
    twin = _quantizer(256, 8)
    twin.load_state_dict(quantizer.state_dict())
    made = quantizer(x)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = twin(x)
    assert torch.equal(made.codes, rounded.codes)
    assert torch.equal(quantizer.codebook, twin.codebook)
