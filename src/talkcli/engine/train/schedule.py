"""Settings of the training loop (length, learning rate, precision), and the learning rate of each step."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import nn, optim

from talkcli.engine.types import Config

Decay = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(gt=0, le=10**9)]

# Number of training steps if a recipe sets neither steps nor epochs.
_STEPS = 20_000


class LoopConfig(Config):
    """Length, learning rate, precision and intervals of training; bounds exceed all useful values."""

    steps: Count | None = None
    """Length of training in steps; 20,000 if neither this nor `epochs` is given. Do not give both."""
    epochs: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Length of training in epochs, in place of `steps`; an epoch draws as many windows as there are training
    clips."""
    optimiser: Literal["adam", "adamw"] = "adamw"
    """Optimiser: Adam, or AdamW with its decoupled weight decay."""
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 1e-4
    """Peak learning rate: about the largest change of a weight per step, in units of the weight."""
    betas: tuple[Decay, Decay] = (0.9, 0.99)
    """Decays of the gradient's running mean and mean square."""
    epsilon: Annotated[float, Field(gt=0, le=1e9)] = 1e-8
    """Epsilon added to the root of the gradient's running mean square. It has the unit of the loss: if the
    loss is a million times the published one, a million times the epsilon gives the published steps."""
    weight_decay: Annotated[float, Field(ge=0, le=100)] = 0.01
    """Strength of the decay of weights to zero; adam adds it to the gradient, adamw applies it separately."""
    schedule: Literal["cosine", "constant", "halving"] = "cosine"
    """Course of the learning rate after the warm-up; `halving` halves it every `halve_every` epochs."""
    halve_every: Annotated[int, Field(gt=0, le=10**6)] = 20
    """Number of epochs after which `halving` halves the learning rate."""
    moves_every: Literal["step", "epoch"] = "step"
    """Interval at which the cosine and the objective's temperature change; DEEPTalk changes them once per
    epoch."""
    warmup_steps: Annotated[int, Field(ge=0, le=10**9)] = 500
    """Number of steps over which the learning rate rises linearly."""
    warmup_from_zero: bool = False
    """Start the warm-up at a learning rate of zero, as in DEEPTalk; the full rate then comes a step later."""
    final_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Learning rate at the end of the cosine, as a share of `learning_rate`."""
    clip_norm: Annotated[float, Field(gt=0, le=1e9)] | None = 1.0
    """Largest norm of the gradient; a larger gradient is scaled down to it. Null switches this off."""
    accumulate: Annotated[int, Field(gt=0, le=10**4)] = 1
    """Number of parts in which a process works through its rows of a batch, to save memory. The step stays
    the same if the loss is a mean over rows. A contrastive loss compares only the rows of a part, and each
    part updates batch norm and codebooks."""
    precision: Literal["fp32", "bf16", "native"] = "fp32"
    """Number format of matrix products: bf16 uses bfloat16 (autocast); weights, gradients and the optimiser
    stay float32. native is bf16 where the device multiplies it natively, else fp32: other processors take
    more than ten times as long with bf16."""
    average_decay: Decay = 0.0
    """Decay of the running average of the weights, which is validated and exported instead; 0 is off."""
    log_every: Count = 20
    """Number of steps between two lines of the log."""
    validate_every: Count = 500
    """Number of steps between two validations; `best.safetensors` is the model of the best one."""
    save_every: Count = 500
    """Number of steps between two saved states, from which `resume` can continue."""

    @model_validator(mode="after")
    def _one_length(self) -> LoopConfig:
        if self.steps is not None and self.epochs is not None:
            raise ValueError(f"steps {self.steps} and epochs {self.epochs} are both given, give only one")
        return self

    def num_steps(self, epoch: float) -> int:
        """Return the number of training steps, given `epoch` steps per epoch."""
        if self.epochs is None:
            return _STEPS if self.steps is None else self.steps
        return max(math.ceil(self.epochs * epoch), 1)

    def rate_at(self, step: int, steps: int, epoch: float) -> float:
        """Return the learning rate of `step` of `steps`, given `epoch` steps per epoch.

        It rises linearly in the warm-up, then follows half a cosine, stays constant or is halved repeatedly.
        """
        if step < self.warmup_steps:
            return self.learning_rate * ((step + (not self.warmup_from_zero)) / self.warmup_steps)
        if self.schedule == "constant":
            return self.learning_rate
        after, left = step - self.warmup_steps, max(steps - self.warmup_steps, 1)
        if self.schedule == "halving":
            return self.learning_rate / 2.0 ** math.floor(after / epoch / self.halve_every)
        done = after / left
        if self.moves_every == "epoch":
            done = math.floor(after / epoch) / _epochs(left, epoch)
        return self.learning_rate * (
            self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * done)) / 2
        )

    def progress_at(self, step: int, steps: int, epoch: float) -> float:
        """Return the progress of training at `step` of `steps`, for the schedules of an objective.

        It starts at 0. When it changes once per epoch, the last epoch has 1. When it changes every step, the
        step after the last one would have 1.
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
    """Return the number of epochs, of `epoch` steps each, that begin within `steps`."""
    return math.floor((steps - 1) / epoch) + 1
