"""Which motion priors there are, told apart by the `kind` in their config."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from talkcli.engine.models.th_vqvae import ThVqvae, ThVqvaeConfig
from talkcli.engine.models.vae import Vae, VaeConfig
from talkcli.engine.models.vqvae import Vqvae, VqvaeConfig

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


def build_prior(config: _Configs) -> AnyPrior:
    """The prior that `config` describes, with random weights from torch's global generator."""
    if isinstance(config, ThVqvaeConfig):
        return ThVqvae(config)
    return Vqvae(config) if isinstance(config, VqvaeConfig) else Vae(config)
