"""Start of training in one process, or in those that `torchrun` started, as a Lightning Fabric.

`talk train-... ` alone runs one process on one device. Under `torchrun --nproc-per-node N -m talkcli
train-...` the N processes of each node train together (DDP; gloo on CPUs, nccl on GPUs), and the first one
writes and reports.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import distributed

from talkcli.engine.device import resolve_device
from talkcli.engine.errors import DeviceError, TalkError, UsageError
from talkcli.engine.optional import require
from talkcli.engine.types import Reporter, Silent
from talkcli.engine.wording import counted, parameter

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Found = TypeVar("Found")


@contextmanager
def launched(device: str) -> Iterator[Fabric]:
    """Provide the Fabric of this process on `device`, one of auto, cpu, cuda, cuda:N.

    Raises UsageError for a numbered device under torchrun, DeviceError when a device is missing, ExtraError
    when lightning_fabric is not installed.
    """
    require("lightning_fabric", purpose="training")
    fabric = _torchrun(device) if distributed.is_torchelastic_launched() else _alone(device)
    fabric.launch()
    yield fabric
    # Skipped after an error: the other processes may be waiting for this one, and end when it ends.
    if distributed.is_initialized():
        distributed.destroy_process_group()


def reporter_of(fabric: Fabric, reporter: Reporter) -> Reporter:
    """Return `reporter` in the first process, and one that reports nothing in the others."""
    return reporter if fabric.global_rank == 0 else Silent()


def first_does(fabric: Fabric, work: Callable[[], Found]) -> Found:
    """Run `work` in the first process and return its result in all; raise its TalkError in all, too."""
    outcome: Any = None
    if fabric.global_rank == 0:
        try:
            outcome = work()
        except TalkError as error:
            outcome = error
    outcome = fabric.broadcast(outcome)
    if isinstance(outcome, TalkError):
        raise outcome
    return outcome


def _alone(device: str) -> Fabric:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment

    where = resolve_device(device)
    devices: Any = 1 if where.type == "cpu" else [where.index or 0]
    # The environment is explicit: Fabric would otherwise start several processes under a scheduler (SLURM).
    return Fabric(accelerator=where.type, devices=devices, plugins=LightningEnvironment())


def _torchrun(device: str) -> Fabric:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import TorchElasticEnvironment
    from lightning_fabric.strategies import DDPStrategy

    if ":" in device:
        raise UsageError(
            f"{parameter('device', device)} names one device, but torchrun starts a process on each device."
        )
    where = resolve_device(device)
    beside, world = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    if where.type == "cuda" and beside > torch.cuda.device_count():
        raise DeviceError(
            f"torchrun started {counted(beside, 'process', 'processes')} on this node, but torch finds "
            f"{counted(torch.cuda.device_count(), 'CUDA device')}.",
            hint="Lower --nproc-per-node, or add `device=cpu`.",
        )
    # Fabric announces every process; the estimate of time and memory already states their number.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    return Fabric(
        accelerator=where.type,
        devices=beside,
        num_nodes=world // beside,
        strategy=DDPStrategy(
            process_group_backend="nccl" if where.type == "cuda" else "gloo", find_unused_parameters=True
        ),
        plugins=TorchElasticEnvironment(),
    )
