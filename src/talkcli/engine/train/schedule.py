"""The settings of the training loop: length, learning rate, precision; and the rate at each step."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import nn, optim

from talkcli.engine.types import Config

Decay = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(gt=0, le=10**9)]

# Where a recipe names neither steps nor epochs.
_STEPS = 20_000


class LoopConfig(Config):
    """Length, pace and precision of training; bounds are wider than anything that has been of use."""

    steps: Count | None = None
    """Length; 20,000 where neither this nor `epochs` is given. Both together are refused."""
    epochs: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Length in place of `steps`; in an epoch as many windows are drawn as there are training clips."""
    optimiser: Literal["adam", "adamw"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 1e-4
    """Largest step of a weight, in units of the weight."""
    betas: tuple[Decay, Decay] = (0.9, 0.99)
    """Decays of the gradient's running mean and mean square."""
    epsilon: Annotated[float, Field(gt=0, le=1e9)] = 1e-8
    """Added to the root of the gradient's running mean square. It counts in units of the loss: a loss that is
    a million times the published one makes the published steps with a million times the epsilon."""
    weight_decay: Annotated[float, Field(ge=0, le=100)] = 0.01
    """Pulls weights to zero; in adam as a part of the gradient, in adamw beside it."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """The course of the learning rate after the warm-up."""
    moves_every: Literal["step", "epoch"] = "step"
    """Steps after which a cosine, and a temperature of the objective, move on; DEEPTalk's move once an
    epoch."""
    warmup_steps: Annotated[int, Field(ge=0, le=10**9)] = 500
    """The rate rises linearly over these."""
    warmup_from_zero: bool = False
    """The first step has a rate of zero, as in DEEPTalk, and the full rate comes a step later."""
    final_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of the learning rate at the end of the cosine."""
    clip_norm: Annotated[float, Field(gt=0, le=1e9)] | None = 1.0
    """Largest norm of the gradient; larger ones are scaled down. None: never."""
    accumulate: Annotated[int, Field(gt=0, le=10**4)] = 1
    """Parts in which a process works through its rows of a batch, one after another, to save memory. The step
    is the same where the loss is a mean over rows; a contrastive loss compares the rows of a part only, and
    batch norm and codebooks follow every part."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Number format of matrix products: bf16 uses bfloat16 (autocast); weights, gradients and the optimiser
    stay float32."""
    average_decay: Decay = 0.0
    """Decay of a running average of the weights which is validated and exported in their place; 0 off."""
    log_every: Count = 20
    """Steps between two lines of the log."""
    validate_every: Count = 500
    """Steps between two validations, of which the best one decides what `best.safetensors` is."""
    save_every: Count = 500
    """Steps between two states to go on from."""

    @model_validator(mode="after")
    def _one_length(self) -> LoopConfig:
        if self.steps is not None and self.epochs is not None:
            raise ValueError(f"steps {self.steps} and epochs {self.epochs} are both given, name one of them")
        return self

    def num_steps(self, epoch: float) -> int:
        """Return length of training where an epoch has `epoch` steps."""
        if self.epochs is None:
            return _STEPS if self.steps is None else self.steps
        return max(math.ceil(self.epochs * epoch), 1)

    def rate_at(self, step: int, steps: int, epoch: float) -> float:
        """Return the learning rate of `step` of `steps`, `epoch` of which are an epoch: linear warm-up, then
        half a cosine or none.
        """
        if step < self.warmup_steps:
            return self.learning_rate * ((step + (not self.warmup_from_zero)) / self.warmup_steps)
        if self.schedule == "constant":
            return self.learning_rate
        after, left = step - self.warmup_steps, max(steps - self.warmup_steps, 1)
        done = after / left
        if self.moves_every == "epoch":
            done = math.floor(after / epoch) / _epochs(left, epoch)
        return self.learning_rate * (
            self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * done)) / 2
        )

    def progress_at(self, step: int, steps: int, epoch: float) -> float:
        """Return how far training is at `step` of `steps`, from 0 on: what an objective's schedules follow.

        By epochs, the first one has 0 and the last one 1; by steps, 1 would be that of the step after the
        last.
        """
        if self.moves_every == "step":
            return step / steps
        return math.floor(step / epoch) / max(_epochs(steps, epoch) - 1, 1)

    def make_optimiser(self, trained: list[nn.Parameter]) -> optim.Optimizer:
        kind = torch.optim.Adam if self.optimiser == "adam" else torch.optim.AdamW
        return kind(
            trained,
            lr=self.learning_rate,
            betas=self.betas,
            eps=self.epsilon,
            weight_decay=self.weight_decay,
        )


def _epochs(steps: int, epoch: float) -> int:
    """Return epochs of `epoch` steps that are begun within `steps`."""
    return math.floor((steps - 1) / epoch) + 1
