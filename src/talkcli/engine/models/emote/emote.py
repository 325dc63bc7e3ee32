"""EMOTE: speech to motion through the latents of FLINT, under an emotion, its intensity and a person.

Axis names: `batch`, `samples` (16 kHz), `frames` (25 fps), `coeffs` of a head's frame, `width`, `wide` =
2 * width, `tokens` = ceil(frames / 8), `latent`. Source: EMOTE (Daněček et al. 2023), facts H.6. Differs:
speech longer than a window is generated in cross-faded windows, and noise on the latents is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.models.content import build_content
from talkcli.engine.models.emote.emote_config import INTENSITIES, LABELS, EmoteConfig, condition
from talkcli.engine.models.emote.flint import FRAMES_PER_LATENT, FlintDecoder
from talkcli.engine.models.windows import Stretches, cross_fade, spans
from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.transformer import Transformer
from talkcli.engine.types import EMOTIONS, SAMPLES_PER_FRAME, Emotion


class Emote(nn.Module):
    """The generator with the decoder of FLINT, which is frozen."""

    method = "emote"

    def __init__(self, config: EmoteConfig, num_values: int = NUM_COEFFS) -> None:
        """Build the generator for motion with `num_values` numbers in a frame."""
        super().__init__()
        self.config = config
        width = config.width
        self.content = build_content(config.content, width, dropout=config.dropout)
        self.style = nn.Linear(len(LABELS) + INTENSITIES + config.identity, width)
        self.features = Transformer(
            2 * width,
            layers=config.layers,
            heads=config.heads,
            feedforward=config.feedforward,
            dropout=config.dropout,
        )
        self.narrow = nn.Linear(2 * width, width)
        # As published: an untrained model makes one latent everywhere.
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)
        self.squash = nn.Linear(FRAMES_PER_LATENT * width, config.prior.width)
        self.prior = FlintDecoder(config.prior, num_values).requires_grad_(False)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of the speech encoder."""
        return self.content.ears

    def train(self, mode: bool = True) -> Emote:
        """Set train mode, except that the decoder of FLINT stays in evaluation mode (statistics, dropout)."""
        super().train(mode)
        self.prior.eval()
        return self

    def forward(
        self, sound: Sound, style: Float[Tensor, "batch width"]
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Return the motion of a window.

        Args:
            sound: Sound of the window, from the front-ends of `ears`.
            style: What `style_of` or `styles` returned.
        """
        return self.decode(self.content(sound).features, style).float()

    def decode(
        self,
        content: Float[Tensor, "batch frames width"],
        style: Float[Tensor, "batch width"],
        sigma: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Return the motion of features of speech; noise and style are those of `generate` and `forward`."""
        latents = self.latents(self.heard(content, style))
        if sigma:
            device = latents.device if generator is None else generator.device
            noise = torch.randn(latents.shape, generator=generator, device=device)
            latents = latents + sigma * noise.to(latents)
        return self.prior(latents)[:, : content.shape[1]]

    def heard(
        self, content: Float[Tensor, "batch frames width"], style: Float[Tensor, "batch width"]
    ) -> Float[Tensor, "batch frames width"]:
        """Return the features of the frames, in which sound and conditions have met."""
        frames = content.shape[1]
        joint = torch.cat([content, style[:, None].expand(-1, frames, -1)], dim=-1)
        bias = distance_bias(self.config.heads, frames, period=self.config.period, device=content.device)
        return self.narrow(self.features(joint, bias))

    def latents(self, features: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch tokens latent"]:
        """Return a latent for every 8 frames; as published, zeros complete the last one."""
        padded = F.pad(features, (0, 0, 0, -features.shape[1] % FRAMES_PER_LATENT))
        return self.squash(padded.unflatten(1, (-1, FRAMES_PER_LATENT)).flatten(2))

    def styles(
        self,
        emotion: Int[Tensor, "batch"],
        level: Float[Tensor, "batch"],
        speaker: Int[Tensor, "batch"],
    ) -> Float[Tensor, "batch width"]:
        """Return the styles of rows of a batch: indices of `EMOTIONS`, levels from 0 to 1, persons."""
        told = [
            condition(Emotion(label=EMOTIONS[index], level=value))
            for index, value in zip(emotion.tolist(), level.tolist(), strict=True)
        ]
        labels, intensities = torch.tensor(told, device=speaker.device).T
        return self.style_of(labels, intensities, speaker)

    def style_of(
        self,
        label: Int[Tensor, "batch"],
        intensity: Int[Tensor, "batch"],
        speaker: Int[Tensor, "batch"],
    ) -> Float[Tensor, "batch width"]:
        """Return the style of indices of `LABELS`, of the intensities and of the persons; a person below 0 is
        none.
        """
        known = (speaker >= 0)[:, None]
        codes = [
            F.one_hot(label, len(LABELS)),
            F.one_hot(intensity, INTENSITIES),
            F.one_hot(speaker.clamp_min(0), self.config.identity) * known,
        ]
        return self.style(torch.cat(codes, dim=-1).to(self.style.weight.dtype))

    @torch.inference_mode()
    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        emotion: Emotion | None = None,
        speaker: int = 0,
        sigma: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Return the motion of ceil(samples / 640) frames, at least one.

        Args:
            samples: Speech at 16 kHz.
            emotion: Emotion to show; None for neutral.
            speaker: Index of the person.
            sigma: Deviation of the noise that is added to every latent. 0 is the released model, in which
                nothing is random.
            generator: Source of the noise; None for torch's global one.
        """
        config = self.config
        frames = max(-(-samples.shape[1] // SAMPLES_PER_FRAME), 1)
        stretches = Stretches(self.ears, samples, frames=frames, window=config.window)
        label, intensity = condition(emotion or Emotion())
        style = self.style_of(
            *(
                torch.full((len(samples),), index, device=samples.device)
                for index in (label, intensity, speaker)
            )
        )

        def pieces() -> Iterator[Float[Tensor, "batch _ coeffs"]]:
            for first, last in spans(frames, config.window, config.overlap):
                content = self.content(stretches(first, last)).features
                yield self.decode(content, style, sigma, generator).float()

        return cross_fade(pieces(), frames, config.overlap)
