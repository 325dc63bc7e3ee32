"""The schedule against another formula, and both samplers against distributions in closed form.

For clean values of a Gaussian with mean m and variance v, the best network is known: x0 given x_t has the
mean m + v sqrt(kept) (x_t - sqrt(kept) m) / (kept v + 1 - kept). All steps are linear then, so that mean and
variance of the result follow exactly from the start's.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.nn.diffusion import Sampler, cosine_schedule, noised, plan, sample

MEAN, VARIANCE = 0.7, 0.3


def clean_of(kept: Tensor) -> tuple[Tensor, Tensor]:
    """Factor and offset of the best prediction at each time."""
    factor = VARIANCE * kept.sqrt() / (kept * VARIANCE + 1 - kept)
    return factor, MEAN * (1 - factor * kept.sqrt())


def exact(times: int, sampler: Sampler, count: int | None = None) -> tuple[float, float]:
    """Mean and variance of what the sampler makes of standard noise, step by step."""
    kept = cosine_schedule(times)
    factor, offset = clean_of(kept)
    mean, variance = 0.0, 1.0
    for step in plan(kept, sampler, count):
        through = step.of_clean * float(factor[step.time]) + step.of_noisy
        mean = through * mean + step.of_clean * float(offset[step.time])
        variance = through**2 * variance + step.of_noise**2
    return mean, variance


@pytest.mark.parametrize("times", [20, 500, 1000])
def test_schedule_is_the_squared_cosine(times: int) -> None:
    """As a product of limited steps it is the cosine itself, until the last step is cut off."""
    share = (np.arange(times) + 1) / times
    wave = np.cos((share + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    kept = cosine_schedule(times).numpy()
    np.testing.assert_allclose(kept[:-1], wave[:-1], rtol=1e-9)
    assert kept[-1] == pytest.approx(kept[-2] * 0.001, rel=1e-9)


@pytest.mark.parametrize("count", [None, 1, 2, 7, 20])
def test_steps_are_the_posterior_of_a_gaussian(count: int | None) -> None:
    """Coefficients by Bayes' rule: x_s has sqrt(a) x0 and 1 - a; x_t given x_s has sqrt(b) x_s and 1 - b."""
    kept = cosine_schedule(50)
    steps = plan(kept, "ancestral", count)
    assert [steps[0].time, len(steps)] == [49, count or 50]
    assert steps[-1].time == (49 if count == 1 else 0)
    for step, after in itertools.pairwise(steps):
        a, now = float(kept[after.time]), float(kept[step.time])
        b = now / a
        precision = 1 / (1 - a) + b / (1 - b)
        assert step.of_noise**2 == pytest.approx(1 / precision, rel=1e-9)
        assert step.of_clean == pytest.approx(math.sqrt(a) / (1 - a) / precision, rel=1e-9)
        assert step.of_noisy == pytest.approx(math.sqrt(b) / (1 - b) / precision, rel=1e-9)
    assert (steps[-1].of_clean, steps[-1].of_noisy, steps[-1].of_noise) == (1, 0, 0)


@pytest.mark.parametrize("count", [0, 51, -1])
def test_numbers_of_steps_that_there_are_not(count: int) -> None:
    with pytest.raises(ValueError, match="not between 1 and 50"):
        plan(cosine_schedule(50), "ddim", count)


def test_500_ancestral_steps_draw_from_the_distribution() -> None:
    times, number = 500, 200_000
    kept, generator = cosine_schedule(times), torch.Generator().manual_seed(0)
    factor, offset = clean_of(kept)

    def draw(_: object = None) -> Tensor:
        return torch.randn(number, generator=generator)

    made = sample(
        draw(),
        plan(kept, "ancestral"),
        lambda noisy, time: float(factor[time]) * noisy + float(offset[time]),
        draw,
    )
    mean, variance = exact(times, "ancestral")
    # What 500 steps make is close to the distribution itself ...
    assert (mean, variance) == (pytest.approx(MEAN, abs=1e-4), pytest.approx(VARIANCE, rel=0.02))
    # ... and the samples are of what they make: within 4 standard errors.
    assert float(made.mean()) == pytest.approx(mean, abs=4 * math.sqrt(variance / number))
    assert float(made.var()) == pytest.approx(variance, abs=4 * variance * math.sqrt(2 / number))


def test_ddim_is_determined_by_the_first_noise_and_converges() -> None:
    kept = cosine_schedule(1000)
    factor, offset = clean_of(kept)
    start = torch.linspace(-3, 3, 13, dtype=torch.float64)

    def forbidden(_: object) -> Tensor:
        raise AssertionError("noise was drawn")

    def made(count: int) -> Tensor:
        return sample(
            start.clone(),
            plan(kept, "ddim", count),
            lambda noisy, time: float(factor[time]) * noisy + float(offset[time]),
            forbidden,
        )

    # The flow without noise maps a Gaussian to a Gaussian: place by place, in standard deviations.
    wanted = MEAN + math.sqrt(VARIANCE) * start
    errors = [float((made(count) - wanted).abs().max()) for count in (5, 20, 80, 320)]
    # The error falls with the number of steps, about in proportion.
    assert errors[1] < 0.15
    assert all(after < 0.45 * before for before, after in itertools.pairwise(errors))
    torch.testing.assert_close(made(20), made(20), rtol=0, atol=0)


def test_noise_keeps_the_share() -> None:
    clean, noise = torch.full((2, 3, 1), 2.0), torch.full((2, 3, 1), 1.0)
    kept = torch.tensor([0.64, 0.36], dtype=torch.float64)
    torch.testing.assert_close(noised(clean, noise, kept)[:, 0, 0], torch.tensor([2.2, 2.0]))
