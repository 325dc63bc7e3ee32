"""The training loop: it knows steps, checkpoints and budgets, and no method.

A step's data and random draws depend on the seed and the step number alone, so a run that goes on from a
checkpoint is, on the same machine and thread count, the run that was never stopped, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from talkcli.engine.errors import TalkError
from talkcli.engine.train.batches import Batches
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.run_folder import RunFolder
from talkcli.engine.types import Config, Reporter


class LoopConfig(Config):
    """Length and pace of training."""

    steps: Annotated[int, Field(gt=0)] = 20_000
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    warmup_steps: Annotated[int, Field(ge=0)] = 500
    """The rate rises linearly over these, then falls as a cosine to `final_share`."""
    final_share: float = 0.01
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of the gradient; larger ones are scaled down."""
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of a running average of the weights which is validated and exported in their place; 0 off."""
    log_every: Annotated[int, Field(gt=0)] = 20
    validate_every: Annotated[int, Field(gt=0)] = 500
    save_every: Annotated[int, Field(gt=0)] = 500
    """Steps between two states to go on from."""


def train(
    objective: Objective,
    batches: Batches,
    config: LoopConfig,
    run: RunFolder,
    *,
    export: Callable[[Path], None],
    reporter: Reporter,
    seed: int,
    device: torch.device,
) -> dict[str, float]:
    """Minimise `objective` from where `run` stands to `config.steps`; the measures of the best checkpoint.

    `export` writes the model file. `best.safetensors` follows the validation score, `last.safetensors` is
    written at the end. Raises TalkError when the loss is not a number; the last state on disk is then from
    before.
    """
    model = objective.model
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    optimiser = torch.optim.AdamW(
        trained.values(), lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
    )
    average = _Average(trained, config.average_decay)
    best: dict[str, float] = {}
    first = 0
    state = run.read_state()
    if state is not None:
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.load(state["average"])
        best, first = state["best"], state["step"]
        reporter.note(f"Going on after step {first}.")
    run.cut_log(first)
    held_out = [batch.to(device) for batch in batches.held_out()]
    if first < config.steps:
        reporter.note(_estimate(objective, batches, config, trained, first, seed, device))

    for step in range(first, config.steps):
        started_s = time.perf_counter()
        rate = config.learning_rate * _pace(step, config)
        for group in optimiser.param_groups:
            group["lr"] = rate
        model.train()
        terms = _backward(objective, batches, step, config, seed, device)
        norm = nn.utils.clip_grad_norm_(trained.values(), config.clip_norm)
        if not (math.isfinite(float(terms["loss"])) and math.isfinite(float(norm))):
            raise TalkError(
                f"The loss is {float(terms['loss'])} and its gradient {float(norm)} at step {step + 1}; "
                + (
                    f"{run.state} is from before."
                    if run.state.is_file()
                    else "no checkpoint was written yet."
                ),
                hint="Lower train.learning_rate, or check the clips of the manifest.",
            )
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        average.update()
        done = step + 1
        reporter.progress("training", done, config.steps)
        if done % config.log_every == 0 or done == config.steps:
            record = {"step": done, **{name: float(value) for name, value in terms.items()}}
            run.append_log(
                {**record, "rate": rate, "norm": float(norm), "s": time.perf_counter() - started_s}
            )
        if done % config.validate_every == 0 or done == config.steps:
            best = _validate(objective, held_out, average, run, best, done, export, reporter)
        if done % config.save_every == 0 or done == config.steps:
            run.write_state(
                {
                    "model": model.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "average": average.values,
                    "best": best,
                    "step": done,
                }
            )
    with average.applied():
        model.eval()
        export(run.last)
    return best


def _backward(
    objective: Objective, batches: Batches, step: int, config: LoopConfig, seed: int, device: torch.device
) -> dict[str, Tensor]:
    """Loss and gradients of one step under random draws of its own."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        # Dropout and Gumbel noise take no generator, so the global ones are seeded for the length of the
        # step.
        torch.manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))
        terms = objective.loss(batches.at(step).to(device), step / config.steps)
        terms["loss"].backward()
    return {name: value.detach() for name, value in terms.items()}


@torch.no_grad()
def _validate(
    objective: Objective,
    held_out: list[Any],
    average: _Average,
    run: RunFolder,
    best: dict[str, float],
    step: int,
    export: Callable[[Path], None],
    reporter: Reporter,
) -> dict[str, float]:
    """Measure, log, and keep the model if it is the best so far; the measures of the best."""
    objective.model.eval()
    with average.applied():
        found = objective.validate(held_out)
        run.append_log({"step": step, "validation": found})
        shown = ", ".join(f"{name} {value:.3f}" for name, value in found.items() if name != "score")
        reporter.note(f"Step {step}: {shown}.")
        if best and not found["score"] < best["score"]:
            return best
        export(run.best)
    return {"step": float(step), **found}


def _pace(step: int, config: LoopConfig) -> float:
    """Share of the learning rate: linear warm-up, then half a cosine."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(config.steps - config.warmup_steps, 1)
    return config.final_share + (1 - config.final_share) * (1 + math.cos(math.pi * done)) / 2


def _estimate(
    objective: Objective,
    batches: Batches,
    config: LoopConfig,
    trained: dict[str, nn.Parameter],
    first: int,
    seed: int,
    device: torch.device,
) -> str:
    """What training will take, from two trial steps that leave no trace."""
    model = objective.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    step_s = 0.0
    for _ in range(2):
        started_s = time.perf_counter()
        _backward(objective, batches, first, config, seed, device)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        # The second is the honest one: the first also warms up allocators and kernels.
        step_s = time.perf_counter() - started_s
    model.load_state_dict(before)
    model.zero_grad(set_to_none=True)
    whole = sum(value.numel() for value in model.parameters())
    moved = sum(value.numel() for value in trained.values())
    # Gradient and two moments beside each trained weight, one more with the average.
    memory_gb = 4 * (whole + moved * (3 + (config.average_decay > 0))) / 1e9
    data_gb = sum(item.features.nbytes + item.coeffs.nbytes for item in batches.training) / 1e9
    left = config.steps - first
    return (
        f"{moved / 1e6:.2f} of {whole / 1e6:.2f} million weights are trained; about {memory_gb:.2f} GB for "
        f"them and {data_gb:.2f} GB for the data; {step_s:.2f} s a step, {left} steps: about "
        f"{left * step_s / 60:.0f} minutes."
    )


class _Average:
    """A running average of the trained weights; does nothing with a decay of 0."""

    def __init__(self, trained: dict[str, nn.Parameter], decay: float) -> None:
        self.trained = trained
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in trained.items()} if decay > 0 else {}

    def load(self, values: dict[str, Tensor]) -> None:
        for name, value in values.items():
            self.values[name].copy_(value)

    @torch.no_grad()
    def update(self) -> None:
        for name, value in self.values.items():
            value.lerp_(self.trained[name], 1 - self.decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The averaged weights stand in the model for as long as the context lasts."""
        if not self.values:
            yield
            return
        kept = {name: value.detach().clone() for name, value in self.trained.items()}
        self._put(self.values)
        try:
            yield
        finally:
            self._put(kept)

    @torch.no_grad()
    def _put(self, values: dict[str, Tensor]) -> None:
        for name, value in values.items():
            self.trained[name].copy_(value)
