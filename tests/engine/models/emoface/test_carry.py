"""An EmoFace carried to another mesh performs there what it performed here."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from talkcli.engine.models.emoface.carry import carried
from talkcli.engine.models.emoface.emoface import EmoFace
from tests.engine.models.emoface.tiny_emoface import tiny

COMPONENTS = 4
SIZE = 1.5


def poses(model: EmoFace) -> Tensor:
    """Displacements that hold all components, and others."""
    random = torch.Generator().manual_seed(3)
    mixed = torch.randn((12, COMPONENTS), generator=random) @ model.components
    return torch.cat([mixed, 0.3 * torch.randn((6, model.components.shape[1]), generator=random)])


def performed(model: EmoFace) -> Tensor:
    """Displacements (frames, verts, 3) for a second of noise."""
    samples = 0.1 * torch.randn((1, 16_000), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        made: Tensor = model.generate(samples, speaker=1)
    return made.unflatten(-1, (-1, 3))[0] - model.neutral


def test_a_mesh_with_more_vertices_in_another_order() -> None:
    model = tiny(2, components=COMPONENTS)
    random = torch.Generator().manual_seed(1)
    count = len(model.neutral)
    # Every vertex once, then the upper ones again: the middle and the size of the mesh change.
    again = torch.nonzero(model.neutral[:, 1] > 0.02).flatten()
    order = torch.cat([torch.randperm(count, generator=random), again])
    place = torch.argsort(order[:count])
    old = poses(model)
    new = SIZE * old.unflatten(-1, (-1, 3))[:, order].flatten(1)
    other = carried(model, old, new, model.neutral[order], place[model.spirals.long()][order].int())
    assert torch.allclose(other.components @ other.components.T, torch.eye(COMPONENTS), atol=1e-5)
    here, there = performed(model), performed(other)
    largest = float(here.abs().max())
    assert largest > 1e-3
    # Projected on its components, the fused motion of another mesh has other weights.
    assert (there - SIZE * here[:, order]).abs().max() < 0.05 * largest
    assert (there - SIZE * here[:, order]).abs().mean() < 0.01 * largest


def test_only_components_can_be_carried() -> None:
    model = tiny()
    displacements = torch.randn((3, model.neutral.numel()))
    with pytest.raises(ValueError, match="components"):
        carried(model, displacements, displacements, model.neutral, model.spirals)
