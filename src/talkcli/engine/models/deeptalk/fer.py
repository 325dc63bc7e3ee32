"""FER, the classifier of expressions from coefficients; DEE uses its features of a face.

Axis names: `frames`, `coeffs` = 53, `width`, `classes`. Source: DEEPTalk, supplementary material; it trains
FER on FLAME coefficients of AffectNet. The released network has two layers more than the paper's, and its
features for DEE skip the norms and the last activation (`bypass_norms`).
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

# Classes of FER in AffectNet's order: `EMOTIONS` without calm, which AffectNet does not label.
FER_CLASSES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
assert set(FER_CLASSES) < set(EMOTIONS)


class FerConfig(Config):
    """Sizes of FER, and the choice of its features; the defaults are those of the released model."""

    kind: Literal["fer"] = "fer"
    hidden: Annotated[tuple[Width, ...], Field(min_length=1, max_length=64)] = (
        256, 512, 1024, 512, 256, 128, 64,
    )  # fmt: skip
    """Widths of the layers before the output."""
    feature_layer: Annotated[int, Field(ge=0)] = 5
    """Index of the layer, from 0, whose output is the features."""
    bypass_norms: bool = True
    """Compute the features as the released code does, without any norm and without the last activation. False
    takes the layer's activations in the classifier."""
    dropout: Dropout = 0.3
    """Dropout after each layer."""

    @model_validator(mode="after")
    def _layer_exists(self) -> FerConfig:
        if self.feature_layer >= len(self.hidden):
            raise ValueError(
                f"feature_layer {self.feature_layer} is not one of the {counted(len(self.hidden), 'layer')}"
            )
        return self


class Fer(nn.Module):
    """Multilayer perceptron with batch norm, which processes every frame separately."""

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
        """Return the features of each frame that DEE uses."""
        last = self.config.feature_layer
        if not self.config.bypass_norms:
            return self._activations(coeffs, last + 1)
        x = coeffs
        for layer in self.layers[:last]:
            x = F.leaky_relu(layer(x))
        return self.layers[last](x)

    def _activations(self, x: Float[Tensor, "*frames coeffs"], count: int) -> Float[Tensor, "*frames width"]:
        """Return the activations of the classifier after its first `count` layers."""
        for layer, norm in zip(self.layers[:count], self.norms[:count], strict=True):
            x = layer(x)
            # The norm takes all frames of all clips as one batch.
            x = F.leaky_relu(norm(x.flatten(0, -2)).view_as(x))
            x = F.dropout(x, self.config.dropout, self.training)
        return x
