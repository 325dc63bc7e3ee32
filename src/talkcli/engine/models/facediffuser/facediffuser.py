"""FaceDiffuser: speech and noisy motion to clean motion; a diffusion makes motion of noise with it.

Axis names: `batch`, `samples` (16 kHz), `frames` (at the model's rate), `heard` and `narrow` (features of a
frame), `values` of a frame (coordinates or coefficients). Source: Stan et al. 2023 and the released code
(facts H.4). Noise is added to vertices and not to offsets from the face at rest.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear
from talkcli.engine.models.facediffuser.config import FaceDiffuserConfig
from talkcli.engine.models.facediffuser.front import Front
from talkcli.engine.models.facediffuser.hearing import Hearing
from talkcli.engine.nn.diffusion import Sampler, cosine_schedule, noised, plan

# Kernel of the convolution along the channels of the narrowed motion.
_KERNEL = 9
# Steps of the sampler without noise where no number is given.
FEW_STEPS = 20


class FaceDiffuser(nn.Module):
    """The network. Speakers are numbered as in `config.speakers`; a negative number means the first."""

    method = "facediffuser"
    neutral: Tensor | None

    def __init__(self, config: FaceDiffuserConfig, num_values: int) -> None:
        """Build the network with random weights; unless plain, it makes the face at rest until it has learnt.

        Raises ValueError for vertices whose number of values is no multiple of three.
        """
        super().__init__()
        if config.motion == "vertices" and num_values % 3:
            raise ValueError(f"{num_values} values are no vertices")
        self.config = config
        self.num_values = num_values
        width = config.width
        self.hearing = Hearing(config)
        heard = self.hearing.width
        self.time = nn.Linear(config.times, width)
        if config.plain:
            inside = heard + num_values + width
        else:
            inside = 3 * width
            self.narrow = nn.Linear(heard, width)
            self.inward = nn.Linear(num_values, 2 * width)
            self.smooth = nn.Conv1d(1, 1, _KERNEL, padding="same")
            # A negative bias hides the small motion of the last steps behind the ReLU; takes are equal then.
            assert self.smooth.bias is not None
            nn.init.zeros_(self.smooth.bias)
            self.style = nn.Linear(config.identity, width, bias=False)
        self.norm = nn.LayerNorm(inside)
        self.gru = nn.GRU(inside, width, num_layers=2, batch_first=True, dropout=config.dropout)
        self.outward = nn.Linear(width, num_values)
        if not config.plain:
            nn.init.zeros_(self.outward.weight)
            nn.init.zeros_(self.outward.bias)
        at_rest = torch.zeros(num_values // 3, 3) if config.motion == "vertices" else None
        self.register_buffer("neutral", at_rest)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of the speech encoder."""
        return self.hearing.ears

    @property
    def kept(self) -> Float[Tensor, "times"]:
        """Share of the motion's variance that is kept at each time; on the CPU, in float64."""
        return cosine_schedule(self.config.times)

    def forward(
        self,
        noisy: Float[Tensor, "batch frames values"],
        time: Int[Tensor, "batch"],
        heard: Float[Tensor, "batch frames heard"],
        speaker: Int[Tensor, "batch"],
        neutral: Float[Tensor, "batch values"] | None = None,
    ) -> Float[Tensor, "batch frames values"]:
        """Return the clean motion that the network sees in a noisy one.

        Args:
            noisy: Motion with noise.
            time: Time of the diffusion of each row.
            heard: Features of the sound, from `hearing`.
            speaker: Number of the speaker of each row; a plain model has no use for it.
            neutral: Face at rest of each row; None for coefficients.
        """
        when = self.times_of(time)[:, None].expand(-1, noisy.shape[1], -1)
        decoded, _ = self.gru(self.norm(torch.cat([self.narrowed(heard), self.seen(noisy), when], dim=-1)))
        if not self.config.plain:
            decoded = decoded * self.style_of(speaker)[:, None]
        clean: Tensor = self.outward(decoded)
        return clean if neutral is None else clean + neutral[:, None]

    def noisy(
        self, motion: Float[Tensor, "batch frames values"], time: Int[Tensor, "batch"]
    ) -> Float[Tensor, "batch frames values"]:
        """Return motion with the noise of a time, drawn from torch's global generator."""
        return noised(motion, torch.randn_like(motion), self.kept[time.cpu()])

    def times_of(self, time: Int[Tensor, "batch"]) -> Float[Tensor, "batch width"]:
        """Return the features of times of the diffusion."""
        return F.mish(self.time.weight.T[time] + self.time.bias)

    def narrowed(self, heard: Float[Tensor, "batch frames heard"]) -> Float[Tensor, "batch frames narrow"]:
        """Return the features of the sound that stand beside those of the motion."""
        return heard if self.config.plain else self.narrow(heard)

    def seen(self, noisy: Float[Tensor, "batch frames values"]) -> Float[Tensor, "batch frames narrow"]:
        """Return the features of noisy motion."""
        return noisy if self.config.plain else self.smoothed(self.inward(noisy))

    def smoothed(self, wide: Float[Tensor, "*batch wide"]) -> Float[Tensor, "*batch narrow"]:
        """Return narrowed motion, smoothed along its channels and halved."""
        rows = F.relu(self.smooth(wide.reshape(-1, 1, wide.shape[-1])))
        return F.max_pool1d(rows, 2).relu_().reshape(*wide.shape[:-1], -1)

    def style_of(self, speaker: Int[Tensor, "batch"]) -> Float[Tensor, "batch width"]:
        """Return the styles of speakers."""
        return self.style.weight.T[speaker.clamp_min(0)]

    @torch.inference_mode()
    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        speaker: int = 0,
        sampler: Sampler = "ancestral",
        steps: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "batch frames values"]:
        """Return the motion of speech of any length: coordinates in the unit of `neutral`, or coefficients.

        The number of frames is that of `Hearing.frames_of`.

        Args:
            samples: Speech at 16 kHz.
            speaker: Number of the speaker; a plain model has no use for it.
            sampler: `ancestral` as published; `ddim` draws noise only once, and needs few steps.
            steps: Number of steps; None takes all times of an ancestral sampler, and 20 of the other.
            generator: Source of all noise, on the CPU or on the model's device.

        Raises:
            ValueError: For a number of steps that is not between 1 and the number of times.
        """
        count = min(FEW_STEPS, self.config.times) if steps is None and sampler == "ddim" else steps
        path = plan(self.kept, sampler, count)
        heard = self.hearing.whole(samples).to(self.outward.weight)
        # Small differences over hundreds of steps need the precision of the weights.
        with torch.autocast(samples.device.type, enabled=False):
            front = Front(self, path)
            clean = torch.stack([front(row, speaker, front.drawn(generator)) for row in heard])
        return clean if self.neutral is None else clean.add_(self.neutral.flatten())
