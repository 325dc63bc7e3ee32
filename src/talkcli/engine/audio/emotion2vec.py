"""emotion2vec: features of a network that was pre-trained on emotional speech.

Axis names: `batch`, `samples` (16 kHz), `steps` (50 Hz), `tokens` (extra tokens, then steps), `channels` (of
the convolutions), `width` (channels of the blocks). Source: Ma et al. 2023; the network is data2vec 2.0 for
audio. Parameters have their published names; the decoder of the pre-training is left out. Of the eight blocks
after the modality encoder, DEEPTalk's code trains the last two, and its paper the last six.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.strided import CONVOLUTIONS, at_least_one_step, flat, grouped, in_blocks, windows
from talkcli.engine.nn.alibi import slopes
from talkcli.engine.nn.dense import dense, linear
from talkcli.engine.types import Config, Dropout, Heads, Kernel, Layers, Width


class Emotion2vecConfig(Config):
    """Sizes of the base network, and the part of it that is frozen; the defaults are DEEPTalk's."""

    kind: Literal["emotion2vec"] = "emotion2vec"
    """Name of this encoder in a recipe."""
    width: Width = 768
    """Number of channels of the blocks and of the output."""
    prenet: Layers = 4
    """Number of transformer blocks in the modality encoder."""
    depth: Layers = 8
    """Number of transformer blocks after the modality encoder."""
    heads: Heads = 12
    """Number of attention heads of a block."""
    feedforward: Width = 3072
    """Number of hidden units of a feed-forward layer."""
    channels: Width = 512
    """Number of channels of the strided convolutions."""
    extra_tokens: Annotated[int, Field(ge=0, le=1024)] = 10
    """Number of learned tokens before the first step."""
    positions: Layers = 5
    """Number of positional convolutions."""
    position_kernel: Kernel = 19
    """Kernel size of a positional convolution, in steps of 20 ms."""
    position_groups: Heads = 16
    """Number of groups of a positional convolution."""
    dropout: Dropout = 0.1
    """Dropout of the attention weights and of both residual branches, in blocks that train."""
    layer_drop: Dropout = 0.05
    """Probability that a training step skips a block."""
    frozen_blocks: int = Field(default=6, ge=0)
    """Number of blocks after the modality encoder that never train. The modality encoder never trains."""

    @model_validator(mode="after")
    def _check(self) -> Emotion2vecConfig:
        if self.width % self.heads or self.width % self.position_groups:
            raise ValueError(f"width {self.width} is no multiple of heads or of position_groups")
        if self.frozen_blocks > self.depth:
            raise ValueError(f"frozen_blocks is {self.frozen_blocks}, but depth is {self.depth}")
        return self


class Emotion2vec(nn.Module):
    """Encoder of speech: features at 50 Hz. `forward` is `finish` of `trunk`; the trunk is frozen."""

    def __init__(self, config: Emotion2vecConfig) -> None:
        super().__init__()
        self.config = config
        self.width = config.width
        self.modality_encoders = nn.ModuleDict({"AUDIO": ModalityEncoder(config)})
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        for frozen in self._frozen():
            frozen.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Emotion2vec:
        """Set the training mode of the module; its frozen parts stay in evaluation mode."""
        super().train(mode)
        for frozen in self._frozen():
            frozen.eval()
        return self

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch steps width"]:
        """Return one step for every 320 samples at 16 kHz, if all 400 samples that a step sees are there.

        Fewer than 400 samples are extended with silence to 400. The level does not matter: each clip is
        normalised.
        """
        return self.finish(self.trunk(samples))

    def trunk(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch tokens width"]:
        """Return the tokens after the last frozen block, extra tokens first; they can be cached per clip."""
        tokens = self._audio(samples)
        return self._run(tokens, self.blocks[: self.config.frozen_blocks])

    def finish(self, trunk: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch steps width"]:
        """Apply the blocks that train, and return the steps without the extra tokens."""
        tokens = self._run(trunk, self.blocks[self.config.frozen_blocks :])
        return tokens[:, self.config.extra_tokens :]

    @property
    def _audio(self) -> ModalityEncoder:
        return self.modality_encoders["AUDIO"]  # type: ignore[return-value]

    def _run(self, tokens: Tensor, blocks: nn.ModuleList) -> Tensor:
        bias = self._audio.bias(tokens)
        for block in blocks:
            tokens = block(tokens, bias)
        return tokens

    def _frozen(self) -> tuple[nn.Module, ...]:
        return (self.modality_encoders, *self.blocks[: self.config.frozen_blocks])


class ModalityEncoder(nn.Module):
    """First part of the network: convolutions, positional convolutions, extra tokens and `prenet` blocks."""

    def __init__(self, config: Emotion2vecConfig) -> None:
        super().__init__()
        width, channels = config.width, config.channels
        self.config = config
        self.extra_tokens = nn.Parameter(torch.zeros(1, config.extra_tokens, width))
        self.alibi_scale = nn.Parameter(torch.ones(1, 1, config.heads, 1, 1))
        self.local_encoder = nn.ModuleDict(
            {
                "conv_layers": nn.ModuleList(
                    nn.ModuleDict(
                        {
                            "0": nn.Conv1d(channels if index else 1, channels, kernel, stride, bias=False),
                            "2": nn.ModuleDict({"1": nn.LayerNorm(channels)}),
                        }
                    )
                    for index, (kernel, stride) in enumerate(CONVOLUTIONS)
                )
            }
        )
        self.project_features = nn.ModuleDict({"1": nn.LayerNorm(channels), "2": nn.Linear(channels, width)})
        kernel, groups = config.position_kernel, config.position_groups
        self.relative_positional_encoder = nn.ModuleDict(
            {
                str(index + 1): nn.ModuleDict(
                    {"0": nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=groups)}
                )
                for index in range(config.positions)
            }
        )
        self.context_encoder = nn.ModuleDict(
            {
                "norm": nn.LayerNorm(width),
                "blocks": nn.ModuleList(Block(config) for _ in range(config.prenet)),
            }
        )

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch tokens width"]:
        samples = at_least_one_step(samples)
        norm: Any = self.project_features["1"]
        project: Any = self.project_features["2"]
        steps = linear(norm(self._convolve(F.layer_norm(samples, samples.shape[1:]))), project)
        steps = steps + self._positions(steps)
        extra = self.extra_tokens.expand(len(steps), -1, -1).to(steps.dtype)
        tokens = self.context_encoder["norm"](torch.cat([extra, steps], dim=1))
        bias = self.bias(tokens)
        blocks: Any = self.context_encoder["blocks"]
        for block in blocks:
            tokens = block(tokens, bias)
        return tokens

    def bias(self, tokens: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "1 heads tokens tokens"]:
        """Return the bias of attention (ALiBi): it falls with the distance of two steps in time.

        The bias is 0 to and from extra tokens.
        """
        extra = self.config.extra_tokens
        places = torch.arange(tokens.shape[1] - extra, device=tokens.device)
        distance = F.pad((places[:, None] - places).abs(), (extra, 0, extra, 0))
        slope = torch.tensor(slopes(self.config.heads), device=tokens.device).reshape(-1, 1, 1)
        return (-slope * self.alibi_scale[0].clamp(min=0) * distance).to(tokens.dtype)

    def _convolve(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch steps channels"]:
        convolutions: Any = self.local_encoder["conv_layers"]
        matrices = [flat(layer["0"].weight) for layer in convolutions]
        norms = [layer["2"]["1"] for layer in convolutions]

        def layers(piece: Tensor) -> Tensor:
            steps = piece[..., None]
            for matrix, norm, shape in zip(matrices, norms, CONVOLUTIONS, strict=True):
                steps = F.gelu(norm(dense(windows(steps, *shape), matrix)))
            return steps

        return in_blocks(samples, layers)

    def _positions(self, steps: Float[Tensor, "batch steps width"]) -> Float[Tensor, "batch steps width"]:
        layers: Any = self.relative_positional_encoder
        for layer in layers.values():
            seen = grouped(steps, layer["0"].weight, layer["0"].bias)
            steps = F.gelu(F.layer_norm(seen, seen.shape[-1:]))
        return steps


class Block(nn.Module):
    """Transformer block: attention, then a feed-forward layer; a layer norm follows each residual sum."""

    def __init__(self, config: Emotion2vecConfig) -> None:
        super().__init__()
        self.config = config
        self.norm1 = nn.LayerNorm(config.width)
        self.attn = _Attention(config.width)
        self.mlp = _FeedForward(config.width, config.feedforward)
        self.norm2 = nn.LayerNorm(config.width)

    def forward(
        self, tokens: Float[Tensor, "batch tokens width"], bias: Float[Tensor, "1 heads tokens tokens"]
    ) -> Float[Tensor, "batch tokens width"]:
        dropout = self.config.dropout if self.training else 0.0
        attended = linear(self._attend(tokens, bias, dropout), self.attn.proj)
        after = self.norm1(tokens + F.dropout(attended, dropout))
        added = linear(linear(after, self.mlp.fc1, gelu=True), self.mlp.fc2)
        after = self.norm2(after + F.dropout(added, dropout))
        if self.training:
            # A skipped block runs as well, so that all processes have gradients of the same parameters.
            keep = torch.rand((), device=tokens.device) >= self.config.layer_drop
            return torch.where(keep, after, tokens)
        return after

    def _attend(self, tokens: Tensor, bias: Tensor, dropout: float) -> Float[Tensor, "batch tokens width"]:
        q, k, v = (
            part.unflatten(-1, (self.config.heads, -1)).transpose(1, 2)
            for part in linear(tokens, self.attn.qkv).chunk(3, dim=-1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), dropout_p=dropout)
        return mixed.transpose(1, 2).flatten(2)


class _Attention(nn.Module):
    """Layers of the attention, with their published names."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)


class _FeedForward(nn.Module):
    """Layers of the feed-forward part, with their published names."""

    def __init__(self, width: int, inside: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inside)
        self.fc2 = nn.Linear(inside, width)
