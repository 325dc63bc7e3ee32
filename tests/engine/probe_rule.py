"""The numbers of PROBE_RULE.md in the facts folder: weights by name, inputs, and the probe files' values."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def drawn(name: str, count: int) -> np.ndarray:
    """Return u(name, 0) to u(name, count - 1), float64 in [-1, 1)."""
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(zlib.crc32(name.encode()))
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return x * 2.0 / 4294967296 - 1


def filled(name: str, shape: tuple[int, ...], *, unlike: str | None = None) -> Tensor:
    """Return the float32 weight called `name` in the published checkpoint.

    `unlike` names it for the draw where that differs (parts that are filled by their own file's names).
    """
    u = drawn(name if unlike is None else unlike, math.prod(shape))
    last = name.rpartition(".")[2]
    if last == "running_var":
        values = 1 + 0.1 * u**2
    elif last == "running_mean":
        values = 0.1 * u
    elif last == "weight_g" or (len(shape) == 1 and last == "weight"):
        values = 1 + 0.1 * u
    elif "bias" in last:
        values = 0.02 * u
    elif len(shape) >= 2:
        values = math.sqrt(3 / math.prod(shape[1:])) * u
    else:
        values = 0.1 * u
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def keys(text: str) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the tensors of a keys file, in its order."""
    shapes = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, shape, _ = line.split("\t")
            shapes[name] = tuple(int(side) for side in shape.strip("()").split(",") if side.strip())
    return shapes


def state_dict(shapes: Mapping[str, tuple[int, ...]], kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a whole published state dict; `kept` holds the tensors that stay as built."""
    return {name: kept[name] if name in kept else filled(name, shape) for name, shape in shapes.items()}


def sound(seconds: float) -> np.ndarray:
    """Return the samples of the probes' sound, float64, not normalised."""
    at = np.arange(round(16_000 * seconds)) / 16_000
    envelope = (1 + np.sin(2 * np.pi * 3 * at)) / 2
    return 0.3 * np.sin(2 * np.pi * 220 * at) * envelope + 0.05 * np.sin(2 * np.pi * 1330 * at)


def template(num_values: int) -> np.ndarray:
    """Return the face at rest, float64."""
    return 0.1 * drawn("template", num_values)


def target(frames: int, at_rest: np.ndarray, amplitude: float = 1e-3) -> np.ndarray:
    """Return the motion to be learnt, (frames, values), float64."""
    values, times = np.arange(len(at_rest)), np.arange(frames)[:, None]
    return at_rest + amplitude * np.sin(0.7 * values + 0.3 * times)


def assert_like(value: Tensor, probe: Mapping[str, Any], tolerance: float, what: str) -> None:
    """Compare a tensor with a probe's shape, mean, deviation, largest value and sampled entries.

    `tolerance` is relative to the larger of the probe's deviation and the entry.
    """
    assert list(value.shape) == list(probe["shape"]), what
    flat = value.detach().double().flatten()
    finite = flat[flat.isfinite()]
    scale = max(float(probe["std"]), 1e-12)
    # The files give eight significant digits.
    for name, ours in (
        ("mean", finite.mean()),
        ("std", finite.std(correction=0)),
        ("absmax", finite.abs().max()),
    ):
        bound = tolerance * max(scale, abs(probe[name])) + 5e-8 * abs(probe[name])
        assert abs(float(ours) - probe[name]) <= bound, f"{what}: {name}"
    assert_entries(flat[torch.tensor(probe["idx"])].tolist(), probe["val"], tolerance, scale, what)


def assert_entries(
    ours: Iterable[float], theirs: Iterable[float], tolerance: float, scale: float, what: str
) -> None:
    """Compare entries one by one; the files give eight significant digits."""
    for one, other in zip(ours, theirs, strict=True):
        bound = tolerance * max(scale, abs(other)) + 5e-8 * abs(other)
        assert abs(one - other) <= bound, f"{what}: {one} instead of {other}"
