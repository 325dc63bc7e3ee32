"""wav2vec 2.0: features of a network that was pre-trained on speech, at the frame rate of the motion.

Axis names: `batch`, `samples` (16 kHz), `steps` (50 Hz), `frames` (25 fps), `channels`.
Baevski et al. 2020; the parameters are those of torchaudio's module. As in FaceFormer, EMOTE and DEEPTalk
the convolutions' output is interpolated to the face's rate before the transformer sees it.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.models import wav2vec2_model

from talkcli.engine.audio.strided import CONVOLUTIONS, at_least_one_step, flat, grouped, in_blocks, windows
from talkcli.engine.nn.dense import dense, linear
from talkcli.engine.types import Config, Dropout, Heads, Kernel, Layers, Width

_EPS = 1e-7


class Wav2vec2Config(Config):
    """Sizes of the base network and how it is used; the defaults are DEEPTalk's."""

    kind: Literal["wav2vec2"] = "wav2vec2"
    """Tells it from other contents."""
    width: Width = 768
    """Channels of the transformer and of the output."""
    layers: Layers = 12
    """Layers of the transformer."""
    heads: Heads = 12
    """Attention heads."""
    feedforward: Width = 3072
    """Width inside the feed-forward layers."""
    channels: Width = 512
    """Channels of the convolutions."""
    position_kernel: Kernel = 128
    """Frames that the positional convolution sees."""
    position_groups: Heads = 16
    """Its groups."""
    dropout: Dropout = 0.1
    """Dropout everywhere, in training of what is not frozen."""
    layer_drop: Dropout = 0.1
    """Chance that a layer is left out of a training step."""
    normalise: Literal["utterance", "batch", "none"] = "utterance"
    """Over what the input gets mean 0 and deviation 1; "batch" repeats DEEPTalk's code, where the loudness of
    one clip depends on its neighbours.
    """
    frozen: Literal["all", "convolutions", "none"] = "all"
    """The part that never trains: everything (DEEPTalk's code), the convolutions (its paper), or nothing."""

    @model_validator(mode="after")
    def _check(self) -> Wav2vec2Config:
        if self.width % self.heads or self.width % self.position_groups:
            raise ValueError(f"width {self.width} is no multiple of heads or of position_groups")
        return self


class Wav2vec2(nn.Module):
    """Speech to features at 25 fps: `forward` is `finish` of `trunk`, and the trunk is what is frozen."""

    def __init__(self, config: Wav2vec2Config) -> None:
        super().__init__()
        self.config = config
        self.width = config.width
        self.model = wav2vec2_model(
            extractor_mode="group_norm",
            extractor_conv_layer_config=[(config.channels, *shape) for shape in CONVOLUTIONS],
            extractor_conv_bias=False,
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
            encoder_layer_norm_first=False,
            encoder_layer_drop=config.layer_drop,
            aux_num_out=None,
        )
        for frozen in self._frozen():
            frozen.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Wav2vec2:
        """Return what is frozen keeps evaluating."""
        super().train(mode)
        for frozen in self._frozen():
            frozen.eval()
        return self

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames width"]:
        """Return `samples` at 16 kHz give one frame for 640 of them; an incomplete last frame counts if a
        step of 20 ms fits into it. Less than 400 samples count as 400.
        """
        return self.finish(self.trunk(samples))

    def trunk(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames channels"]:
        """Return the convolutions, and what follows them if that is frozen: what can be kept beside a
        clip.
        """
        steps = self._convolve(_normalise(at_least_one_step(samples), self.config.normalise))
        frames = -(-steps.shape[1] // 2)
        resampled = F.interpolate(steps.mT, frames, mode="linear", align_corners=True).mT
        return self._transform(resampled) if self.config.frozen == "all" else resampled

    def finish(self, trunk: Float[Tensor, "batch frames channels"]) -> Float[Tensor, "batch frames width"]:
        """Return what is left to do, and trains."""
        return trunk if self.config.frozen == "all" else self._transform(trunk)

    def _frozen(self) -> tuple[nn.Module, ...]:
        parts = {"all": (self.model,), "convolutions": (self.model.feature_extractor,), "none": ()}
        return parts[self.config.frozen]

    def _convolve(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch steps channels"]:
        first, *rest = self.model.feature_extractor.conv_layers
        weight, bias = _normalised(first, samples)
        matrices = [flat(layer.conv.weight) for layer in rest]

        def layers(piece: Tensor) -> Tensor:
            steps = F.gelu(torch.baddbmm(bias, windows(piece[..., None], *CONVOLUTIONS[0]), weight))
            for matrix, shape in zip(matrices, CONVOLUTIONS[1:], strict=True):
                steps = dense(windows(steps, *shape), matrix, gelu=True)
            return steps

        return in_blocks(samples, layers)

    def _transform(
        self, features: Float[Tensor, "batch frames channels"]
    ) -> Float[Tensor, "batch frames width"]:
        projection, transformer = self.model.encoder.feature_projection, self.model.encoder.transformer
        hidden = projection.dropout(linear(projection.layer_norm(features), projection.projection))
        position = transformer.pos_conv_embed.conv
        hidden = hidden + F.gelu(grouped(hidden, position.weight, position.bias))
        hidden = transformer.dropout(transformer.layer_norm(hidden))
        for layer in transformer.layers:
            after = _layer(layer, hidden)
            if layer.training:
                # A layer that is left out still runs: all processes of a step have gradients for the same.
                keep = torch.rand((), device=hidden.device) >= self.config.layer_drop
                after = torch.where(keep, after, hidden)
            hidden = after
        return hidden


def _normalised(
    layer: Any, samples: Float[Tensor, "batch samples"]
) -> tuple[Float[Tensor, "batch kernel channels"], Float[Tensor, "batch 1 channels"]]:
    """Return the first convolution with the norm over time that follows it, as one matrix and bias for each
    row.

    Mean and variance of its output follow from those of its input, so that the output, which is 50 times as
    large as the samples, is passed over only once.
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
    """Return one of torchaudio's layers: attention, then a feed-forward layer, each added and then
    normalised.
    """
    attention, feed_forward = layer.attention, layer.feed_forward
    q, k, v = (
        linear(hidden, part).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for part in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    dropout = attention.dropout if layer.training else 0.0
    mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout).transpose(1, 2).flatten(2)
    hidden = layer.layer_norm(hidden + layer.dropout(linear(mixed, attention.out_proj)))
    inside = linear(hidden, feed_forward.intermediate_dense, gelu=True)
    added = linear(feed_forward.intermediate_dropout(inside), feed_forward.output_dense)
    return layer.final_layer_norm(hidden + feed_forward.output_dropout(added))


def _normalise(samples: Float[Tensor, "batch samples"], over: str) -> Float[Tensor, "batch samples"]:
    if over == "none":
        return samples
    variance, mean = torch.var_mean(samples, (0, 1) if over == "batch" else 1, correction=0, keepdim=True)
    return (samples - mean) * torch.rsqrt(variance + _EPS)
