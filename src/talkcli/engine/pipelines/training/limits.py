"""Checks that the machine has enough memory for a recipe, before anything is allocated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import nn

from talkcli.engine.audio.ear import Ear
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.errors import DeviceError, UsageError
from talkcli.engine.pipelines.training.usable_memory import memory
from talkcli.engine.train.batches import BatchConfig

Model = TypeVar("Model", bound=nn.Module)

# Bytes that training needs per weight: the weight, its gradient and the optimiser's two moments, as float32.
_BYTES_A_WEIGHT = 16
_SMALLER = "Make the model smaller (sizes and layers under model), or leave out what was set."
# Errors that torch raises while it builds layers of impossible sizes: indivisible, negative or too large.
_REFUSALS = (ArithmeticError, AssertionError, MemoryError, RuntimeError, TypeError, ValueError)


def built(make: Callable[..., Model], config: Any, *width: int) -> Model:
    """Return the model `make(config, *width)`, with weights from torch's global generator.

    Args:
        make: Constructor of the model.
        config: Config of the model.
        *width: Numbers per frame of motion, for a model that reads or makes motion.

    Raises:
        UsageError: For sizes of which no model can be built, and for a model whose training needs more memory
            than there is. In the second case nothing was allocated.
    """
    try:
        with torch.device("meta"), Undrawn():
            num_weights = sum(value.numel() for value in make(config, *width).parameters())
        needed = num_weights * _BYTES_A_WEIGHT
        if needed > memory():
            raise UsageError(
                f"The model of this recipe has {num_weights / 1e9:.3g} billion weights; to train them takes "
                f"{needed / 1e9:.3g} GB, and there are {memory() / 1e9:.3g} GB of memory.",
                hint=_SMALLER,
            )
        return make(config, *width)
    except _REFUSALS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise UsageError(f"The model of this recipe cannot be built ({reason}).", hint=_SMALLER) from error


def check_batch(config: BatchConfig, ears: Mapping[str, Ear], width: int) -> None:
    """Raise UsageError when a single batch would be larger than the memory.

    Args:
        config: Number and length of the windows.
        ears: Front-ends of the model, whose steps a batch holds.
        width: Numbers per frame of motion.
    """
    heard = sum(ear.steps_per_frame * ear.num_channels for ear in ears.values())
    needed = config.size * config.frames * (heard + width) * 4
    if needed > memory():
        raise UsageError(
            f"A batch of {config.size} windows of {config.frames} frames is {needed / 1e9:.3g} GB, and "
            f"there are {memory() / 1e9:.3g} GB of memory.",
            hint="Lower data.size or data.frames.",
        )


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raise DeviceError when the code inside the context exhausts the memory of the machine or of a GPU."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error)
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not (known or "allocate memory" in text or "not enough memory" in text):
            raise
        raise DeviceError(
            f"The memory is not enough ({(text.splitlines() or ['MemoryError'])[0][:300]}).",
            hint="Lower data.size, data.frames or data.copies, or raise train.accumulate.",
        ) from error


def check_choice(frames: int, window: int) -> None:
    """Raise UsageError when `frames` of a clip hold no two windows for a judge of synchrony to choose."""
    if frames <= window:
        raise UsageError(
            f"The sync judge sees {window} frames at once, and chooses among several such windows of "
            f"data.frames {frames}.",
            hint=f"Set data.frames to {window + 1} or more.",
        )
