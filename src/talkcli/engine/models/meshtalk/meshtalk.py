"""MeshTalk: speech to meshes, through classes that the context model draws.

Axis names: `batch`, `samples` (16 kHz), `frames`, `values` (x, y, z of vertex after vertex), `verts`,
`heads`, `codes`, `regions`. Source: Richard et al. 2021 and the released code (facts H.3).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.models.meshtalk.config import MeshTalkConfig
from talkcli.engine.models.meshtalk.context import ContextModel
from talkcli.engine.models.meshtalk.latent import MeshTalkLatent, one_hot
from talkcli.engine.models.meshtalk.speech import LogPower

# The filter over time of forehead and neck.
_TAPS, _SIGMA = 9, 2.0


class MeshTalk(nn.Module):
    """The context model with the networks of step 1, which are frozen."""

    method = "meshtalk"
    neutral: Tensor
    smoothed: Tensor

    def __init__(self, config: MeshTalkConfig, num_values: int) -> None:
        """Build the networks with random weights. Raises ValueError for values that are no vertices."""
        super().__init__()
        self.config = config
        latent = config.latent
        self.prior = MeshTalkLatent(latent, num_values).requires_grad_(False)
        self.context = ContextModel(
            width=latent.width,
            hidden=config.hidden,
            heads=latent.heads,
            classes=latent.classes,
            dilations=config.dilations,
        )
        self.register_buffer("neutral", torch.zeros(num_values // 3, 3))
        # Shares of forehead and of neck in each vertex; training takes them from the head's regions.
        self.register_buffer("smoothed", torch.zeros(2, num_values // 3))

    @property
    def ears(self) -> dict[str, Ear]:
        """The front-end of the encoder of speech."""
        return self.prior.ears

    def train(self, mode: bool = True) -> MeshTalk:
        """Set train mode, except that the networks of step 1 stay in evaluation mode."""
        super().train(mode)
        self.prior.eval()
        return self

    def forward(
        self, sound: Sound, faces: Float[Tensor, "batch frames values"]
    ) -> tuple[Float[Tensor, "batch frames heads classes"], Int[Tensor, "batch frames heads"]]:
        """Return the logarithms of the probabilities of all classes, and the classes of the true faces."""
        with torch.no_grad():
            speech = self.prior.speech.of_frames(sound[LogPower.name])
            labels = self.prior.latent(speech, faces).argmax(-1)
            codes = one_hot(labels, self.config.latent.classes).to(speech)
        return self.context(codes, speech), labels

    @torch.inference_mode()
    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "batch frames values"]:
        """Return the motion of speech of any length, as coordinates in the unit of `neutral`.

        Args:
            samples: Speech at 16 kHz.
            temperature: Of the classes; 1 draws them by their probabilities, 0 takes the most probable.
            generator: Source of the noise; None for torch's global one.
        """
        speech = self.prior.speech
        if self.config.latent.fps == 30:
            heard = speech.published(samples)
        else:
            heard = speech.of_clip(samples)
        labels = self.context.sample(heard, temperature=temperature, generator=generator)
        latent = one_hot(labels, self.config.latent.classes).to(heard)
        rest = self.neutral.flatten().expand(len(samples), -1)
        return smooth(self.prior.mesh(rest, latent), self.smoothed)


def smooth(
    faces: Float[Tensor, "batch frames values"], shares: Float[Tensor, "regions verts"]
) -> Float[Tensor, "batch frames values"]:
    """Return faces of which each region in turn is filtered over time, by its share in each vertex.

    The filter is a Gaussian of 9 taps; the first and the last face are repeated beyond the ends.
    """
    at = torch.arange(_TAPS) - _TAPS // 2
    taps = torch.exp(-(at.double() ** 2) / (2 * _SIGMA**2)).to(faces)
    taps = taps / taps.sum()
    for share in shares:
        chosen = share.nonzero()[:, 0]
        if not len(chosen):
            continue
        points = faces.unflatten(2, (-1, 3))
        part = points[:, :, chosen].flatten(2)
        around = F.pad(part.mT, (_TAPS // 2, _TAPS // 2), mode="replicate")
        filtered = F.conv1d(around.flatten(0, 1)[:, None], taps[None, None]).unflatten(0, around.shape[:2])[
            :, :, 0
        ]
        weight = share[chosen].repeat_interleave(3)
        mixed = part + (filtered.mT - part) * weight
        points[:, :, chosen] = mixed.unflatten(2, (-1, 3))
    return faces
