"""Distances on the surface."""

import pytest
import torch

from talkcli.engine.errors import AssetError
from talkcli.engine.face.topology import FaceMesh
from talkcli.engine.losses.motion import SurfaceDistance, velocity_error
from tests.engine.fakes import NUM_VERTS, LinearHead


def test_chosen_vertices_in_millimetres_lips_first() -> None:
    head = LinearHead()
    surface = SurfaceDistance(head, vertices=50, lip_weight=3.0)
    coeffs = torch.randn(2, 5, 53)
    made = surface(coeffs)
    assert surface.lips.tolist() == list(range(20))
    assert set(surface.chosen[:20].tolist()) == set(head.regions["lips"].tolist())
    assert len(surface.chosen.unique()) == 50
    assert torch.allclose(made[1, 3], head(coeffs[1])[3][surface.chosen] * 1000, atol=1e-3)


def test_all_vertices() -> None:
    head = LinearHead()
    surface = SurfaceDistance(head, vertices=None, lip_weight=3.0)
    coeffs = torch.randn(2, 5, 53)
    made = surface(coeffs)
    assert torch.equal(made[1], head(coeffs[1]) * 1000)
    assert set(surface.lips.tolist()) == set(head.regions["lips"].tolist())
    true = made.clone()
    made[0, 2, head.regions["lips"][4]] += torch.tensor([3.0, 4.0, 0.0])
    assert surface.lip_error_mm(made, true)[0].tolist() == pytest.approx([0, 0, 5, 0, 0], abs=1e-4)
    # 25 mm^2 over three axes, on one vertex of all in ten frames; lips count three times as much.
    mean_weight = (3 * 20 + NUM_VERTS - 20) / NUM_VERTS
    wanted = 25 / 3 / NUM_VERTS / 10 * 3 / mean_weight
    assert surface.squared_error(made, true).item() == pytest.approx(wanted, rel=1e-4)


def test_errors() -> None:
    surface = SurfaceDistance(LinearHead(), vertices=50, lip_weight=3.0)
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


def test_surface_is_exact_under_autocast() -> None:
    surface = SurfaceDistance(LinearHead(), vertices=60, lip_weight=1.0)
    coeffs = torch.randn(2, 5, 53, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = surface(coeffs)
    assert torch.equal(low, surface(coeffs))


def test_given_vertices_are_compared_as_computed_ones_are() -> None:
    head = LinearHead()
    mesh = FaceMesh(name="mine", template=head.template, numbering=head)
    coeffs = torch.randn(2, 5, 53, generator=torch.Generator().manual_seed(0))
    given = head(coeffs.flatten(0, 1)).flatten(1).view(2, 5, -1)
    for vertices in (50, None):
        by_head = SurfaceDistance(head, vertices=vertices, lip_weight=3.0)
        by_mesh = SurfaceDistance(mesh, vertices=vertices, lip_weight=3.0)
        assert torch.allclose(by_mesh(given), by_head(coeffs), atol=1e-4)
    with pytest.raises(AssetError, match="mine has no region lips"):
        SurfaceDistance(FaceMesh(name="mine", template=head.template), vertices=50, lip_weight=3.0)
