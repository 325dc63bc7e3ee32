"""SyncNets that have learned nothing, and the tensors that the published one has."""

from __future__ import annotations

import torch
from torch import Tensor

NORM = ("weight", "bias", "running_mean", "running_var")
HEARING = {0: (64, 1, 3, 3), 4: (192, 64, 3, 3), 8: (384, 192, 3, 3), 11: (256, 384, 3, 3),
           14: (256, 256, 3, 3), 18: (512, 256, 5, 4)}  # fmt: skip
SEEING = {0: (96, 3, 5, 7, 7), 4: (256, 96, 1, 5, 5), 8: (256, 256, 1, 3, 3), 11: (256, 256, 1, 3, 3),
          14: (256, 256, 1, 3, 3), 18: (512, 256, 1, 6, 6)}  # fmt: skip


def published_shapes() -> dict[str, tuple[int, ...]]:
    """The published keys with their shapes."""
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str, width: int) -> None:
        shapes.update({f"{name}.{key}": (width,) for key in NORM})
        shapes[f"{name}.num_batches_tracked"] = ()

    for tower, convolutions in (("netcnnaud", HEARING), ("netcnnlip", SEEING)):
        for index, shape in convolutions.items():
            shapes |= {f"{tower}.{index}.weight": shape, f"{tower}.{index}.bias": shape[:1]}
            norm(f"{tower}.{index + 1}", shape[0])
    for tower in ("netfcaud", "netfclip"):
        shapes |= {f"{tower}.0.weight": (512, 512), f"{tower}.0.bias": (512,)}
        norm(f"{tower}.1", 512)
        shapes |= {f"{tower}.3.weight": (1024, 512), f"{tower}.3.bias": (1024,)}
    return shapes


def random_state() -> dict[str, Tensor]:
    """Tensors of the published shapes, of sizes that keep the features alive."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in published_shapes().items():
        value = torch.randn(shape, generator=generator) if shape else torch.tensor(0)
        if len(shape) > 1:
            value *= (2 / value[0].numel()) ** 0.5
        elif name.endswith("running_var"):
            value = value.tanh().abs() + 0.5
        state[name] = value
    return state
