"""Which device to compute on, and on how many threads of the CPU."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn

from talkcli.engine.errors import DeviceError, UsageError
from talkcli.engine.wording import parameter


def resolve_device(name: str) -> torch.device:
    """Return `auto` (CUDA where it works, else the CPU), `cpu`, `cuda` or `cuda:N`.

    Raises UsageError for any other name and DeviceError for a CUDA device that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    kind, _, index = name.partition(":")
    if kind != "cuda" or (index and not index.isdigit()):
        raise UsageError(f"{parameter('device', name)} is not one of auto, cpu, cuda, cuda:N.")
    if not torch.cuda.is_available() or int(index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"{parameter('device', name)} was asked for, but torch sees {torch.cuda.device_count()} CUDA "
            "devices.",
            hint="Use `device=cpu`, or check the driver with talk doctor.",
        )
    return torch.device(name)


def has_bf16(device: torch.device) -> bool:
    """Return whether `device` multiplies bfloat16 natively (x86: AVX512-BF16, AMX; ARM: its bf16
    extension).
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


# Numbers in a network below which one thread is faster than several: its tensors are too small to share, and
# on a busy machine threads that wait for each other take ten times as long.
SMALL = 20_000_000


def settle_threads(model: nn.Module | None = None) -> int:
    """Set, and return, the number of threads for `model` (None: heads and measures alone) in this process.

    Small networks get one, whatever OMP_NUM_THREADS says, so that their sums are added up in one order and
    the same input gives the same bytes everywhere. Larger ones get what torch started with: OMP_NUM_THREADS,
    else a thread a core.
    """
    at_start = _threads_at_start()
    size = 0 if model is None else sum(parameter.numel() for parameter in model.parameters())
    torch.set_num_threads(at_start if size >= SMALL else 1)
    return torch.get_num_threads()


@cache
def _threads_at_start() -> int:
    return torch.get_num_threads()


def seeded(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator of its own, so that no draw depends on what ran before."""
    return torch.Generator(device=device).manual_seed(seed)
