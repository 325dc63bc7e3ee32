"""Estimate of a training's time and memory from two trial steps, which leave the model unchanged.

On a GPU its allocator tells the peak of a step. On a CPU the first trial step counts the tensors that it
makes (`PeakMemory`); what is left of their peak without the gradients is activations.
"""

from __future__ import annotations

import contextlib
import time

import torch

from talkcli.engine.train.backward import Backward
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.peak_memory import PeakMemory
from talkcli.engine.train.schedule import LoopConfig
from talkcli.engine.train.state import trained_weights
from talkcli.engine.wording import counted

# Sizes of a float32 and of a bfloat16, in bytes.
_WHOLE, _HALF = 4, 2


def estimate(backward: Backward, objective: Objective, config: LoopConfig, first: int) -> str:
    """Return a sentence with the number of weights, the memory per process and the time from step `first` on.

    Every process must call it, since the trial steps exchange gradients.
    """
    device, processes = backward.fabric.device, backward.fabric.world_size
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    step_s, peak = _trial(backward, first)
    whole = sum(value.numel() for value in objective.model.parameters())
    moved = sum(value.numel() for value in trained_weights(objective.model).values())
    if device.type == "cuda":
        # The peak includes gradients, activations and the average. The optimiser allocates its two moments
        # with its first step.
        memory_gb = (torch.cuda.max_memory_allocated(device) + 2 * _WHOLE * moved) / 1e9
        memory = f"{memory_gb:.2g} GB of GPU memory for the peak of a trial step and the optimiser"
    else:
        # Per trained weight: its gradient and two moments, then the average, and the buffers of DDP.
        copies = 3 + (config.average_decay > 0) + (processes > 1)
        memory_gb = (_WHOLE * (whole + copies * moved) + _HALF * moved * backward.low) / 1e9
        memory = (
            f"{memory_gb:.2g} GB for weights, gradients and optimiser and "
            f"{max(peak - _WHOLE * moved, 0) / 1e9:.2g} GB for activations"
        )
    data_gb = backward.batches.nbytes / 1e9
    left = backward.steps - first
    numbers = "bf16" if backward.low else "fp32"
    each = f" in each of {processes} processes" if processes > 1 else ""
    return (
        f"{moved / 1e6:.2f} of {whole / 1e6:.2f} million weights are trained; about {memory}, and "
        f"{data_gb:.2g} GB for the data{each}; {step_s:.2f} s per step in {numbers}, "
        f"{counted(left, 'step')}: about "
        f"{_duration(left * step_s)} plus validation."
    )


def _duration(length_s: float) -> str:
    if length_s < 90:
        return f"{length_s:.0f} seconds"
    return f"{length_s / 60:.0f} minutes" if length_s < 7200 else f"{length_s / 3600:.1f} hours"


def _trial(backward: Backward, first: int) -> tuple[float, int]:
    """Return the seconds that a step takes without the optimiser's update, and the bytes of its tensors at
    their peak (0 on a GPU, which counts them itself).
    """
    module, step_s = backward.terms, 0.0
    before = {name: value.clone() for name, value in module.named_buffers()}
    counted_bytes = PeakMemory()
    for trial in range(2):
        started_s = time.perf_counter()
        # Counting makes a step slower, so that only the first one is counted.
        on_cpu = backward.fabric.device.type == "cpu"
        with counted_bytes if trial == 0 and on_cpu else contextlib.nullcontext():
            # `backward` returns Python numbers, so the device has finished when it returns.
            backward(first)
        module.zero_grad(set_to_none=True)
        # The second step counts: the first one also warms up allocators and kernels.
        step_s = time.perf_counter() - started_s
    for name, value in module.named_buffers():
        value.copy_(before[name])
    return step_s, counted_bytes.peak
