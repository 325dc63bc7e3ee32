"""The protocol and the list of motion priors: autoencoders whose tokens a generator predicts by level.

Axis names: `batch`, `frames` (25 fps), `coeffs` = 53, `tokens` of a level, `outputs` of its predictor,
`width` of its vectors. Source: DEEPTalk, section 3.2, and the priors of its comparison in Table 4.
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

    `motion_scale` standardises coefficients internally; it is the identity unless the config asks for it and
    it was fitted.
    """

    config: Config
    levels: tuple[Level, ...]
    frames_multiple: int
    motion_scale: Standardise

    # `Any`, because `nn.Module.__call__` takes any arguments; otherwise no nn.Module would fit the protocol.
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return `Coded` of coefficients (batch, frames, 53). Train mode updates codebooks, draws latents."""

    def encode_targets(
        self, coeffs: Float[Tensor, "batch frames coeffs"]
    ) -> list[Shaped[Tensor, "batch tokens *latent"]]:
        """Return the targets of the predictor of each level: code indices (batch, tokens), or latents (batch,
        tokens, outputs). It updates no codebook.
        """

    def lookup(
        self, level: int, choice: Float[Tensor, "batch tokens outputs"]
    ) -> Float[Tensor, "batch tokens width"]:
        """Return the vectors of one-hot (or soft) choices, differentiably; a latent is its own vector."""

    def context(
        self, vectors: Sequence[Float[Tensor, "batch _ width"]]
    ) -> Float[Tensor, "batch tokens context"]:
        """Return the context that the vectors of the first levels give the predictor of the next level, at
        that level's rate. Raises ValueError after the last level.
        """

    def decode(self, vectors: Sequence[Float[Tensor, "batch _ _"]]) -> Float[Tensor, "batch frames coeffs"]:
        """Return the motion that the vectors of all levels encode."""


AnyPrior = ThVqvae | Vqvae | Vae
_Configs = ThVqvaeConfig | VqvaeConfig | VaeConfig


def _kind(config: Any) -> str:
    """Return the kind of prior settings; recipes and files older than the other priors mean TH-VQVAE."""
    return config.get("kind", "th_vqvae") if isinstance(config, dict) else getattr(config, "kind", "")


PriorConfig = Annotated[
    Annotated[ThVqvaeConfig, Tag("th_vqvae")]
    | Annotated[VqvaeConfig, Tag("vqvae")]
    | Annotated[VaeConfig, Tag("vae")],
    Discriminator(_kind),
]


def build_prior(config: _Configs, num_coeffs: int = NUM_COEFFS) -> AnyPrior:
    """Build the prior that `config` describes, for motion of `num_coeffs` coefficients per frame, with random
    weights from torch's global generator.
    """
    if isinstance(config, ThVqvaeConfig):
        return ThVqvae(config, num_coeffs)
    return Vqvae(config, num_coeffs) if isinstance(config, VqvaeConfig) else Vae(config, num_coeffs)
