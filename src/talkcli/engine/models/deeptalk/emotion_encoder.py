"""The encoders of the emotion embedding DEE: from steps of speech or of motion to a Gaussian.

Axis names: `batch`, `steps`, `width`, `embedding`. Source: DEEPTalk, section 3.1 and supplementary material;
the pooling `statistics` is ours.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Sound
from talkcli.engine.audio.emotion2vec import Emotion2vec, Emotion2vecConfig
from talkcli.engine.audio.functionals import NUM_FUNCTIONALS, functionals
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.nn.attentive_statistics import AttentiveStatistics
from talkcli.engine.nn.audio_stem import AudioStem
from talkcli.engine.nn.gpo import Gpo
from talkcli.engine.nn.transformer import Transformer, sinusoids

# Share of a batch in the running statistics of the functionals.
_NORM_MOMENTUM = 0.02
# Largest magnitude of a normalised functional, in standard deviations.
_FARTHEST = 4.0
# Halvings of the log-mel rate, from 100 Hz to 12.5 Hz: emotion changes more slowly than phones.
_HALVINGS = 3


class Emotion2vecStem(nn.Module):
    """emotion2vec, and a projection if the following transformer has another width."""

    def __init__(self, config: Emotion2vecConfig, width: int) -> None:
        super().__init__()
        self.encoder = Emotion2vec(config)
        same = width == self.encoder.width
        self.project: nn.Module = nn.Identity() if same else nn.Linear(self.encoder.width, width)

    def forward(self, sound: Sound) -> Float[Tensor, "batch steps width"]:
        """Return steps at 50 Hz, from stored features of the frozen part (`emotion2vec`) or from samples."""
        if "emotion2vec" in sound:
            return self.project(self.encoder.finish(sound["emotion2vec"]))
        return self.project(self.encoder(sound["waveform"][..., 0]))


class FunctionalStem(nn.Module):
    """Functionals of a window of log-mel features as a single step, normalised over training batches."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(NUM_FUNCTIONALS, affine=False, momentum=_NORM_MOMENTUM)

    def forward(self, hops: Float[Tensor, "batch hops channels"]) -> Float[Tensor, "batch 1 features"]:
        # Silence and noise reach values that no speech has.
        return self.norm(functionals(hops)).clamp(-_FARTHEST, _FARTHEST)[:, None]


class _FunctionalHead(nn.Module):
    """Two layers."""

    def __init__(self, config: DeeConfig) -> None:
        super().__init__()
        self.expand = nn.Linear(NUM_FUNCTIONALS, config.audio_width)
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(config.audio_width, config.embedding)

    def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch embedding"]:
        return self.project(self.dropout(F.gelu(self.expand(x))))


class FunctionalEncoder(nn.Module):
    """Two heads of two layers on one step: mean (on the unit sphere) and log-variance."""

    def __init__(self, config: DeeConfig) -> None:
        super().__init__()
        self.mean, self.log_variance = _FunctionalHead(config), _FunctionalHead(config)
        if config.log_variance_start is not None:
            nn.init.constant_(self.log_variance.project.bias, config.log_variance_start)

    def forward(self, x: Float[Tensor, "batch 1 features"]) -> Gaussian:
        return Gaussian(F.normalize(self.mean(x[:, 0]), dim=-1), self.log_variance(x[:, 0]))


class _Summary(nn.Module):
    """Released head: one transformer layer, a projection and pooling over time."""

    def __init__(self, width: int, config: DeeConfig) -> None:
        super().__init__()
        self.transformer = _transformer(width, 1, config)
        self.project = nn.Linear(width, config.embedding)
        self.pool = Gpo()

    def forward(self, x: Float[Tensor, "batch steps width"]) -> Float[Tensor, "batch embedding"]:
        return self.pool(self.project(self.transformer(x)))


class _Statistics(nn.Module):
    """Cheap head: pooling over time and two layers. As in ECAPA-TDNN (Desplanques et al. 2020), batch norm
    after the pooling removes what all clips have in common.
    """

    def __init__(self, width: int, config: DeeConfig) -> None:
        super().__init__()
        self.pool = AttentiveStatistics(width)
        self.norm = nn.BatchNorm1d(2 * width)
        self.expand = nn.Linear(2 * width, 2 * width)
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(2 * width, config.embedding)

    def forward(self, x: Float[Tensor, "batch steps width"]) -> Float[Tensor, "batch embedding"]:
        return self.project(self.dropout(F.gelu(self.expand(self.norm(self.pool(x))))))


class EmotionEncoder(nn.Module):
    """Encoder of positions and a transformer, with two heads: mean (on the unit sphere) and log-variance."""

    def __init__(self, width: int, layers: int, config: DeeConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.transformer = _transformer(width, layers, config)
        head = _Summary if config.pooling == "gpo" else _Statistics
        self.mean = head(width, config)
        self.log_variance = head(width, config)
        if config.log_variance_start is not None:
            nn.init.constant_(self.log_variance.project.bias, config.log_variance_start)

    def forward(self, x: Float[Tensor, "batch steps width"]) -> Gaussian:
        positions = sinusoids(x.shape[1], x.shape[2], x.device).to(x.dtype)
        x = self.transformer(self.dropout(x + positions))
        return Gaussian(F.normalize(self.mean(x), dim=-1), self.log_variance(x))


def _transformer(width: int, layers: int, config: DeeConfig) -> Transformer:
    return Transformer(
        width,
        layers=layers,
        heads=config.heads,
        feedforward=config.feedforward,
        dropout=config.dropout,
        gelu=False,
    )


class JointEncoder(nn.Module):
    """Transformer on log-mel steps and functionals, side by side: their means are added, then scaled to
    length 1, and their log-variances averaged.

    The two make different mistakes on unseen speakers. In training a third of the rows uses the transformer
    alone and a third the functionals alone; otherwise the one that learns faster would keep the other from
    learning (Neverova et al. 2016, ModDrop).
    """

    def __init__(self, config: DeeConfig) -> None:
        super().__init__()
        self.stem = _log_mel_stem(config)
        self.transformer = EmotionEncoder(config.audio_width, config.audio_layers, config)
        self.functional_stem = FunctionalStem()
        self.functionals = FunctionalEncoder(config)

    def forward(self, hops: Float[Tensor, "batch hops channels"]) -> Gaussian:
        one, other = self.transformer(self.stem(hops)), self.functionals(self.functional_stem(hops))
        share = self._share(len(hops)).to(hops)
        mean = F.normalize(share * one.mean + (1 - share) * other.mean, dim=-1)
        return Gaussian(mean, share * one.log_variance + (1 - share) * other.log_variance)

    def _share(self, rows: int) -> Float[Tensor, "rows 1"]:
        """Return the transformer's share of each row: one half, in training also 0 or 1."""
        if not self.training:
            return torch.full((rows, 1), 0.5)
        return torch.randint(3, (rows, 1)) / 2


class Ensemble(nn.Module):
    """Encoders that differ in their initial weights and in the rows that train them: their means are added,
    then scaled to length 1, and their log-variances averaged (Lakshminarayanan et al. 2017, Deep ensembles).

    In training each row goes through one of them, at random, so that a step costs as much as with one. All
    are trained against the same encoder of motion, so that they agree on the space.
    """

    def __init__(self, members: list[EmotionEncoder | FunctionalEncoder | JointEncoder]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Float[Tensor, "batch steps width"]) -> Gaussian:
        if self.training:
            return self._one_each(x)
        made = [member(x) for member in self.members]
        mean, log_variance = (torch.stack(part).mean(0) for part in zip(*made, strict=True))
        return Gaussian(F.normalize(mean, dim=-1), log_variance)

    def _one_each(self, x: Float[Tensor, "batch steps width"]) -> Gaussian:
        # Batch norm needs two rows, so that very small batches train fewer members.
        members = [self.members[i] for i in torch.randperm(len(self.members))[: max(len(x) // 2, 1)]]
        parts = torch.randperm(len(x), device=x.device).tensor_split(len(members))
        made = [member(x[rows]) for member, rows in zip(members, parts, strict=True)]
        places = torch.cat(parts).argsort()
        mean, log_variance = (torch.cat(part)[places] for part in zip(*made, strict=True))
        return Gaussian(mean, log_variance)


def speech_stem(config: DeeConfig) -> AudioStem | FunctionalStem | Emotion2vecStem | nn.Identity:
    """Return the layers before the encoder of speech that `config` chooses."""
    if config.speech_encoder == "both":
        # The encoder has a stem for each of its branches.
        return nn.Identity()
    if config.speech_encoder == "functionals":
        return FunctionalStem()
    if isinstance(config.speech, LogMelConfig):
        return _log_mel_stem(config)
    return Emotion2vecStem(config.speech, config.audio_width)


def speech_encoder(config: DeeConfig) -> EmotionEncoder | FunctionalEncoder | JointEncoder | Ensemble:
    """Return the encoder of speech that `config` chooses."""
    if config.members > 1:
        return Ensemble([_member(config) for _ in range(config.members)])
    return _member(config)


def _member(config: DeeConfig) -> EmotionEncoder | FunctionalEncoder | JointEncoder:
    if config.speech_encoder == "both":
        return JointEncoder(config)
    if config.speech_encoder == "functionals":
        return FunctionalEncoder(config)
    return EmotionEncoder(config.audio_width, config.audio_layers, config)


def _log_mel_stem(config: DeeConfig) -> AudioStem:
    assert isinstance(config.speech, LogMelConfig)
    channels = config.speech.num_channels
    return AudioStem(channels, config.audio_width, halvings=_HALVINGS, dropout=config.dropout)
