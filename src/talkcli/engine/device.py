"""Which device to compute on."""

from __future__ import annotations

import torch

from talkcli.engine.errors import DeviceError, UsageError


def resolve_device(name: str) -> torch.device:
    """`auto` (CUDA where it works, else the CPU), `cpu`, `cuda` or `cuda:N`.

    Raises UsageError for any other name and DeviceError for a CUDA device that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    kind, _, index = name.partition(":")
    if kind != "cuda" or (index and not index.isdigit()):
        raise UsageError(f"--device {name} is not one of auto, cpu, cuda, cuda:N.")
    if not torch.cuda.is_available() or int(index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"--device {name} was asked for, but torch sees {torch.cuda.device_count()} CUDA devices.",
            hint="Use --device cpu, or check the driver with talk doctor.",
        )
    return torch.device(name)


def seeded(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own, so that no draw depends on what ran before."""
    return torch.Generator(device=device).manual_seed(seed)
