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
from talkcli.engine.types import EMOTIONS, MODEL_FPS, Config

# Longer input is cut into pieces of this length and their Gaussians are averaged; training never sees more.
MAX_FRAMES = 10 * MODEL_FPS
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
        return F.normalize(self.mean + torch.exp(factor * self.log_variance / 2) * noise, dim=-1)


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
        """What speech says about emotion; `features` come from `front_end`, any whole number of frames."""
        pieces = [self.audio_encoder(self.audio_stem(piece)) for piece in _pieces(features, HOPS_PER_FRAME)]
        return _average(pieces)

    def embed_motion(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Gaussian:
        """What a face says about emotion."""
        pieces = [
            self.motion_encoder(self.motion_stem(self.motion_scale(piece))) for piece in _pieces(coeffs, 1)
        ]
        return _average(pieces)

    def classify(self, mean: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch classes"]:
        """Logits over `EMOTIONS`."""
        return self.classifier(mean)


def _transformer(width: int, layers: int, config: DeeConfig) -> Transformer:
    return Transformer(
        width,
        layers=layers,
        heads=config.heads,
        feedforward=config.feedforward,
        dropout=config.dropout,
        gelu=False,
    )


def _pieces(x: Float[Tensor, "batch steps width"], steps_per_frame: int) -> list[Tensor]:
    """Equal pieces no longer than `MAX_FRAMES`; a few frames at the end are left out to keep them equal."""
    frames = x.shape[1] // steps_per_frame
    count = -(-frames // MAX_FRAMES)
    size = frames // count * steps_per_frame
    return [x[:, index * size : (index + 1) * size] for index in range(count)]


def _average(pieces: list[Gaussian]) -> Gaussian:
    if len(pieces) == 1:
        return pieces[0]
    mean = torch.stack([piece.mean for piece in pieces]).mean(0)
    log_variance = torch.stack([piece.log_variance for piece in pieces]).mean(0)
    return Gaussian(F.normalize(mean, dim=-1), log_variance)
