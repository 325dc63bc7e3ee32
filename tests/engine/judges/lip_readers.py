"""Lip readers that have learned nothing, and the tensors that the published one has."""

from __future__ import annotations

import torch
from torch import Tensor

from talkcli.engine.judges.lip_reader import LipReader, LipReaderConfig

NORM = ("weight", "bias", "running_mean", "running_var")


def published_shapes(*, prelu: bool = False) -> dict[str, tuple[int, ...]]:
    """The published keys below `encoder.frontend.` with their shapes."""
    shapes: dict[str, tuple[int, ...]] = {"frontend3D.0.weight": (64, 1, 5, 7, 7)}

    def norm(name: str, width: int) -> None:
        shapes.update({f"{name}.{key}": (width,) for key in NORM})
        shapes[f"{name}.num_batches_tracked"] = ()

    norm("frontend3D.1", 64)
    for layer, (before, width) in enumerate([(64, 64), (64, 128), (128, 256), (256, 512)], start=1):
        for block in (0, 1):
            name = f"trunk.layer{layer}.{block}"
            shapes[f"{name}.conv1.weight"] = (width, before if block == 0 else width, 3, 3)
            shapes[f"{name}.conv2.weight"] = (width, width, 3, 3)
            for number in (1, 2):
                norm(f"{name}.bn{number}", width)
                if prelu:
                    shapes[f"{name}.relu{number}.weight"] = (width,)
            if layer > 1 and block == 0:
                shapes[f"{name}.downsample.0.weight"] = (width, before, 1, 1)
                norm(f"{name}.downsample.1", width)
    return shapes


def random_state(*, prelu: bool = False, seed: int = 0) -> dict[str, Tensor]:
    """Tensors of the published shapes, of sizes that keep the features alive."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in published_shapes(prelu=prelu).items():
        value = torch.randn(shape, generator=generator) if shape else torch.tensor(seed)
        if len(shape) > 1:
            value *= (2 / value[0].numel()) ** 0.5
        elif name.endswith(("running_var", "weight")):
            value = 1 + 0.2 * value.tanh()
        elif shape:
            value *= 0.1
        state[name] = value
    return state


def stand_in_reader(seed: int = 0) -> LipReader:
    """A lip reader with random weights, the same for the same `seed`."""
    reader = LipReader(LipReaderConfig())
    reader.load_state_dict(random_state(seed=seed))
    return reader
