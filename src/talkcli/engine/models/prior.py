"""What a motion prior is: an autoencoder whose tokens a generator can predict, level by level.

Axis names: `batch`, `frames` (25 fps), `coeffs` = 53, `tokens` of a level, `outputs` of its predictor,
`width` of its vectors. DEEPTalk, section 3.2, and the priors it is compared with in Table 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float, Int, Shaped
from torch import Tensor

from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.types import Config


class Level(NamedTuple):
    """One sequence of tokens, from slow to fast in `Prior.levels`."""

    frames_per_token: int
    outputs: int
    """What a predictor says per token: a score for each code, or the numbers of a latent."""
    context: int
    """Width of what the levels before this one tell its predictor; 0 for the first."""
    discrete: bool
    """Codes to choose from, or a latent to regress."""
    name: str
    """For logs."""


class Coded(NamedTuple):
    """A reconstruction with what it was made from."""

    coeffs: Float[Tensor, "batch frames coeffs"]
    codes: tuple[Int[Tensor, "batch tokens"], ...]
    """Of each discrete level; empty for latents."""
    regulariser: Float[Tensor, ""]
    """The pull on the encoder: towards its codes, or of its Gaussians towards the standard one."""


@runtime_checkable
class Prior(Protocol):
    """A module that turns motion into tokens and back.

    `motion_scale` standardises coefficients inside (identity unless its config says so and it was fitted).
    """

    config: Config
    levels: tuple[Level, ...]
    frames_multiple: int
    motion_scale: Standardise

    # `Any`, so that an nn.Module, whose call takes whatever `forward` does, is one.
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`Coded` of coefficients (batch, frames, 53). In train mode codebooks move and latents are drawn."""

    def encode_targets(
        self, coeffs: Float[Tensor, "batch frames coeffs"]
    ) -> list[Shaped[Tensor, "batch tokens *latent"]]:
        """What a predictor should say at each level: code indices (batch, tokens), or latents (batch, tokens,
        outputs). Moves nothing.
        """

    def lookup(
        self, level: int, choice: Float[Tensor, "batch tokens outputs"]
    ) -> Float[Tensor, "batch tokens width"]:
        """Vectors of one-hot (or soft) choices, differentiable in the choice; a latent is its own vector."""

    def context(
        self, vectors: Sequence[Float[Tensor, "batch _ width"]]
    ) -> Float[Tensor, "batch tokens context"]:
        """What the vectors of the first levels tell the predictor of the next, at the next one's rate. Raises
        ValueError after the last level.
        """

    def decode(self, vectors: Sequence[Float[Tensor, "batch _ _"]]) -> Float[Tensor, "batch frames coeffs"]:
        """Motion from the vectors of all levels."""


def check_frames(frames: int, multiple: int) -> None:
    """Raises ValueError for a length that would not come back out."""
    if frames % multiple:
        raise ValueError(f"{frames} frames are not a multiple of {multiple}; pad first")
