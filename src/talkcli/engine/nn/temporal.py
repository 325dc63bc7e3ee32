"""Encoder and decoder of a motion autoencoder, which divide and multiply the frame rate by a power of two.

Axis names: `batch`, `frames`, `channels`, `width`; `few` = frames / 2^halvings, `many` = frames * 2^halvings.
Each half has convolutions, a linear layer, and one transformer layer whose attention decreases with distance,
as in Learning to Listen (Ng et al. 2022), FLINT (Daněček et al. 2023) and DEEPTalk. The decoder omits
`post_transformer_linear`, a layer that DEEPTalk's decoders evaluate without using its result.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.batch_norm import BatchNorm
from talkcli.engine.nn.transformer import Transformer


class Squash(nn.Module):
    """Encoder that divides the frame rate by 2^`halvings`; `frames` must be a multiple of it.

    The first halving is a strided convolution, each further one a maximum over two frames.
    """

    def __init__(
        self, channels: int, width: int, *, heads: int, feedforward: int, dropout: float, halvings: int = 1
    ) -> None:
        super().__init__()
        self.heads = heads
        self.conv = nn.Conv1d(channels, width, 5, stride=2, padding=2, padding_mode="replicate")
        self.norm = BatchNorm(width)
        self.more = _more(width, halvings)
        self.linear = nn.Linear(width, width)
        self.attention = Transformer(width, layers=1, heads=heads, feedforward=feedforward, dropout=dropout)

    def forward(self, x: Float[Tensor, "batch frames channels"]) -> Float[Tensor, "batch few width"]:
        x = self.norm(F.leaky_relu(self.conv(x.transpose(1, 2)), 0.2))
        for step in self.more:
            x = F.max_pool1d(step(x), 2)
        x = self.linear(x.transpose(1, 2))
        return self.attention(x, distance_bias(self.heads, x.shape[1], device=x.device))


class Expand(nn.Module):
    """Decoder that multiplies the frame rate by 2^`halvings`.

    The first doubling is a transposed convolution, each further one repeats every frame.
    """

    def __init__(
        self, width: int, *, heads: int, feedforward: int, dropout: float, halvings: int = 1
    ) -> None:
        super().__init__()
        self.heads = heads
        self.conv = nn.ConvTranspose1d(width, width, 5, stride=2, padding=2, output_padding=1)
        self.norm = BatchNorm(width)
        self.more = _more(width, halvings)
        self.linear = nn.Linear(width, width)
        self.attention = Transformer(width, layers=1, heads=heads, feedforward=feedforward, dropout=dropout)

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch many width"]:
        x = self.norm(F.leaky_relu(self.conv(x.transpose(1, 2)), 0.2))
        for step in self.more:
            x = step(x).repeat_interleave(2, dim=2)
        x = self.linear(x.transpose(1, 2))
        return self.attention(x, distance_bias(self.heads, x.shape[1], device=x.device))


def _more(width: int, halvings: int) -> nn.ModuleList:
    """Return the layers that precede each further change of the frame rate."""
    return nn.ModuleList(
        nn.Sequential(
            nn.Conv1d(width, width, 5, padding=2, padding_mode="replicate"),
            nn.LeakyReLU(0.2),
            BatchNorm(width),
        )
        for _ in range(halvings - 1)
    )
