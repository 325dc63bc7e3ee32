"""Stage 1 of CodeTalker: an auto-encoder that turns every frame of motion into a few codes of one codebook.

Axis names: `batch`, `frames`, `values` (the numbers of a frame: coordinates of vertices, or coefficients),
`width`, `tokens` = frames * codes of a frame, `channels` = width / codes of a frame. Source: CodeTalker
(Xing et al. 2023), section 3.1, facts H.2. Motion is the difference from the face at rest.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.nn.codebook import Codebook
from talkcli.engine.nn.pre_norm import PreNormTransformer, standardise_over_time
from talkcli.engine.nn.transformer import sinusoids
from talkcli.engine.types import Config, Dropout, Heads, Layers, Width, check_heads

# Frames that a convolution sees on either side of its own.
REACH = 2
_SLOPE = 0.2


class CodeTalkerVqConfig(Config):
    """Sizes of the auto-encoder; the defaults are those of VOCASET."""

    motion: Literal["vertices", "coefficients"] = "vertices"
    """Meaning of the values of a frame."""
    width: Width = 1024
    """Number of channels of a frame."""
    layers: Layers = 6
    """Number of transformer layers of the encoder, and of the decoder."""
    heads: Heads = 8
    """Number of attention heads."""
    feedforward: Width = 1536
    """Number of hidden units of a layer's perceptron."""
    codes: Annotated[int, Field(gt=0, le=1 << 16)] = 256
    """Number of codes in the codebook."""
    codes_per_frame: Annotated[int, Field(gt=0, le=1024)] = 16
    """Number of codes of a frame; each has width / codes_per_frame channels."""
    commitment: Annotated[float, Field(ge=0, le=1e6)] = 0.25
    """Weight of the mean squared distance between the encoder's vectors and their codes."""
    linear_at_codes: bool = False
    """Have a linear layer before and after the codebook, as in the model of BIWI."""
    output_bias: bool = True
    """Have a bias in the last layer; the model of BIWI has none."""
    positions: Literal["none", "frame"] = "none"
    """Position code of a frame. The published code adds the code of position 0 to every frame ("none"),
    since it numbers the rows of a batch and has batches of one. "frame" is the number of the frame."""
    dropout: Dropout = 0.1
    """Dropout after the position codes, in training; the layers have none."""

    @model_validator(mode="after")
    def _check(self) -> CodeTalkerVqConfig:
        check_heads(self.heads, width=self.width)
        if self.width % self.codes_per_frame:
            raise ValueError(f"width {self.width} is no multiple of codes_per_frame {self.codes_per_frame}")
        return self


class Reconstructed(NamedTuple):
    """Result of the auto-encoder."""

    motion: Float[Tensor, "batch frames values"]
    """Motion made of the codes."""
    codes: Int[Tensor, "batch frames codes"]
    """Codes of each frame."""
    loss: Float[Tensor, ""]
    """Loss of the codebook: of the encoder's vectors and of the codes."""


class CodeTalkerVq(nn.Module):
    """The auto-encoder."""

    method = "codetalker_vq"

    def __init__(self, config: CodeTalkerVqConfig, num_values: int) -> None:
        super().__init__()
        self.config = config
        self.encoder = MotionEncoder(config, num_values)
        self.quantizer = Codebook(config.codes, config.width // config.codes_per_frame, config.commitment)
        self.decoder = MotionDecoder(config, num_values)

    def forward(self, motion: Float[Tensor, "batch frames values"]) -> Reconstructed:
        """Encode, quantise and decode motion."""
        quantized = self.quantizer(self.tokens(self.encoder(motion)))
        codes = quantized.codes.unflatten(1, (-1, self.config.codes_per_frame))
        return Reconstructed(self.decoder(self.frames(quantized.vectors)), codes, quantized.commitment)

    def quantised_targets(
        self, motion: Float[Tensor, "batch frames values"]
    ) -> Float[Tensor, "batch tokens channels"]:
        """Return the code vectors of a motion."""
        return self.quantizer.lookup(self.quantizer.nearest(self.tokens(self.encoder(motion))))

    def tokens(self, frames: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch tokens channels"]:
        """Cut every frame into the vectors of its codes."""
        return frames.unflatten(-1, (self.config.codes_per_frame, -1)).flatten(1, 2)

    def frames(self, tokens: Float[Tensor, "batch tokens channels"]) -> Float[Tensor, "batch frames width"]:
        """Join the code vectors of every frame."""
        return tokens.unflatten(1, (-1, self.config.codes_per_frame)).flatten(2)


class TimeMixer(nn.Module):
    """What encoder and decoder share: convolution, norm over time, linear layer, transformer."""

    def __init__(self, config: CodeTalkerVqConfig) -> None:
        super().__init__()
        self.numbered = config.positions == "frame"
        self.dropout = config.dropout
        width = config.width
        self.conv = nn.Conv1d(width, width, 2 * REACH + 1)
        self.linear = nn.Linear(width, width)
        self.transformer = PreNormTransformer(
            width, layers=config.layers, heads=config.heads, feedforward=config.feedforward
        )

    def forward(
        self, x: Float[Tensor, "batch frames width"], first: int = 0
    ) -> Float[Tensor, "batch frames width"]:
        padded = F.pad(x.mT, (REACH, REACH), mode="replicate")
        return self.after_conv(activated(self.conv(padded)).mT, first=first)

    def after_conv(
        self, x: Float[Tensor, "batch frames width"], last: int | None = None, first: int = 0
    ) -> Float[Tensor, "batch last width"]:
        """Do what follows the convolution of frames from number `first` on; return the `last`, or all."""
        x = self.linear(standardise_over_time(x))
        width = x.shape[-1]
        if self.numbered:
            x = x + sinusoids(first + x.shape[1], width, x.device)[first:].to(x)
        else:
            x = x + sinusoids(1, width, x.device).to(x)
        return self.transformer(F.dropout(x, self.dropout, self.training), last)


class MotionEncoder(nn.Module):
    """Encoder of motion: one vector a frame."""

    def __init__(self, config: CodeTalkerVqConfig, num_values: int) -> None:
        super().__init__()
        self.inward = nn.Linear(num_values, config.width)
        self.mixer = TimeMixer(config)
        self.outward = _at_codes(config)

    def forward(self, motion: Float[Tensor, "batch frames values"]) -> Float[Tensor, "batch frames width"]:
        return self.outward(self.mixer(activated(self.inward(motion))))


class MotionDecoder(nn.Module):
    """Decoder of motion from one vector a frame; it is not causal, since the norm and attention see all."""

    def __init__(self, config: CodeTalkerVqConfig, num_values: int) -> None:
        super().__init__()
        self.inward = _at_codes(config)
        self.mixer = TimeMixer(config)
        self.outward = nn.Linear(config.width, num_values, bias=config.output_bias)

    def forward(
        self, frames: Float[Tensor, "batch frames width"], first: int = 0
    ) -> Float[Tensor, "batch frames values"]:
        """Decode frames that begin with number `first`."""
        return self.outward(self.mixer(self.inward(frames), first))


def conv_matrix(conv: nn.Conv1d) -> Tensor:
    """Return the matrix from a frame to what it adds to the convolution at each of the kernel's places.

    The result has the shape (kernel * width, width), and the kernel's places are in order.
    """
    return conv.weight.permute(2, 0, 1).flatten(0, 1)


def activated(x: Tensor) -> Tensor:
    """Apply the activation that follows the convolution and the encoder's first layer."""
    return F.leaky_relu(x, _SLOPE)


def _at_codes(config: CodeTalkerVqConfig) -> nn.Module:
    return nn.Linear(config.width, config.width) if config.linear_at_codes else nn.Identity()
