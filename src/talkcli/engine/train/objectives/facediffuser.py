"""What trains FaceDiffuser: the Huber distance of the clean motion that it sees in noisy motion.

Axis names: `batch`, `frames`, `values`, `heard` (frames whose sound is there). Source: the released code
(facts H.4), whose loss is called l2 and is Huber's. The published loss is in the unit of the vertices; here
it is in thousandths of that unit (millimetres), a million times as large, so that Adam needs a million times
the epsilon to make the published steps. Differs: validation has the same noise every time.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.device import seeded
from talkcli.engine.face.head import Head
from talkcli.engine.models.facediffuser.facediffuser import FaceDiffuser
from talkcli.engine.nn.diffusion import noised
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Weight
from talkcli.engine.train.objectives.surface_terms import SurfaceTerms

# Seed of the noise of validation, and the shares of all times at which it looks.
_SEED, _SHARES = 0, (0.25, 0.5, 1.0)


class FaceDiffuserObjectiveConfig(SurfaceTerms):
    """Terms of the loss."""

    value_weight: Weight = 1.0
    """Weight of the Huber distance of the values of a frame: vertices in mm, or coefficients."""


class FaceDiffuserObjective(nn.Module):
    """Loss and validation measures of FaceDiffuser."""

    def __init__(
        self, model: FaceDiffuser, config: FaceDiffuserObjectiveConfig, head: Head | None = None
    ) -> None:
        """Take the model, and the head for terms of the surface; None for a model of vertices."""
        super().__init__()
        self.model = model
        self.config = config
        self.surface = config.surface(head)
        # Metres become millimetres; coefficients stay.
        self.scale = 1.0 if model.neutral is None else 1000.0

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:  # noqa: ARG002  part of the protocol
        """Return the loss of one batch and its terms, at times that torch's global generator draws."""
        config, model = self.config, self.model
        time = torch.randint(model.config.times, (len(batch),), device=batch.motion.device)
        clean, true = self.made(batch, model.noisy(batch.motion, time), time)
        terms = {"value": self.error(clean, true)}
        total = config.value_weight * terms["value"]
        total = config.with_surface(total, terms, self.surface, clean, true)
        return {"loss": total, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return the errors of what the network sees in noise.

        `score` is the error of the lips in mm at the last time, where the sound alone decides, if a head is
        there, else the root of the squared error of the values there.
        """
        last = self.model.config.times - 1
        errors: dict[str, list[Tensor]] = {}
        lips: list[Tensor] = []
        for number, batch in enumerate(batches):
            noise = torch.randn(batch.motion.shape, generator=seeded(_SEED + number)).to(batch.motion)
            for share in _SHARES:
                time = torch.full((len(batch),), round(share * last), device=batch.motion.device)
                clean, true = self.made(batch, noised(batch.motion, noise, self.model.kept[time.cpu()]), time)
                squared = (self.scale * (clean - true)).square().mean()
                errors.setdefault(f"error_at_{share:g}", []).append(squared)
                if share == 1 and self.surface is not None:
                    lips.append(self.surface.lip_error_mm(self.surface(clean), self.surface(true)).flatten())
        measures = {name: float(torch.stack(each).mean().sqrt()) for name, each in errors.items()}
        if lips:
            measures["lip_error_mm"] = float(torch.cat(lips).mean())
        return {"score": measures.get("lip_error_mm", measures["error_at_1"]), **measures}

    def made(
        self, batch: Batch, noisy: Float[Tensor, "batch frames values"], time: Int[Tensor, "batch"]
    ) -> tuple[Float[Tensor, "batch heard values"], Float[Tensor, "batch heard values"]]:
        """Return the clean motion that the model sees in a noisy one, and the true motion, of frames whose
        sound is there.
        """
        heard = self.model.hearing(batch.sound, noisy.shape[1])
        frames = heard.shape[1]
        neutral = None if batch.neutral is None else batch.neutral.flatten(1)
        clean = self.model(noisy[:, :frames], time, heard, batch.speaker, neutral)
        return clean, batch.motion[:, :frames]

    def error(
        self, clean: Float[Tensor, "batch heard values"], true: Float[Tensor, "batch heard values"]
    ) -> Float[Tensor, ""]:
        """Return the Huber distance, whose bend is at 1 in the unit of the values (metres)."""
        return F.huber_loss(self.scale * clean, self.scale * true, delta=self.scale)
