"""MeshTalk's step 1: a categorical latent of speech and expression, from which a decoder makes meshes.

Axis names: `batch`, `frames`, `values` (x, y, z of vertex after vertex), `width`, `heads`, `classes`,
`codes` = heads * classes. Source: Richard et al. 2021, section 3.1, and the released code (facts H.3). The
vertices that the network sees and makes are those of a face, not offsets from one.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear
from talkcli.engine.models.meshtalk.config import LatentConfig
from talkcli.engine.models.meshtalk.speech import LogPower, SpeechEncoder

_SLOPE = 0.2
# Frames whose faces are computed at the same time, with several copies of each.
_AT_ONCE = 512


class Standard(nn.Module):
    """The mean face and the deviation of each coordinate."""

    mean: Tensor
    stddev: Tensor

    def __init__(self, num_values: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, 1, num_values // 3, 3))
        self.register_buffer("stddev", torch.ones(1, 1, num_values // 3, 3))

    def forward(self, faces: Float[Tensor, "batch frames values"]) -> Float[Tensor, "batch frames values"]:
        """Return faces minus the mean face, over the deviation."""
        return (faces - self.mean.flatten()) / self.stddev.flatten()

    def back(self, standard: Float[Tensor, "batch frames values"]) -> Float[Tensor, "batch frames values"]:
        """Undo `forward`."""
        return standard * self.stddev.flatten() + self.mean.flatten()


class ExpressionEncoder(nn.Module):
    """Faces to codes."""

    def __init__(self, config: LatentConfig, num_values: int) -> None:
        super().__init__()
        width, inner = config.width, config.expression_width
        self.standard = Standard(num_values)
        self.layers = nn.ModuleList([nn.Linear(num_values, inner), nn.Linear(inner, width)])
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.code = nn.Linear(width, width)

    def forward(self, faces: Float[Tensor, "batch frames values"]) -> Float[Tensor, "batch frames width"]:
        """Return the codes of faces."""
        x = self.standard(faces)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
        return self.code(self.lstm(x)[0])


class MeshDecoder(nn.Module):
    """A face at rest and a latent per frame to faces: a network with skips around its narrow middle."""

    def __init__(self, config: LatentConfig, num_values: int) -> None:
        super().__init__()
        width, (outer, inner) = config.width, config.mesh_widths
        sides = (num_values, outer, inner, width)
        self.standard = Standard(num_values)
        self.encoder = nn.ModuleList(map(nn.Linear, sides[:-1], sides[1:]))
        self.fusion = nn.Linear(width + config.heads * config.classes, width)
        self.temporal = nn.LSTM(width, width, num_layers=2, batch_first=True)
        self.decoder = nn.ModuleList(map(nn.Linear, sides[:0:-1], sides[-2::-1]))
        self.vertex_bias = nn.Parameter(torch.zeros(num_values))

    def forward(
        self, rest: Float[Tensor, "batch values"], latent: Float[Tensor, "batch frames codes"]
    ) -> Float[Tensor, "batch frames values"]:
        """Return faces of a face at rest and of one-hot classes."""
        skips, x = [], self.standard(rest[:, None])[:, 0]
        for layer in self.encoder:
            skips.append(x)
            x = F.leaky_relu(layer(x), _SLOPE)
        # The face at rest is the same in all frames; so is its share of the fusion.
        width = x.shape[1]
        of_rest = F.linear(x, self.fusion.weight[:, :width], self.fusion.bias)
        joint = F.linear(latent, self.fusion.weight[:, width:]) + of_rest[:, None]
        states = self.temporal(F.leaky_relu(joint, _SLOPE))[0]
        return torch.cat([self._faces(part, skips) for part in states.split(_AT_ONCE, dim=1)], dim=1)

    def _faces(
        self, states: Float[Tensor, "batch frames width"], skips: list[Tensor]
    ) -> Float[Tensor, "batch frames values"]:
        """Return the faces of states, each by itself."""
        x = states
        for layer, skip in zip(self.decoder, reversed(skips), strict=True):
            x = F.leaky_relu(layer(x), _SLOPE) + skip[:, None]
        return self.standard.back(x + self.vertex_bias)


class MeshTalkLatent(nn.Module):
    """The networks of step 1."""

    method = "meshtalk_latent"

    def __init__(self, config: LatentConfig, num_values: int) -> None:
        """Build the networks with random weights. Raises ValueError for values that are no vertices."""
        super().__init__()
        if num_values % 3:
            raise ValueError(f"{num_values} values are no vertices")
        self.config = config
        width, codes = config.width, config.heads * config.classes
        self.speech = SpeechEncoder(width, config.dropout)
        self.expression = ExpressionEncoder(config, num_values)
        self.fusion = nn.ModuleList(
            [nn.Linear(2 * width, 2 * width), nn.Linear(2 * width, 2 * width), nn.Linear(2 * width, codes)]
        )
        self.mesh = MeshDecoder(config, num_values)

    @property
    def ears(self) -> dict[str, Ear]:
        """The front-end of the encoder of speech."""
        return {LogPower.name: self.speech.front}

    def latent(
        self, speech: Float[Tensor, "batch frames width"], faces: Float[Tensor, "batch frames values"]
    ) -> Float[Tensor, "batch frames heads classes"]:
        """Return the logarithms of the probabilities of all classes, from codes of speech and from faces."""
        x = torch.cat([self.expression(faces), speech], dim=-1)
        for layer in self.fusion[:-1]:
            x = F.leaky_relu(layer(x), _SLOPE)
        return self.fusion[-1](x).unflatten(2, (self.config.heads, -1)).log_softmax(-1)

    def drawn(self, logs: Float[Tensor, "batch frames heads classes"]) -> Float[Tensor, "batch frames codes"]:
        """Return one class per variable, one-hot: drawn with Gumbel noise in train mode, with gradients as if
        it were soft, else the most probable.
        """
        if self.training:
            return F.gumbel_softmax(logs, tau=1.0, hard=True).flatten(2)
        return one_hot(logs.argmax(-1), self.config.classes).to(logs)


def one_hot(labels: Int[Tensor, "batch frames heads"], classes: int) -> Int[Tensor, "batch frames codes"]:
    """Return the classes of all variables of a frame, one after the other."""
    return F.one_hot(labels, classes).flatten(2)
