"""An EmoFace carried to another mesh of the same head, by motions that both meshes show.

Axis names: `poses`, `values` = 3 * verts of the old mesh, `others` = 3 * verts of the new one, `components`.
A component of the model is a displacement of the old mesh: as the sum of poses that comes nearest to it, it
is one of the new mesh too. Branches keep their weights but for their first and last layer, which see the new
components, and Mesh Attention sees every vertex where it saw it before.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from talkcli.engine.models.emoface.branch import Branch
from talkcli.engine.models.emoface.emoface import EmoFace

# Weight of the ridge, relative to the mean square of a pose.
_RIDGE = 1e-6


@torch.no_grad()
def carried(
    model: EmoFace,
    old: Float[Tensor, "poses values"],
    new: Float[Tensor, "poses others"],
    neutral: Float[Tensor, "verts 3"],
    spirals: Int[Tensor, "verts length"],
) -> EmoFace:
    """Return `model` for the new mesh.

    Args:
        model: Model with components.
        old: Displacements of the old mesh in some poses of the head, in metres.
        new: Displacements of the new mesh in the same poses.
        neutral: New mesh at rest, in metres.
        spirals: Spiral of each of its vertices.

    Raises:
        ValueError: For a model without components.
    """
    if model.config.components is None:
        raise ValueError("only a model with components can be carried to another mesh")
    square = old.double() @ old.double().T
    ridge = _RIDGE * square.diagonal().mean() * torch.eye(len(square), dtype=torch.float64)
    shares = torch.linalg.solve(square + ridge, old.double() @ model.components.double().T)
    moved = shares.T @ new.double()
    # Rows of `moved` are mixtures of orthonormal rows: mixed @ rows.
    rows, mixed = (part.mT for part in torch.linalg.qr(moved.mT))
    made = EmoFace(model.config, neutral.numel()).train(model.training)
    # All but the mesh.
    mesh = ("components", "neutral", "spirals")
    made.load_state_dict(
        {name: value for name, value in model.state_dict().items() if name not in mesh}, strict=False
    )
    made.components.copy_(rows)
    made.neutral.copy_(neutral)
    made.spirals.copy_(spirals)
    spreads = model.spreads.double()
    # What a branch made in old components, in new ones; and back.
    outward = (spreads[:, None] * mixed / spreads).float()
    inward = torch.linalg.inv(outward.double()).float()
    for branch in (made.content, made.emotion):
        _rebase(branch, inward, outward)
    if model.config.mesh_attention:
        _keep_places(made, model.neutral, neutral)
    return made


def _rebase(branch: Branch, inward: Tensor, outward: Tensor) -> None:
    """Let a branch see and make values in other components: rows of values times `inward` are the old ones,
    old ones times `outward` the new ones.
    """
    branch.inward.weight.copy_(branch.inward.weight @ inward.T)
    branch.outward.weight.copy_(outward.T @ branch.outward.weight)
    branch.outward.bias.copy_(branch.outward.bias @ outward)


def _keep_places(model: EmoFace, old: Float[Tensor, "verts 3"], new: Float[Tensor, "others 3"]) -> None:
    """Undo for Mesh Attention what another mesh changes in the middle and the size that it divides by."""
    layer = model.mesh_attention.of_place[0]
    size = new.std() / old.std()
    shift = (new.mean(0) - old.mean(0)) / old.std()
    layer.bias.add_(layer.weight @ shift)
    layer.weight.mul_(size)
