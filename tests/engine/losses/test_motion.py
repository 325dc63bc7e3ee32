"""Distances on the surface."""

import pytest
import torch

from talkcli.engine.losses.motion import Surface, velocity_error
from tests.engine.fakes import LinearHead


def test_chosen_vertices_in_millimetres_lips_first() -> None:
    head = LinearHead()
    surface = Surface(head, vertices=50, lip_weight=3.0)
    coeffs = torch.randn(2, 5, 53)
    made = surface(coeffs)
    assert surface.num_lips == 20
    assert set(surface.chosen[:20].tolist()) == set(head.regions["lips"].tolist())
    assert len(surface.chosen.unique()) == 50
    assert torch.allclose(made[1, 3], head(coeffs[1])[3][surface.chosen] * 1000, atol=1e-3)


def test_errors() -> None:
    surface = Surface(LinearHead(), vertices=50, lip_weight=3.0)
    true = torch.zeros(1, 4, 50, 3)
    made = true.clone()
    made[0, 2, 7] = torch.tensor([3.0, 4.0, 0.0])
    assert surface.lip_error_mm(made, true).tolist() == [[0, 0, 5, 0]]
    off_lips = true.clone()
    off_lips[0, 2, 30] = torch.tensor([3.0, 4.0, 0.0])
    assert (
        surface.squared_error(made, true) / surface.squared_error(off_lips, true)
    ).item() == pytest.approx(3)
    assert velocity_error(made, true).item() == pytest.approx(50 / true[:, 1:].numel())
    assert velocity_error(made + 2.0, made).item() == pytest.approx(0)
