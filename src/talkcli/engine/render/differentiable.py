"""The protocol of a differentiable renderer: vertices to pictures with gradients, whole or in a window.

Axis names: `frames`, `verts`, `points`, `height`, `width`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which part of the picture each frame asks for: `corners` is the left column and upper row of its first
    pixel, whole numbers; it may lie beyond the picture, where the scene goes on. Gradients flow to it as to
    the vertices: a window that moves is a scene that moves the other way.
    """

    corners: Float[Tensor, "frames 2"]
    width: int
    height: int


@runtime_checkable
class DifferentiableRenderer(Protocol):
    """A still scene whose vertices move, on whatever device they are; safe to share between passes."""

    def render(
        self, vertices: Float[Tensor, "frames verts 3"], window: Window | None = None
    ) -> Float[Tensor, "frames height width 3"]:
        """Return sRGB in [0, 1] of the whole picture, or of the same pixels through a `window`.

        Gradients are those of the colour at each pixel's centre, and of what edges cover and uncover.
        """

    def project(self, points: Float[Tensor, "frames points 3"]) -> Float[Tensor, "frames points 2"]:
        """Return columns and rows in pixels of the whole picture, whose first pixel has its centre at 0.5."""
