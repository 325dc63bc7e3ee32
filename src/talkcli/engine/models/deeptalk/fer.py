"""FER, the classifier of expressions from coefficients: through its features DEE sees a face.

Axis names: `frames`, `coeffs` = 53, `width`, `classes`. DEEPTalk, supplementary material: trained on FLAME
coefficients of AffectNet. The released network has two layers more than the paper's, and what DEE sees of it
passes by its norms and ends before an activation (`bypass_norms`).
"""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.nn.batch_norm import BatchNorm
from talkcli.engine.types import EMOTIONS, Config, Dropout, Width
from talkcli.engine.wording import counted

# AffectNet's order; `EMOTIONS` without calm, which AffectNet does not know.
FER_CLASSES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
assert set(FER_CLASSES) < set(EMOTIONS)


class FerConfig(Config):
    """Sizes; the defaults are those of the released model."""

    kind: Literal["fer"] = "fer"
    hidden: Annotated[tuple[Width, ...], Field(min_length=1, max_length=64)] = (
        256, 512, 1024, 512, 256, 128, 64,
    )  # fmt: skip
    """Widths of the layers before the output."""
    feature_layer: Annotated[int, Field(ge=0)] = 5
    """The layer, counted from 0, that gives the features."""
    bypass_norms: bool = True
    """Features as in the released code: no layer is normalised, the last has no activation either. Otherwise
    they are what the classifier itself makes of that layer."""
    dropout: Dropout = 0.3

    @model_validator(mode="after")
    def _layer_exists(self) -> FerConfig:
        if self.feature_layer >= len(self.hidden):
            raise ValueError(
                f"feature_layer {self.feature_layer} is none of the {counted(len(self.hidden), 'layer')}"
            )
        return self


class Fer(nn.Module):
    """A perceptron whose layers are normalised over the batch; it sees every frame alone."""

    method = "fer"

    def __init__(self, config: FerConfig, num_coeffs: int = NUM_COEFFS) -> None:
        super().__init__()
        self.config = config
        widths = (num_coeffs, *config.hidden)
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in itertools.pairwise(widths))
        self.norms = nn.ModuleList(BatchNorm(width) for width in config.hidden)
        self.output = nn.Linear(config.hidden[-1], len(FER_CLASSES))

    @property
    def feature_width(self) -> int:
        return self.config.hidden[self.config.feature_layer]

    def forward(self, coeffs: Float[Tensor, "*frames coeffs"]) -> Float[Tensor, "*frames classes"]:
        """Return logits over `FER_CLASSES`."""
        return self.output(self._activations(coeffs, len(self.layers)))

    def features(self, coeffs: Float[Tensor, "*frames coeffs"]) -> Float[Tensor, "*frames width"]:
        """Return what DEE sees of a frame."""
        last = self.config.feature_layer
        if not self.config.bypass_norms:
            return self._activations(coeffs, last + 1)
        x = coeffs
        for layer in self.layers[:last]:
            x = F.leaky_relu(layer(x))
        return self.layers[last](x)

    def _activations(self, x: Float[Tensor, "*frames coeffs"], count: int) -> Float[Tensor, "*frames width"]:
        """The first `count` layers as the classifier runs them."""
        for layer, norm in zip(self.layers[:count], self.norms[:count], strict=True):
            x = layer(x)
            # The norm wants all frames of all clips as one batch.
            x = F.leaky_relu(norm(x.flatten(0, -2)).view_as(x))
            x = F.dropout(x, self.config.dropout, self.training)
        return x
