"""Causal transformer decoder of FaceFormer and its successors, over all frames at once or frame by frame.

Axis names: `batch`, `frames`, `width`, `heads`, `memory` = `per_frame` * `frames` (positions of the sound).
Sources: FaceFormer (Fan et al. 2022), facts H and H.1. Weights have the names of torch's TransformerDecoder.
A frame attends to itself and to earlier frames, with a bias that falls in steps of `period` frames; it
attends only to the sound of its own moment. Frame by frame, the keys and values of earlier frames are kept,
so that a frame costs the same wherever it stands, apart from the attention itself; and the part that
depends on the sound alone is computed before the first frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.nn.alibi import distance_bias, slopes


class BiasedDecoder(nn.Module):
    """Stack of post-norm decoder layers with ReLU; `forward` for all frames, `start` and `step` for one."""

    def __init__(
        self,
        width: int,
        *,
        layers: int,
        heads: int,
        feedforward: int,
        dropout: float,
        period: int,
        per_frame: int = 1,
    ) -> None:
        """Build the decoder.

        Args:
            width: Number of channels of frames and of sound.
            layers: Number of layers.
            heads: Number of attention heads.
            feedforward: Number of hidden units of a layer's perceptron.
            dropout: Dropout of all parts, also of attention weights, in training.
            period: Number of frames in which the attention bias is constant.
            per_frame: Number of positions of the sound that belong to a frame: 1, or 2 (BIWI).
        """
        super().__init__()
        self.heads = heads
        self.period = period
        self.per_frame = per_frame
        self.layers: Any = nn.ModuleList(
            BiasedDecoderLayer(width, heads, feedforward, dropout, per_frame) for _ in range(layers)
        )

    def forward(
        self, frames: Float[Tensor, "batch frames width"], sound: Float[Tensor, "batch memory width"]
    ) -> Float[Tensor, "batch frames width"]:
        """Decode all frames, each from the frames up to itself.

        `sound` may be longer than the frames need.
        """
        bias = causal_bias(self.heads, frames.shape[1], self.period).to(frames)
        sound = sound[:, : frames.shape[1] * self.per_frame]
        for layer in self.layers:
            frames = layer(frames, sound, bias)
        return frames

    def start(
        self, sound: Float[Tensor, "batch memory width"], capacity: int | None = None, *, grow: bool = False
    ) -> Past:
        """Return the state before the first frame.

        Args:
            sound: Sound of all frames that `step` will decode.
            capacity: Largest number of frames to keep, with the current one; older ones are forgotten. None
                keeps all.
            grow: Whether each step makes a new tensor of what is kept, which gradients need, and does not
                write into the old one, which is faster.
        """
        frames = sound.shape[1] // self.per_frame
        kept = min(frames, capacity or frames)
        return Past(
            [layer.start(sound, 0 if grow else kept) for layer in self.layers],
            torch.tensor(slopes(self.heads)).to(sound),
            kept,
            grow,
        )

    def step(self, frame: Float[Tensor, "batch width"], past: Past) -> Float[Tensor, "batch width"]:
        """Decode the next frame and add it to `past`. Equals that frame of `forward`, unless `past` had to
        forget frames.
        """
        at, kept = past.frames, past.kept
        seen = min(at + 1, kept)
        age = torch.arange(seen - 1, -1, -1, device=frame.device)
        # Frames lie in a ring: the place of a frame is its number modulo the number of kept frames.
        places = None if past.grow else (at - age) % kept
        bias = -(past.slopes[:, None, None] * (age // self.period))
        for layer, own in zip(self.layers, past.layers, strict=True):
            frame = layer.step(frame, own, at, places, bias)
        past.frames += 1
        return frame


@dataclass
class LayerPast:
    """What a layer keeps: keys and values of earlier frames, and what its sound needs."""

    keys: Float[Tensor, "batch heads kept channels"]
    values: Float[Tensor, "batch heads kept channels"]
    sound_keys: Float[Tensor, "batch memory width"] | None
    sound_values: Float[Tensor, "batch memory width"]
    """With one position a frame, what attention to the sound adds; else values before the output matrix."""

    def remember(self, key: Tensor, value: Tensor, places: Tensor | None, seen: int) -> tuple[Tensor, Tensor]:
        """Keep the key and the value of a frame, and return those of the last `seen` frames in their order.

        `places` are their places in the ring; without it the kept tensors grow.
        """
        if places is None:
            self.keys = torch.cat([self.keys, key], dim=2)[:, :, -seen:]
            self.values = torch.cat([self.values, value], dim=2)[:, :, -seen:]
            return self.keys, self.values
        self.keys[:, :, places[-1]] = key[:, :, 0]
        self.values[:, :, places[-1]] = value[:, :, 0]
        return self.keys[:, :, places], self.values[:, :, places]


@dataclass
class Past:
    """What a decoder keeps between two calls of `step`."""

    layers: list[LayerPast]
    slopes: Float[Tensor, "heads"]
    kept: int
    """Largest number of frames that are kept, with the current one."""
    grow: bool = False
    """Whether the kept tensors grow by each frame, and are not written into."""
    frames: int = 0
    """Number of frames decoded so far."""


class BiasedDecoderLayer(nn.Module):
    """Attention to earlier frames, then to the sound of the frame, then a perceptron; a norm after each."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float, per_frame: int) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.per_frame = per_frame
        self.self_attn = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.linear1 = nn.Linear(width, feedforward)
        self.linear2 = nn.Linear(feedforward, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(
        self,
        frames: Float[Tensor, "batch frames width"],
        sound: Float[Tensor, "batch memory width"],
        bias: Float[Tensor, "heads frames frames"],
    ) -> Float[Tensor, "batch frames width"]:
        """Decode all frames with `bias` added to their attention scores."""
        query, key, value = self._projected(frames)
        attended = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=self.dropout if self.training else 0.0
        )
        frames = self.norm1(frames + self._drop(self.self_attn.out_proj(_joined(attended))))
        sound_keys, sound_values = self._heard(sound)
        frames = self.norm2(frames + self._drop(self._listen(frames, sound_keys, sound_values)))
        return self.norm3(frames + self._drop(self._perceptron(frames)))

    def start(self, sound: Float[Tensor, "batch memory width"], kept: int) -> LayerPast:
        """Return the state before the first frame, with room for `kept` frames."""
        batch, _, width = sound.shape
        sound_keys, sound_values = self._heard(sound)
        empty = sound.new_zeros(2, batch, self.heads, kept, width // self.heads)
        return LayerPast(empty[0], empty[1], sound_keys, sound_values)

    def step(
        self,
        frame: Float[Tensor, "batch width"],
        past: LayerPast,
        at: int,
        places: Tensor | None,
        bias: Float[Tensor, "heads 1 seen"],
    ) -> Float[Tensor, "batch width"]:
        """Decode frame number `at`, whose earlier frames lie at `places` of `past`, itself last."""
        query, key, value = self._projected(frame[:, None])
        keys, values = past.remember(key, value, places, bias.shape[-1])
        attended = F.scaled_dot_product_attention(
            query, keys, values, attn_mask=bias, dropout_p=self.dropout if self.training else 0.0
        )
        frame = self.norm1(frame + self._drop(self.self_attn.out_proj(_joined(attended))[:, 0]))
        here = slice(at * self.per_frame, (at + 1) * self.per_frame)
        sound_keys = None if past.sound_keys is None else past.sound_keys[:, here]
        heard = self._listen(frame[:, None], sound_keys, past.sound_values[:, here])[:, 0]
        frame = self.norm2(frame + self._drop(heard))
        return self.norm3(frame + self._drop(self._perceptron(frame)))

    def _heard(
        self, sound: Float[Tensor, "batch memory width"]
    ) -> tuple[Float[Tensor, "batch memory width"] | None, Float[Tensor, "batch memory width"]]:
        """Return keys and values of the sound. A frame with one position attends fully to it, so that no
        key matters and the output matrix can be applied at once.
        """
        attention = self.multihead_attn
        if self.per_frame == 1:
            value = F.linear(sound, *_rows(attention, 2))
            if self.training:
                # Dropout of the one attention weight of each head.
                shape = (*value.shape[:2], self.heads, 1)
                kept = F.dropout(value.new_ones(shape), self.dropout)
                value = (value.unflatten(-1, (self.heads, -1)) * kept).flatten(2)
            return None, attention.out_proj(value)
        return F.linear(sound, *_rows(attention, 1)), F.linear(sound, *_rows(attention, 2))

    def _listen(
        self,
        frames: Float[Tensor, "batch frames width"],
        keys: Float[Tensor, "batch memory width"] | None,
        values: Float[Tensor, "batch memory width"],
    ) -> Float[Tensor, "batch frames width"]:
        """Return what attention to the sound of each frame adds."""
        if keys is None:
            return values
        attention = self.multihead_attn
        query = F.linear(frames, *_rows(attention, 0)).unflatten(-1, (self.heads, 1, -1))
        own = (frames.shape[1], self.per_frame, self.heads, -1)
        key, value = (part.unflatten(1, own[:2]).unflatten(-1, own[2:]) for part in (keys, values))
        attended = F.scaled_dot_product_attention(
            query,
            key.transpose(2, 3),
            value.transpose(2, 3),
            dropout_p=self.dropout if self.training else 0.0,
        )
        return attention.out_proj(attended.flatten(2))

    def _projected(self, frames: Float[Tensor, "batch frames width"]) -> list[Tensor]:
        attention = self.self_attn
        joint = F.linear(frames, attention.in_proj_weight, attention.in_proj_bias)
        return [part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in joint.chunk(3, dim=-1)]

    def _perceptron(self, frames: Tensor) -> Tensor:
        return self.linear2(self._drop(F.relu(self.linear1(frames))))

    def _drop(self, value: Tensor) -> Tensor:
        return F.dropout(value, self.dropout, self.training)


def causal_bias(heads: int, frames: int, period: int) -> Float[Tensor, "heads frames frames"]:
    """Return the bias of attention scores: -slope * floor((i - j) / period) for j <= i, else -infinity."""
    later = torch.ones(frames, frames, dtype=torch.bool).triu(1)
    return distance_bias(heads, frames, period=period).masked_fill(later, -torch.inf)


def _joined(attended: Float[Tensor, "batch heads frames channels"]) -> Float[Tensor, "batch frames width"]:
    return attended.transpose(1, 2).flatten(2)


def _rows(attention: nn.MultiheadAttention, part: int) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the projection to queries (0), keys (1) or values (2)."""
    return attention.in_proj_weight.chunk(3)[part], attention.in_proj_bias.chunk(3)[part]
