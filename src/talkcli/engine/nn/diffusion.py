"""Diffusion whose network predicts the clean value: the cosine schedule, and the steps of two samplers.

Source: Nichol and Dhariwal 2021 (cosine schedule), Ho et al. 2020 (ancestral sampling), Song et al. 2021
(DDIM). A clean value x0 with noise at time t is sqrt(kept[t]) x0 + sqrt(1 - kept[t]) noise. All numbers here
are float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

Sampler = Literal["ancestral", "ddim"]
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)
# Offset of the cosine, and the largest variance that a step may add.
_OFFSET, _MOST = 0.008, 0.999


@dataclass(frozen=True)
class Step:
    """One step of a sampler: the next value is of_clean x0 + of_noisy x_t + of_noise times new noise.

    x0 is what the network predicts of x_t at the time `time`.
    """

    time: int
    of_clean: float
    of_noisy: float
    of_noise: float


@lru_cache(maxsize=8)
def cosine_schedule(times: int) -> Float[Tensor, "times"]:
    """Return the share of a clean value's variance that is kept at each of `times` times."""

    def wave(share: float) -> float:
        return math.cos((share + _OFFSET) / (1 + _OFFSET) * math.pi / 2) ** 2

    added = [min(1 - wave((t + 1) / times) / wave(t / times), _MOST) for t in range(times)]
    return torch.cumprod(1 - torch.tensor(added, dtype=torch.float64), dim=0)


def plan(kept: Float[Tensor, "times"], sampler: Sampler, count: int | None = None) -> list[Step]:
    """Return the steps from noise to a clean value; after the last one nothing but x0 is left.

    Args:
        kept: Schedule that the network was trained with.
        sampler: `ancestral` adds new noise in each step; `ddim` adds none, so that the first noise decides.
        count: Number of steps, at most that of `kept`, evenly spaced from the last time to the first; None
            takes all times.

    Raises:
        ValueError: For a number of steps that the schedule does not have.
    """
    times = len(kept)
    count = times if count is None else count
    if not 1 <= count <= times:
        raise ValueError(f"{count} steps are not between 1 and {times}")
    at = [round((times - 1) * (count - 1 - k) / max(count - 1, 1)) for k in range(count)]
    if count == 1:
        at = [times - 1]
    steps = []
    for time, after in zip(at, [*at[1:], None], strict=True):
        now, then = float(kept[time]), 1.0 if after is None else float(kept[after])
        if sampler == "ddim":
            of_noisy = math.sqrt((1 - then) / (1 - now))
            steps.append(Step(time, math.sqrt(then) - of_noisy * math.sqrt(now), of_noisy, 0.0))
        else:
            passed = now / then
            steps.append(
                Step(
                    time,
                    math.sqrt(then) * (1 - passed) / (1 - now),
                    math.sqrt(passed) * (1 - then) / (1 - now),
                    math.sqrt((1 - passed) * (1 - then) / (1 - now)),
                )
            )
    return steps


def noised(
    clean: Float[Tensor, "batch frames values"],
    noise: Float[Tensor, "batch frames values"],
    kept: Float[Tensor, "batch"],
) -> Float[Tensor, "batch frames values"]:
    """Return clean values with noise, of which each row keeps its own share."""
    share = kept[:, None, None]
    return share.sqrt().to(clean) * clean + (1 - share).sqrt().to(clean) * noise


def sample(
    start: Tensor,
    steps: list[Step],
    denoise: Callable[[Tensor, int], Tensor],
    draw: Callable[[Step], Tensor],
) -> Tensor:
    """Return the clean value after all `steps`, one after the other.

    Args:
        start: Noise.
        steps: From `plan`.
        denoise: The network: x0 of a noisy value and its time.
        draw: New noise for a step; it is called only for steps that add some.
    """
    noisy = start
    for step in steps:
        noisy, before = step.of_clean * denoise(noisy, step.time), noisy
        noisy += step.of_noisy * before
        if step.of_noise:
            noisy += step.of_noise * draw(step)
    return noisy
