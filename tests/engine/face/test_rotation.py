from __future__ import annotations

import torch

from talkcli.engine.face.rotation import rotation_matrices


def vectors(scale: float) -> torch.Tensor:
    return scale * torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_equals_the_matrix_exponential() -> None:
    for scale in (0.0, 1e-5, 1e-3, 0.3, 2.0):
        x, y, z = vectors(scale).unbind(-1)
        zero = torch.zeros_like(x)
        cross = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), -1).view(-1, 3, 3)
        torch.testing.assert_close(
            rotation_matrices(vectors(scale)), torch.linalg.matrix_exp(cross), atol=1e-10, rtol=0
        )


def test_turns_right_handed() -> None:
    turned = rotation_matrices(torch.tensor([[0.0, 0.0, torch.pi / 2]])) @ torch.tensor([1.0, 0.0, 0.0])
    torch.testing.assert_close(turned[0], torch.tensor([0.0, 1.0, 0.0]), atol=1e-6, rtol=0)


def test_gradients_are_finite_and_right_at_zero() -> None:
    for scale in (0.0, 1e-4, 0.5):
        assert torch.autograd.gradcheck(rotation_matrices, (vectors(scale)[:3].requires_grad_(),))
