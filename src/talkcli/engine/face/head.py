"""What a head is: a topology that coefficients move.

Axis names: `frames` (any leading batch), `coeffs`, `verts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.face.topology import Topology

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Posable(Protocol):
    """A head that turns on bones of its own, and moves without torch."""

    def posed(
        self, coeffs: Float[np.ndarray, "frames coeffs"], pose: Float[np.ndarray, "frames 3"] | None
    ) -> Float[np.ndarray, "frames verts 3"]:
        """Return the vertices of each frame in metres, with the head turned by `pose`, axis-angle in radians;
        None: it looks ahead.
        """


@runtime_checkable
class Head(Topology, Protocol):
    """A map from coefficients to vertices. `channels` names the coefficients, as many as the head has.

    Calling a head is differentiable in `coeffs`.
    """

    channels: tuple[str, ...]

    def __call__(
        self, coeffs: Float[Tensor, "frames coeffs"], only: Int[Tensor, "chosen"] | None = None
    ) -> Float[Tensor, "frames chosen 3"]:
        """Compute the vertices of each frame, on the device of `coeffs`; `only` chooses vertices (None: all),
        for speed.
        """
