"""What a motion prior is, and which there are: autoencoders whose tokens a generator predicts level by level.

Axis names: `batch`, `frames` (25 fps), `coeffs` = 53, `tokens` of a level, `outputs` of its predictor,
`width` of its vectors. DEEPTalk, section 3.2, and the priors it is compared with in Table 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Protocol, runtime_checkable

from jaxtyping import Float, Shaped
from pydantic import Discriminator, Tag
from torch import Tensor

from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.models.deeptalk.level import Level
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvae, ThVqvaeConfig
from talkcli.engine.models.deeptalk.vae import Vae, VaeConfig
from talkcli.engine.models.deeptalk.vqvae import Vqvae, VqvaeConfig
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.types import Config


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
        """Return `Coded` of coefficients (batch, frames, 53). In train mode codebooks move and latents are
        drawn.
        """

    def encode_targets(
        self, coeffs: Float[Tensor, "batch frames coeffs"]
    ) -> list[Shaped[Tensor, "batch tokens *latent"]]:
        """Return what a predictor should say at each level: code indices (batch, tokens), or latents (batch,
        tokens, outputs). Moves nothing.
        """

    def lookup(
        self, level: int, choice: Float[Tensor, "batch tokens outputs"]
    ) -> Float[Tensor, "batch tokens width"]:
        """Return vectors of one-hot (or soft) choices, differentiable in the choice; a latent is its own
        vector.
        """

    def context(
        self, vectors: Sequence[Float[Tensor, "batch _ width"]]
    ) -> Float[Tensor, "batch tokens context"]:
        """Return what the vectors of the first levels tell the predictor of the next, at the next one's
        rate. Raises ValueError after the last level.
        """

    def decode(self, vectors: Sequence[Float[Tensor, "batch _ _"]]) -> Float[Tensor, "batch frames coeffs"]:
        """Return motion from the vectors of all levels."""


AnyPrior = ThVqvae | Vqvae | Vae
_Configs = ThVqvaeConfig | VqvaeConfig | VaeConfig


def _kind(config: Any) -> str:
    """A config without a kind is TH-VQVAE's: recipes and files from before there were others have none."""
    return config.get("kind", "th_vqvae") if isinstance(config, dict) else getattr(config, "kind", "")


PriorConfig = Annotated[
    Annotated[ThVqvaeConfig, Tag("th_vqvae")]
    | Annotated[VqvaeConfig, Tag("vqvae")]
    | Annotated[VaeConfig, Tag("vae")],
    Discriminator(_kind),
]


def build_prior(config: _Configs, num_coeffs: int = NUM_COEFFS) -> AnyPrior:
    """Build the prior that `config` describes, for motion of `num_coeffs` numbers a frame, with random
    weights from torch's global generator.
    """
    if isinstance(config, ThVqvaeConfig):
        return ThVqvae(config, num_coeffs)
    return Vqvae(config, num_coeffs) if isinstance(config, VqvaeConfig) else Vae(config, num_coeffs)
