"""The training loop: steps, validation, log and checkpoints of any objective.

A step's data and random draws depend only on the seed and the step number. A run resumed from a checkpoint
therefore equals the uninterrupted run bit for bit, on the same machine with the same number of threads and
processes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.train.average import Average
from talkcli.engine.train.backward import Backward
from talkcli.engine.train.batches import Batch, Batches
from talkcli.engine.train.estimate import estimate
from talkcli.engine.train.launch import reporter_of
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.run_folder import RunFolder
from talkcli.engine.train.scalars import Scalars
from talkcli.engine.train.schedule import LoopConfig
from talkcli.engine.train.state import changing, frozen_digest, restore, restore_optimiser, trained_weights
from talkcli.engine.train.state_file import Moments, State
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train(
    objective: Objective,
    batches: Batches,
    config: LoopConfig,
    run: RunFolder,
    *,
    fabric: Fabric,
    export: Callable[[Path], None],
    reporter: Reporter,
    seed: int,
) -> dict[str, float]:
    """Minimise `objective`, starting at the last state of `run`; return the best checkpoint's measures.

    All processes call it together; the first one validates, writes and reports. It writes `best.safetensors`
    whenever the validation score improves, and `last.safetensors` at the end.

    Args:
        objective: The model and its loss.
        batches: Training and validation windows.
        config: Length, learning rate and intervals of the training.
        run: Folder of the run; if it holds a state, training resumes from that state.
        fabric: The processes and their devices.
        export: Function that writes the model file to a path.
        reporter: Receives progress and notes.
        seed: Seed of the random draws within a step (dropout, Gumbel noise).

    Raises:
        TalkError: When loss or gradient is not finite; the last state on disk is then from an earlier step.
        UsageError: When a batch does not divide by processes and parts, or `run` has done more steps already.
        InputError: When the state of `run` is damaged or belongs to another model.
    """
    reporter = reporter_of(fabric, reporter)
    leads = fabric.global_rank == 0
    model = objective.model
    objective.to(fabric.device)
    trained = trained_weights(model)
    optimiser = config.make_optimiser(list(trained.values()))
    average = Average(trained, config.average_decay)
    frozen = frozen_digest(model)
    best: dict[str, float] = {}
    first, steps = 0, config.num_steps(batches.epoch)
    state = run.read_state()
    if state is not None:
        restore(model, state.model, frozen=frozen, expected=state.frozen)
        restore_optimiser(optimiser, state.optimiser.state, trained)
        average.load(state.average)
        best, first = state.best, state.step
        _check_goes_on(first, steps, best, run)
        reporter.note(f"Resuming after step {first} of {steps}.")
    backward = Backward(objective, batches, config, steps=steps, seed=seed, fabric=fabric)
    held_out: list[Batch] = []
    curves = Scalars(run.tensorboard, first, reporter)
    if leads:
        run.cut_log(first)
        held_out = [batch.to(fabric.device) for batch in batches.held_out()]
    if first < steps:
        model.train()
        reporter.note(estimate(backward, objective, config, first))

    for step in range(first, steps):
        started_s = time.perf_counter()
        rate = config.rate_at(step, steps, batches.epoch)
        for group in optimiser.param_groups:
            group["lr"] = rate
        model.train()
        terms = backward(step)
        norm = float(nn.utils.clip_grad_norm_(trained.values(), config.clip_norm or math.inf))
        _check_finite(terms["loss"], norm, step, run)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        average.update()
        done = step + 1
        reporter.progress("training", done, steps)
        if leads and (done % config.log_every == 0 or done == steps):
            pace = {"rate": rate, "norm": norm, "s": time.perf_counter() - started_s}
            run.append_log({"step": done, **terms, **pace})
            curves.write(done, "train", {**terms, **pace})
        if leads and (done % config.validate_every == 0 or done == steps):
            found = _validate(objective, held_out, average)
            run.append_log({"step": done, "validation": found})
            curves.write(done, "validation", found)
            shown = ", ".join(f"{name} {value:.3f}" for name, value in found.items() if name != "score")
            reporter.note(f"Step {done}: {shown}.")
            if not best or found["score"] < best["score"]:
                best = {"step": float(done), **found}
                _export(objective, average, export, run.best)
        if leads and (done % config.save_every == 0 or done == steps):
            run.write_state(
                State(
                    model=changing(model),
                    frozen=frozen,
                    optimiser=Moments(state=optimiser.state_dict()["state"]),
                    average=average.values,
                    best=best,
                    step=done,
                )
            )
    if leads:
        _export(objective, average, export, run.last)
    # The broadcast also makes all processes wait until the first one has written its files.
    return fabric.broadcast(best)


def _check_goes_on(first: int, steps: int, best: dict[str, float], run: RunFolder) -> None:
    if first > steps:
        raise UsageError(
            f"The run in {run.path} has done {counted(first, 'step')}, but is asked for only {steps} in all.",
            hint=f"Add `set=train.steps={first}` or more, or start again with `overwrite`.",
        )
    if best and not run.best.is_file():
        raise InputError(
            f"{run.best}, which the run wrote at step {best['step']:.0f}, is missing.",
            hint="Put the file back, or start again with `overwrite`.",
        )


def _check_finite(loss: float, norm: float, step: int, run: RunFolder) -> None:
    """Raise TalkError unless both values are finite; all processes have the same values and stop together."""
    if math.isfinite(loss) and math.isfinite(norm):
        return
    before = f"{run.state} is from an earlier step." if run.state.is_file() else "there is no checkpoint yet."
    raise TalkError(
        f"The loss is {loss} and the norm of its gradient {norm} at step {step + 1}; {before}",
        hint="Lower train.learning_rate, or check the clips of the manifest.",
    )


@torch.no_grad()
def _validate(objective: Objective, held_out: list[Batch], average: Average) -> dict[str, float]:
    objective.model.eval()
    with average.applied():
        return objective.validate(held_out)


def _export(objective: Objective, average: Average, export: Callable[[Path], None], target: Path) -> None:
    objective.model.eval()
    with average.applied():
        export(target)
