"""FaceDiffuser at its published size for VOCASET with 500 times, and the published loop over times.

Axis names: `samples` (16 kHz), `frames` (30 fps), `values` of a face.
"""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from talkcli.engine.device import seeded
from talkcli.engine.models.facediffuser.config import FaceDiffuserConfig
from talkcli.engine.models.facediffuser.facediffuser import FaceDiffuser
from talkcli.engine.models.facediffuser.front import Draw, Front
from talkcli.engine.nn.diffusion import Sampler, Step, plan, sample
from talkcli.engine.pipelines.bench.contest import Comparison, Contest

_NUM_VALUES = 3 * 5023
_FPS = 30
# Times of the diffusion, all of which the ancestral sampler passes through.
_TIMES = 500
# Samples of the speech that is compared: half a second, as the published loop hears it again at every time.
_SAMPLES = 8_000


def contest(seconds: float) -> Contest:  # noqa: ARG001  the published loop is too slow for more
    """Return FaceDiffuser at its published size for VOCASET. The published loop runs HuBERT and the whole
    network, from vertices to vertices, at every time.
    """
    model = _published()
    samples = 0.1 * torch.randn(1, _SAMPLES, generator=seeded(0))
    return Contest(
        model=model,
        sizes=f"VOCASET, as published but for {_TIMES} times in place of 1000",
        ways={
            "ancestral": partial(_generate, model, "ancestral"),
            "ddim": partial(_generate, model, "ddim"),
        },
        rounds=1,
        comparison=Comparison(
            what=f"{_TIMES} steps from half a second of speech to vertices",
            ours=lambda: at_once(model, samples),
            published=lambda: step_by_step(model, samples),
            rounds=1,
        ),
    )


@torch.inference_mode()
def at_once(model: FaceDiffuser, samples: Float[Tensor, "1 samples"]) -> Float[Tensor, "1 frames values"]:
    """Return the motion of the noise of `noise_of` by the front; it draws the noise of whole faces."""
    path = plan(model.kept, "ancestral")
    heard = model.hearing.whole(samples)
    clean = Front(model, path)(heard[0], 0, given(model, path, heard.shape[1]))[None]
    return clean if model.neutral is None else clean + model.neutral.flatten()


def given(model: FaceDiffuser, path: list[Step], frames: int) -> Draw:
    """Return the noise of `noise_of` in the space of the diffusion."""
    inward = None if model.config.plain else model.inward.weight
    # One by one, since all the noise of faces would fill the memory.
    noises = (noise_of(model, number, frames)[0] for number in range(len(path) + 1))
    seen = torch.stack([noise if inward is None else noise @ inward.T for noise in noises])

    def draw(first: int, after: int, total: int) -> Tensor:
        numbers = torch.arange(first, after)
        return seen[numbers, total - numbers]

    return draw


@torch.inference_mode()
def step_by_step(
    model: FaceDiffuser, samples: Float[Tensor, "1 samples"]
) -> Float[Tensor, "1 frames values"]:
    """Return the motion by the published loop."""
    speaker, rest = torch.tensor([0]), None if model.neutral is None else model.neutral.flatten()[None]
    frames = model.hearing.frames_of(samples.shape[1])
    path = plan(model.kept, "ancestral")
    number = {step.time: index + 1 for index, step in enumerate(path)}

    def denoise(noisy: Tensor, time: int) -> Tensor:
        heard = model.hearing.whole(samples)
        return model(noisy, torch.tensor([time]), heard, speaker, rest)

    start = noise_of(model, 0, frames)
    return sample(start, path, denoise, lambda step: noise_of(model, number[step.time], frames))


def noise_of(model: FaceDiffuser, number: int, frames: int) -> Float[Tensor, "1 frames values"]:
    """Return draw `number` of the noise, the same every time."""
    like = model.outward.weight
    return torch.randn(1, frames, model.num_values, generator=seeded(number), dtype=like.dtype)


def _generate(model: FaceDiffuser, sampler: Sampler, samples: Tensor) -> Tensor:
    return model.generate(samples, sampler=sampler, generator=seeded(0))


def _published() -> FaceDiffuser:
    """Return a network of the published size with random weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = FaceDiffuser(FaceDiffuserConfig(fps=_FPS, times=_TIMES), _NUM_VALUES)
        nn.init.normal_(model.outward.weight, std=0.1)
    return model.eval()
