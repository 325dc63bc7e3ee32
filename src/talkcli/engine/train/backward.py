"""Loss and gradients of one step.

Processes share the batch, each works through its rows in parts, and each part has its own random seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from talkcli.engine.device import has_bf16
from talkcli.engine.errors import UsageError
from talkcli.engine.train.batches import Batch, BatchConfig, Batches
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.schedule import LoopConfig
from talkcli.engine.wording import counted

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Terms(nn.Module):
    """Wrapper of an objective for Fabric and DDP, which pass a batch as a dict of plain tensors.

    The wrapper applies autocast to bfloat16 itself, if `low`: Fabric's autocast would also round the inputs,
    but targets and samples must stay exact.
    """

    def __init__(self, objective: Objective, *, low: bool) -> None:
        super().__init__()
        self.objective = objective
        self.low = low
        # Any step may leave parameters unused (dropped layers, terms that start later). DDP is configured to
        # find these, and warns if the first step uses all of them: no step ever uses this parameter.
        self.left_out = nn.Parameter(torch.zeros(()))

    def forward(self, tensors: dict[str, Any], progress: float) -> dict[str, Tensor]:
        kind = tensors["motion"].device.type
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=self.low):
            return self.objective(Batch(**tensors), progress)


def check_size(data: BatchConfig, config: LoopConfig, fabric: Fabric) -> None:
    """Raise UsageError when the windows of a batch, or its pairs, do not divide evenly by processes and
    parts.
    """
    size, parts = data.size, fabric.world_size * config.accumulate * (2 if data.pairs else 1)
    if size % parts:
        paired = " and pairs" if data.pairs else ""
        raise UsageError(
            f"A batch of {size} windows does not divide by "
            f"{counted(fabric.world_size, 'process', 'processes')} times "
            f"{counted(config.accumulate, 'part')} (train.accumulate){paired}.",
            hint=f"Set data.size to a multiple of {parts}.",
        )


class Backward:
    """Function that computes the gradients of a step.

    Up to rounding, the gradients do not depend on the number of processes. The constructor raises UsageError
    when a batch does not divide evenly by processes and parts.
    """

    def __init__(
        self,
        objective: Objective,
        batches: Batches,
        config: LoopConfig,
        *,
        steps: int,
        seed: int,
        fabric: Fabric,
    ) -> None:
        check_size(batches.config, config, fabric)
        native = config.precision == "native" and has_bf16(fabric.device)
        self.low = native or config.precision == "bf16"
        self.terms = fabric.setup_module(Terms(objective, low=self.low))
        self.batches, self.config, self.steps, self.seed = batches, config, steps, seed
        self.fabric = fabric

    def __call__(self, step: int) -> dict[str, float]:
        """Leave the gradients of `step` in the model and return the terms of its loss.

        The terms are averaged over parts and processes.
        """
        fabric, parts = self.fabric, self.config.accumulate
        progress = self.config.progress_at(step, self.steps, self.batches.epoch)
        batch = self.batches.at(step, rank=fabric.global_rank, world=fabric.world_size)
        rows = len(batch) // parts
        totals: dict[str, Tensor] = {}
        for part in range(parts):
            piece = batch.rows(part * rows, (part + 1) * rows).to(fabric.device)
            # Processes exchange gradients once per step, with the last part.
            apart = fabric.no_backward_sync(self.terms, enabled=part < parts - 1)
            with self._draws(step, part), apart:
                terms = self.terms(vars(piece), progress)
                fabric.backward(terms["loss"] / parts)
            for name, value in terms.items():
                totals[name] = totals.get(name, 0) + value.detach() / parts
        mean = fabric.all_reduce(torch.stack([value.float() for value in totals.values()]))
        return dict(zip(totals, mean.tolist(), strict=True))

    @contextmanager
    def _draws(self, step: int, part: int) -> Iterator[None]:
        """Seed torch's global generators for one part of a step: dropout and Gumbel noise accept no other."""
        index = self.fabric.global_rank * self.config.accumulate + part
        numbers = [self.seed, step, index] if index else [self.seed, step]
        device = self.fabric.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
            yield
