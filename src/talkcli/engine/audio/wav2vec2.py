"""wav2vec 2.0: what is said, heard by a network that was pre-trained on speech, at the rate of the face.

Axis names: `batch`, `samples` (16 kHz), `steps` (50 Hz), `frames` (25 fps), `channels`.
Baevski et al. 2020; the parameters are torchaudio's module. As in FaceFormer, EMOTE and DEEPTalk the
convolutions' output is interpolated to the face's rate before the transformer sees it.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.models import wav2vec2_model

from talkcli.engine.types import Config

# Kernel and stride of the convolutions: one step for 320 samples.
CONVOLUTIONS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))
# Samples that one step sees.
RECEPTIVE_FIELD = 400
_EPS = 1e-7


class Wav2vec2Config(Config):
    """Sizes of the base network and how it is used; the defaults are DEEPTalk's."""

    kind: Literal["wav2vec2"] = "wav2vec2"
    """Tells it from other contents."""
    width: int = 768
    """Channels of the transformer and of the output."""
    layers: int = 12
    """Layers of the transformer."""
    heads: int = 12
    """Attention heads."""
    feedforward: int = 3072
    """Width inside the feed-forward layers."""
    channels: int = 512
    """Channels of the convolutions."""
    position_kernel: int = 128
    """Frames that the positional convolution sees."""
    position_groups: int = 16
    """Its groups."""
    dropout: float = 0.1
    """Dropout everywhere, in training of what is not frozen."""
    layer_drop: float = 0.1
    """Chance that a layer is left out of a training step."""
    normalise: Literal["utterance", "batch", "none"] = "utterance"
    """Over what the input gets mean 0 and deviation 1; "batch" repeats DEEPTalk's code, where the loudness of
    one clip depends on its neighbours.
    """
    frozen: Literal["all", "convolutions", "none"] = "all"
    """What never trains: everything (DEEPTalk's code), the convolutions (its paper), nothing."""


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
        frozen = {"all": self.model, "convolutions": self.model.feature_extractor, "none": nn.Identity()}
        self._frozen = (frozen[config.frozen],)
        self._frozen[0].requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Wav2vec2:
        """What is frozen keeps evaluating."""
        super().train(mode)
        self._frozen[0].eval()
        return self

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames width"]:
        """`samples` at 16 kHz give one frame for 640 of them; an incomplete last frame counts if a step of
        20 ms fits into it. Less than 400 samples count as 400.
        """
        return self.finish(self.trunk(samples))

    def trunk(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames channels"]:
        """The part that can be kept beside the clip: all but the transformer, and that too if it is frozen."""
        samples = F.pad(samples, (0, max(0, RECEPTIVE_FIELD - samples.shape[1])))
        steps, _ = self.model.feature_extractor(_normalise(samples, self.config.normalise), None)
        frames = -(-steps.shape[1] // 2)
        resampled = F.interpolate(steps.mT, frames, mode="linear", align_corners=True).mT
        return self._transform(resampled) if self.config.frozen == "all" else resampled

    def finish(self, trunk: Float[Tensor, "batch frames channels"]) -> Float[Tensor, "batch frames width"]:
        """The part that trains."""
        return trunk if self.config.frozen == "all" else self._transform(trunk)

    def _transform(
        self, features: Float[Tensor, "batch frames channels"]
    ) -> Float[Tensor, "batch frames width"]:
        encoder = self.model.encoder
        return encoder.transformer(encoder.feature_projection(features))


def _normalise(samples: Float[Tensor, "batch samples"], over: str) -> Float[Tensor, "batch samples"]:
    if over == "none":
        return samples
    variance, mean = torch.var_mean(samples, (0, 1) if over == "batch" else 1, correction=0, keepdim=True)
    return (samples - mean) * torch.rsqrt(variance + _EPS)
