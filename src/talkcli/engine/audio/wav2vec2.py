"""wav2vec 2.0: features of a network that was pre-trained on speech, at the frame rate of the motion.

Axis names: `batch`, `samples` (16 kHz), `steps` (50 Hz), `frames` (25 fps), `channels` (of the convolutions),
`width` (channels of the transformer). Source: Baevski et al. 2020; the parameters are those of torchaudio's
module. As in FaceFormer, EMOTE and DEEPTalk, the output of the convolutions is interpolated to the frame rate
of the motion before the transformer. There are two families of published weights: those of the base network
normalise after attention and feed-forward, those of the large network (LV-60k, XLSR) before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.strided import CONVOLUTIONS, at_least_one_step, flat, grouped, in_blocks, windows
from talkcli.engine.nn.dense import dense, linear
from talkcli.engine.types import Config, Dropout, Heads, Kernel, Layers, Width

# Added to the variance of the samples before the square root, so that silence can be normalised.
_EPS = 1e-7
# SpecAugment: frames of a masked stretch, and the least number of stretches.
_MASKED, _LEAST_MASKS = 10, 2


class Wav2vec2Config(Config):
    """Sizes of the network, its input and the part of it that is frozen. The defaults are the base network,
    as DEEPTalk uses it.
    """

    kind: Literal["wav2vec2"] = "wav2vec2"
    """Name of this encoder in a recipe."""
    width: Width = 768
    """Number of channels of the transformer and of the output."""
    layers: Layers = 12
    """Number of transformer layers."""
    heads: Heads = 12
    """Number of attention heads of a layer."""
    feedforward: Width = 3072
    """Number of hidden units of a feed-forward layer."""
    channels: Width = 512
    """Number of channels of the strided convolutions."""
    position_kernel: Kernel = 128
    """Kernel size of the positional convolution, in frames of 40 ms."""
    position_groups: Heads = 16
    """Number of groups of the positional convolution."""
    layer_norm_first: bool = False
    """Whether the network is built as the large ones are: every convolution has a bias and a norm over its
    channels, and the norms of a transformer layer stand before attention and feed-forward. False: as the base
    network, with one norm over time in the first convolution and norms after."""
    dropout: Dropout = 0.1
    """Dropout of all parts of the transformer, if it trains."""
    layer_drop: Dropout = 0.1
    """Probability that a training step skips a layer."""
    mask_share: Dropout = 0.0
    """Share of the frames that training masks before the transformer, in stretches of ten (SpecAugment): 0.05
    in the published training of FaceFormer and CodeTalker. Above 0, it masks at least two stretches, where
    the window has room. It has no effect if everything is frozen."""
    normalise: Literal["utterance", "batch", "none"] = "utterance"
    """Samples over which the input is normalised to mean 0 and standard deviation 1. "batch" repeats
    DEEPTalk's code: there the loudness of a clip depends on the other clips of its batch."""
    frozen: Literal["all", "convolutions", "none"] = "all"
    """Part that never trains: everything (DEEPTalk's code), the convolutions (its paper), or nothing."""
    frozen_layers: Annotated[int, Field(ge=0, le=64)] = 0
    """Number of first layers of the transformer that never train, with the projection before them; for
    frozen convolutions. FaceDiffuser has 2."""

    @model_validator(mode="after")
    def _check(self) -> Wav2vec2Config:
        if self.width % self.heads or self.width % self.position_groups:
            raise ValueError(f"width {self.width} is no multiple of heads or of position_groups")
        if self.frozen_layers > (self.layers if self.frozen == "convolutions" else 0):
            raise ValueError(f"frozen_layers {self.frozen_layers} with frozen {self.frozen}")
        return self


class Wav2vec2(nn.Module):
    """Encoder of speech: features at 25 fps. `forward` is `finish` of `trunk`.

    `trunk` holds the frozen part, and always the convolutions.
    """

    def __init__(self, config: Wav2vec2Config) -> None:
        # The embedded model has no such encoder, and imports this file for the name alone.
        from torchaudio.models import wav2vec2_model

        super().__init__()
        self.config = config
        self.width = config.width
        self.model = wav2vec2_model(
            extractor_mode="layer_norm" if config.layer_norm_first else "group_norm",
            extractor_conv_layer_config=[(config.channels, *shape) for shape in CONVOLUTIONS],
            extractor_conv_bias=config.layer_norm_first,
            encoder_embed_dim=config.width,
            encoder_projection_dropout=config.dropout,
            encoder_pos_conv_kernel=config.position_kernel,
            encoder_pos_conv_groups=config.position_groups,
            encoder_num_layers=config.layers,
            encoder_num_heads=config.heads,
            encoder_attention_dropout=config.dropout,
            encoder_ff_interm_features=config.feedforward,
            encoder_ff_interm_dropout=config.dropout,
            encoder_dropout=config.dropout,
            encoder_layer_norm_first=config.layer_norm_first,
            encoder_layer_drop=config.layer_drop,
            aux_num_out=None,
        )
        for frozen in self._frozen():
            frozen.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Wav2vec2:
        """Set the training mode of the module; its frozen parts stay in evaluation mode."""
        super().train(mode)
        for frozen in self._frozen():
            frozen.eval()
        return self

    def forward(
        self, samples: Float[Tensor, "batch samples"], frames: int | None = None
    ) -> Float[Tensor, "batch frames width"]:
        """Return `frames` frames; without a number, one for every 640 samples at 16 kHz.

        An incomplete last frame counts if it has the 400 samples (25 ms) that a step sees. Fewer than 400
        samples are extended with silence to 400.
        """
        return self.finish(self.trunk(samples, frames))

    def trunk(
        self, samples: Float[Tensor, "batch samples"], frames: int | None = None
    ) -> Float[Tensor, "batch frames channels"]:
        """Return the output of the convolutions, or of the whole network if all of it is frozen, with as many
        frames as `forward` gives.

        The result can be cached per clip, unless the convolutions train.
        """
        steps = self.convolve(samples)
        resampled = resample(steps, -(-steps.shape[1] // 2) if frames is None else frames)
        return self.transform(resampled) if self.config.frozen == "all" else resampled

    def finish(self, trunk: Float[Tensor, "batch frames channels"]) -> Float[Tensor, "batch frames width"]:
        """Apply the transformer, if `trunk` does not include it."""
        return trunk if self.config.frozen == "all" else self.transform(trunk)

    def _frozen(self) -> tuple[nn.Module, ...]:
        if self.config.frozen == "all":
            return (self.model,)
        if self.config.frozen == "none":
            return ()
        encoder, count = self.model.encoder, self.config.frozen_layers
        first = (encoder.feature_projection, *encoder.transformer.layers[:count]) if count else ()
        return (self.model.feature_extractor, *first)

    def convolve(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch steps channels"]:
        """Return the output of the convolutions, 50 steps a second, of samples of any loudness."""
        samples = _normalise(at_least_one_step(samples), self.config.normalise)
        layers = list(self.model.feature_extractor.conv_layers)
        return in_blocks(
            samples, _each_normed(layers) if self.config.layer_norm_first else _first_normed(layers, samples)
        )

    def transform(
        self, features: Float[Tensor, "batch frames channels"]
    ) -> Float[Tensor, "batch frames width"]:
        """Apply the transformer to outputs of the convolutions, at any number of frames a second."""
        projection, transformer = self.model.encoder.feature_projection, self.model.encoder.transformer
        hidden = projection.dropout(linear(projection.layer_norm(features), projection.projection))
        if transformer.training and self.config.mask_share:
            hidden = hidden.masked_fill(_mask(hidden, self.config.mask_share)[..., None], 0.0)
        position = transformer.pos_conv_embed.conv
        hidden = hidden + F.gelu(grouped(hidden, position.weight, position.bias))
        before = self.config.layer_norm_first
        hidden = transformer.dropout(hidden if before else transformer.layer_norm(hidden))
        for layer in transformer.layers:
            after = _layer_norm_first(layer, hidden) if before else _layer(layer, hidden)
            if layer.training:
                # A skipped layer runs as well, so that all processes have gradients of the same parameters.
                keep = torch.rand((), device=hidden.device) >= self.config.layer_drop
                after = torch.where(keep, after, hidden)
            hidden = after
        return transformer.layer_norm(hidden) if before else hidden


def _first_normed(
    convolutions: Sequence[Any], samples: Float[Tensor, "batch samples"]
) -> Callable[[Tensor], Tensor]:
    """Return the base network's convolutions of `samples`, as a function of pieces of them."""
    first, *rest = convolutions
    weight, bias = _normalised(first, samples)
    matrices = [flat(layer.conv.weight) for layer in rest]

    def layers(piece: Tensor) -> Tensor:
        steps = F.gelu(torch.baddbmm(bias, windows(piece[..., None], *CONVOLUTIONS[0]), weight))
        for matrix, shape in zip(matrices, CONVOLUTIONS[1:], strict=True):
            steps = dense(windows(steps, *shape), matrix, gelu=True)
        return steps

    return layers


def _each_normed(convolutions: Sequence[Any]) -> Callable[[Tensor], Tensor]:
    """Return the large network's convolutions: a norm over channels follows each of them."""
    matrices = [flat(layer.conv.weight) for layer in convolutions]

    def layers(piece: Tensor) -> Tensor:
        steps = piece[..., None]
        for layer, matrix, shape in zip(convolutions, matrices, CONVOLUTIONS, strict=True):
            norm = layer.layer_norm
            steps = dense(windows(steps, *shape), matrix, layer.conv.bias)
            steps = F.gelu(F.layer_norm(steps, norm.normalized_shape, norm.weight, norm.bias, norm.eps))
        return steps

    return layers


def _mask(features: Float[Tensor, "batch frames width"], share: float) -> Bool[Tensor, "batch frames"]:
    """Draw the frames that SpecAugment masks, as the transformers package does; stretches may overlap."""
    batch, frames, _ = features.shape
    length = min(_MASKED, frames)
    count = max(int(share * frames / length + torch.rand(()).item()), _LEAST_MASKS)
    count = min(count, max(frames // length, 1))
    starts = torch.stack([torch.randperm(frames - length + 1)[:count] for _ in range(batch)])
    masked = torch.zeros(batch, frames, dtype=torch.bool)
    places = (starts[..., None] + torch.arange(length)).flatten(1)
    return masked.scatter(1, places, True).to(features.device)


def resample(
    steps: Float[Tensor, "batch steps channels"], frames: int
) -> Float[Tensor, "batch frames channels"]:
    """Return `steps`, linearly interpolated to a number of frames; the first and the last one stay."""
    return F.interpolate(steps.mT, frames, mode="linear", align_corners=True).mT


def _normalised(
    layer: Any, samples: Float[Tensor, "batch samples"]
) -> tuple[Float[Tensor, "batch kernel channels"], Float[Tensor, "batch 1 channels"]]:
    """Merge the first convolution and its norm over time into one matrix and one bias for each row.

    The mean and the covariance of the convolution's input determine the mean and variance of its output. So
    the output, which is about 100 times as large as the samples, is computed only once.

    Args:
        layer: torchaudio's first convolution layer.
        samples: Normalised samples of the batch.
    """
    # In double precision: a filter can cancel nearly all of its input.
    seen = windows(samples[..., None].double(), *CONVOLUTIONS[0])
    mean = seen.mean(1, keepdim=True)
    covariance = (seen - mean).mT @ (seen - mean) / seen.shape[1]
    filters = layer.conv.weight[:, 0].double()
    variance = ((filters @ covariance) * filters).sum(-1)
    scale = layer.layer_norm.weight * torch.rsqrt(variance + layer.layer_norm.eps)
    weight = filters.T * scale[:, None]
    bias = layer.layer_norm.bias - mean @ weight
    return weight.to(samples.dtype), bias.to(samples.dtype)


def _layer(layer: Any, hidden: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch frames width"]:
    """Apply one of torchaudio's layers: attention, then feed-forward; a norm follows each residual sum."""
    hidden = layer.layer_norm(hidden + _attended(layer, hidden))
    return layer.final_layer_norm(hidden + _fed_forward(layer, hidden))


def _layer_norm_first(
    layer: Any, hidden: Float[Tensor, "batch frames width"]
) -> Float[Tensor, "batch frames width"]:
    """Apply one of torchaudio's layers: attention, then feed-forward, each on normed input."""
    hidden = hidden + _attended(layer, layer.layer_norm(hidden))
    return hidden + _fed_forward(layer, layer.final_layer_norm(hidden))


def _attended(layer: Any, hidden: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch frames width"]:
    attention = layer.attention
    q, k, v = (
        linear(hidden, part).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for part in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    dropout = attention.dropout if layer.training else 0.0
    mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout).transpose(1, 2).flatten(2)
    return layer.dropout(linear(mixed, attention.out_proj))


def _fed_forward(
    layer: Any, hidden: Float[Tensor, "batch frames width"]
) -> Float[Tensor, "batch frames width"]:
    feed_forward = layer.feed_forward
    inside = linear(hidden, feed_forward.intermediate_dense, gelu=True)
    added = linear(feed_forward.intermediate_dropout(inside), feed_forward.output_dense)
    return feed_forward.output_dropout(added)


def _normalise(samples: Float[Tensor, "batch samples"], over: str) -> Float[Tensor, "batch samples"]:
    """Normalise `samples` over each utterance or over the whole batch, as the config's `normalise` says."""
    if over == "none":
        return samples
    variance, mean = torch.var_mean(samples, (0, 1) if over == "batch" else 1, correction=0, keepdim=True)
    return (samples - mean) * torch.rsqrt(variance + _EPS)
