"""How long, how fast and how exact: the settings of the training loop, and the rate they give.

The cosine falls from step to step, where DEEPTalk lowers its rate once an epoch.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn, optim

from talkcli.engine.types import Config

Decay = Annotated[float, Field(ge=0, lt=1)]


class LoopConfig(Config):
    """Length, pace and precision of training."""

    steps: Annotated[int, Field(gt=0)] = 20_000
    epochs: Annotated[float, Field(gt=0)] | None = None
    """Length in place of `steps`; in an epoch as many windows are drawn as there are training clips."""
    optimiser: Literal["adam", "adamw"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    betas: tuple[Decay, Decay] = (0.9, 0.99)
    """Decays of the gradient's running mean and mean square."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Pulls weights to zero; in adam as a part of the gradient, in adamw beside it."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """What the rate does after the warm-up."""
    warmup_steps: Annotated[int, Field(ge=0)] = 500
    """The rate rises linearly over these."""
    final_share: float = 0.01
    """Of the rate, where the cosine ends."""
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    """Largest norm of the gradient; larger ones are scaled down. None: never."""
    accumulate: Annotated[int, Field(gt=0)] = 1
    """Parts in which a process works through its rows of a batch, one after another, to save memory. The step
    is the same where the loss is a mean over rows; a contrastive loss compares the rows of a part only, and
    batch norm and codebooks follow every part."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16: matrix products in bfloat16 (autocast); weights, gradients and the optimiser stay float32."""
    average_decay: Decay = 0.0
    """Decay of a running average of the weights which is validated and exported in their place; 0 off."""
    log_every: Annotated[int, Field(gt=0)] = 20
    validate_every: Annotated[int, Field(gt=0)] = 500
    save_every: Annotated[int, Field(gt=0)] = 500
    """Steps between two states to go on from."""

    def num_steps(self, epoch: float) -> int:
        """Length of training where an epoch has `epoch` steps."""
        return self.steps if self.epochs is None else max(math.ceil(self.epochs * epoch), 1)

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of `step` of `steps`: linear warm-up, then half a cosine or none."""
        if step < self.warmup_steps:
            return self.learning_rate * ((step + 1) / self.warmup_steps)
        if self.schedule == "constant":
            return self.learning_rate
        done = (step - self.warmup_steps) / max(steps - self.warmup_steps, 1)
        return self.learning_rate * (
            self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * done)) / 2
        )

    def make_optimiser(self, trained: list[nn.Parameter]) -> optim.Optimizer:
        kind = torch.optim.Adam if self.optimiser == "adam" else torch.optim.AdamW
        return kind(trained, lr=self.learning_rate, betas=self.betas, weight_decay=self.weight_decay)
