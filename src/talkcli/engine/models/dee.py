"""DEE, the dynamic emotion embedding: speech and facial motion as Gaussians in one space.

Axis names: `batch`, `hops` (100 Hz), `frames` (25 fps), `coeffs` = 53, `width`, `embedding`, `classes`.
DEEPTalk, section 3.1. Differs from the paper: log-mel features stand where emotion2vec does and standardised
coefficients where the features of its expression classifier do; both need no download and no licence. The
small classifier on the means is ours; it is what makes training from hundreds of clips work.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.log_mel import HOPS_PER_FRAME, LogMel, LogMelConfig
from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.nn.audio_stem import AudioStem
from talkcli.engine.nn.gpo import Gpo
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.nn.transformer import Transformer, sinusoids
from talkcli.engine.types import EMOTIONS, Config

# From 100 Hz to 12.5 Hz: emotion moves slower than speech sounds.
AUDIO_HALVINGS = 3


class DeeConfig(Config):
    """Sizes; the defaults are those of the released model."""

    front_end: LogMelConfig = LogMelConfig()
    audio_width: int = 768
    audio_layers: int = 2
    motion_width: int = 512
    motion_layers: int = 6
    heads: int = 8
    feedforward: int = 2048
    """Width inside every transformer layer."""
    embedding: int = 128
    window: int = 60
    """Frames either encoder sees at once, those of training: pooling weights depend on the length."""
    dropout: float = 0.1


class Gaussian(NamedTuple):
    """A mean on the unit sphere and the logarithm of a variance per dimension."""

    mean: Float[Tensor, "batch embedding"]
    log_variance: Float[Tensor, "batch embedding"]

    def sample(self, sigma: float | None, generator: torch.Generator) -> Float[Tensor, "batch embedding"]:
        """The mean for None; else a direction drawn around it.

        `sigma` multiplies the log-variance: z = mean + exp(sigma * log_variance / 2) * eps, put back on the
        sphere. 1 is the uncertainty as trained. Log-variances are negative, so 0.1 spreads wider than 1. As
        in the released code, 0 leaves the log-variance as it is and equals 1.
        """
        if sigma is None:
            return self.mean
        factor = sigma or 1.0
        noise = torch.randn(self.mean.shape, generator=generator, device=generator.device).to(self.mean)
        # Beyond e^30 the mean is below rounding already; without the bound the norm would overflow.
        deviation = torch.exp((factor * self.log_variance / 2).clamp_max(30))
        return F.normalize(self.mean + deviation * noise, dim=-1)


class _Summary(nn.Module):
    """One transformer layer, a projection and pooling over time: the shape of either head."""

    def __init__(self, width: int, config: DeeConfig) -> None:
        super().__init__()
        self.transformer = _transformer(width, 1, config)
        self.project = nn.Linear(width, config.embedding)
        self.pool = Gpo()

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch embedding"]:
        return self.pool(self.project(self.transformer(x)))


class EmotionEncoder(nn.Module):
    """Positions, a transformer, then two heads: mean (on the unit sphere) and log-variance."""

    def __init__(self, width: int, layers: int, config: DeeConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.transformer = _transformer(width, layers, config)
        self.mean = _Summary(width, config)
        self.log_variance = _Summary(width, config)
        # Begin fairly certain: at a variance of one the summed variances drown every distance between means.
        nn.init.constant_(self.log_variance.project.bias, -4.0)

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Gaussian:
        x = self.transformer(self.dropout(x + sinusoids(x.shape[1], x.shape[2], x.device)))
        return Gaussian(F.normalize(self.mean(x), dim=-1), self.log_variance(x))


class Dee(nn.Module):
    """Both encoders, the scale and shift of their similarity, and a classifier on the means."""

    method = "dee"

    def __init__(self, config: DeeConfig) -> None:
        super().__init__()
        self.config = config
        self.front_end = LogMel(config.front_end)
        self.motion_scale = Standardise(NUM_COEFFS)
        self.audio_stem = AudioStem(
            self.front_end.num_channels, config.audio_width, halvings=AUDIO_HALVINGS, dropout=config.dropout
        )
        self.motion_stem = nn.Linear(NUM_COEFFS, config.motion_width)
        self.audio_encoder = EmotionEncoder(config.audio_width, config.audio_layers, config)
        self.motion_encoder = EmotionEncoder(config.motion_width, config.motion_layers, config)
        # logit = -scale * distance + shift; PCME++'s initial values.
        self.similarity_scale = nn.Parameter(torch.tensor(5.0))
        self.similarity_shift = nn.Parameter(torch.tensor(5.0))
        self.classifier = nn.Linear(config.embedding, len(EMOTIONS))

    def embed_speech(self, features: Float[Tensor, "batch hops channels"]) -> Gaussian:
        """What speech says about emotion; `features` come from `front_end`, any length.

        The Gaussian is the average over windows that cover the input evenly; short input holds its last hop.
        """
        pieces = _pieces(features, self.config.window * HOPS_PER_FRAME)
        return _average(self.audio_encoder(self.audio_stem(pieces)), len(features))

    def embed_motion(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Gaussian:
        """What a face says about emotion, in the same way."""
        pieces = _pieces(self.motion_scale(coeffs), self.config.window)
        return _average(self.motion_encoder(self.motion_stem(pieces)), len(coeffs))

    def classify(self, mean: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch classes"]:
        """Logits over `EMOTIONS`."""
        # Parts of a unit vector are small; at unit size the classifier learns as fast as the rest.
        return self.classifier(mean * self.config.embedding**0.5)


def _transformer(width: int, layers: int, config: DeeConfig) -> Transformer:
    return Transformer(
        width,
        layers=layers,
        heads=config.heads,
        feedforward=config.feedforward,
        dropout=config.dropout,
        gelu=False,
    )


def _pieces(x: Float[Tensor, "batch steps width"], length: int) -> Float[Tensor, "pieces length width"]:
    """Windows of `length` that cover `x` evenly, stacked one window of the whole batch after the other."""
    if x.shape[1] < length:
        x = torch.cat([x, x[:, -1:].expand(-1, length - x.shape[1], -1)], dim=1)
    count = -(-x.shape[1] // length)
    starts = torch.linspace(0, x.shape[1] - length, count).long().tolist()
    return torch.cat([x[:, start : start + length] for start in starts])


def _average(pieces: Gaussian, batch: int) -> Gaussian:
    mean, log_variance = (part.view(-1, batch, part.shape[-1]).mean(0) for part in pieces)
    return Gaussian(F.normalize(mean, dim=-1), log_variance)
