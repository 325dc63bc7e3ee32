"""Terms of the surface that coefficients move, which generators of coefficients or vertices share.

Axis names: `batch`, `frames`, `values`.
"""

from __future__ import annotations

from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from talkcli.engine.face.head import Head
from talkcli.engine.losses.motion import SurfaceDistance, velocity_error
from talkcli.engine.train.objective import Weight
from talkcli.engine.types import Config


class SurfaceTerms(Config):
    """Weights of the terms of the surface, and the vertices that they compare."""

    surface_weight: Weight = 0.0
    """Weight of the squared distance in mm^2 of the vertices that coefficients move."""
    velocity_weight: Weight = 0.0
    """Weight of the squared difference of these vertices' frame-to-frame steps, in mm^2."""
    vertices: Annotated[int, Field(gt=1, le=10**6)] | None = None
    """Number of vertices that the two terms before compare, half of them on the lips; null: all."""
    lip_vertex_weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """Weight of a lip vertex relative to any other vertex."""

    @property
    def weighs_surface(self) -> bool:
        """Whether a term needs a head."""
        return self.surface_weight > 0 or self.velocity_weight > 0

    def surface(self, head: Head | None) -> SurfaceDistance | None:
        """Return the distances on a head; None without one, for a model of vertices."""
        if head is None:
            return None
        return SurfaceDistance(head, vertices=self.vertices, lip_weight=self.lip_vertex_weight)

    def with_surface(
        self,
        total: Float[Tensor, ""],
        terms: dict[str, Tensor],
        surface: SurfaceDistance | None,
        made: Float[Tensor, "batch frames values"],
        true: Float[Tensor, "batch frames values"],
    ) -> Float[Tensor, ""]:
        """Return `total` with the terms of the surface, which `terms` gets, if they weigh anything."""
        if surface is None or not self.weighs_surface:
            return total
        shown, real = surface(made), surface(true)
        terms["surface"] = surface.squared_error(shown, real)
        terms["velocity"] = velocity_error(shown, real)
        return total + self.surface_weight * terms["surface"] + self.velocity_weight * terms["velocity"]
