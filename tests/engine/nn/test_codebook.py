"""The codebook that trains by gradient."""

from __future__ import annotations

import torch

from talkcli.engine.nn.codebook import Codebook


def test_the_nearest_code_and_both_parts_of_the_loss() -> None:
    book = Codebook(3, 2, commitment=0.25)
    with torch.no_grad():
        book.codes.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]))
    x = torch.tensor([[[0.9, 0.2], [0.1, 1.5]]], requires_grad=True)
    made = book(x)
    assert made.codes.tolist() == [[1, 2]]
    torch.testing.assert_close(made.vectors, book.codes[[1, 2]][None])
    mean = (0.1**2 + 0.2**2 + 0.1**2 + 0.5**2) / 4
    torch.testing.assert_close(made.commitment, torch.tensor(1.25 * mean))
    made.commitment.backward()
    assert x.grad is not None
    assert book.codes.grad is not None
    # The parts pull with their own weights: vectors with 0.25, codes with 1.
    torch.testing.assert_close(book.codes.grad[1:], -4 * x.grad[0])
    assert not book.codes.grad[0].any()


def test_the_gradient_passes_straight_through() -> None:
    x = torch.randn(1, 5, 4, requires_grad=True)
    weights = torch.randn(1, 5, 4)
    (Codebook(7, 4, commitment=0.25)(x).vectors * weights).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, weights)
