"""What a training says of itself before it begins."""

from __future__ import annotations

import re

import pytest
import torch

from talkcli.engine.train.backward import Backward
from talkcli.engine.train.estimate import estimate
from talkcli.engine.train.launch import launched
from talkcli.engine.train.peak_memory import PeakMemory
from talkcli.engine.train.schedule import LoopConfig
from tests.engine.fakes import Toy, fake_batches


def _said(toy: Toy, **how: object) -> str:
    config = LoopConfig(**how)
    with launched("cpu") as fabric:
        backward = Backward(toy, fake_batches(), config, steps=100, seed=0, fabric=fabric)
        return estimate(backward, toy, config, 40)


def test_weights_steps_and_time() -> None:
    said = _said(Toy())
    trained = 93 * 16 + 17 * 53 + 12
    assert f"{trained / 1e6:.2f} of {(trained + 93 * 92) / 1e6:.2f} million weights are trained" in said
    assert re.search(r"\d\.\d\d s per step in fp32, 60 steps: about \d+ seconds plus validation", said)
    # Four clips of 40 frames: four hops of 23 channels and 53 coefficients to a frame.
    assert f"{4 * 40 * (4 * 23 + 53) * 4 / 1e9:.2g} GB for the data;" in said


@pytest.mark.parametrize(
    ("how", "numbers"), [({}, 3), ({"average_decay": 0.9}, 4), ({"precision": "bf16"}, 3.5)], ids=str
)
def test_memory_of_weights_gradients_and_optimiser(how: dict[str, object], numbers: float) -> None:
    trained = 93 * 16 + 17 * 53 + 12
    memory_gb = 4 * (trained + 93 * 92 + numbers * trained) / 1e9
    assert f"about {memory_gb:.2g} GB for weights, gradients and optimiser" in _said(Toy(), **how)


def test_trials_leave_no_trace() -> None:
    toy = Toy(dropout=0.2)
    before = {name: value.clone() for name, value in toy.model.state_dict().items()}
    random = torch.random.get_rng_state()
    _said(toy)
    assert toy.calls == 2
    assert all(torch.equal(value, before[name]) for name, value in toy.model.state_dict().items())
    assert all(value.grad is None for value in toy.parameters())
    assert torch.equal(torch.random.get_rng_state(), random)


def test_the_peak_is_that_of_the_tensors_alive_together() -> None:
    """Of a chain of exponentials each result is kept for its gradient; without gradients two are alive."""
    start, size = torch.randn(1000, requires_grad=True), 4000
    with PeakMemory() as kept:
        value = start
        for _ in range(10):
            value = value.exp()
    assert kept.peak == 10 * size
    with PeakMemory() as backward:
        value.sum().backward()
    # One gradient goes from layer to layer, and the next one comes before it ends.
    assert size <= backward.peak <= 4 * size
    with PeakMemory() as free, torch.no_grad():
        value = start
        for _ in range(10):
            value = value.exp()
    assert free.peak == 2 * size


def test_what_was_there_before_does_not_count() -> None:
    weight, inputs = torch.randn(50, 50), torch.randn(50)
    with PeakMemory() as counted:
        weight.view(2500)[:10].add_(1)
        made = weight.T @ inputs
    assert counted.peak == made.nbytes


def test_activations_grow_with_the_batch() -> None:
    def activations(size: int) -> float:
        config = LoopConfig()
        with launched("cpu") as fabric:
            backward = Backward(Toy(), fake_batches(size=size), config, steps=9, seed=0, fabric=fabric)
            said = estimate(backward, backward.terms.objective, config, 0)
        found = re.search(r"optimiser and ([\d.e-]+) GB for activations", said)
        assert found is not None
        return float(found[1])

    assert activations(4000) > 3 * activations(1000) > 0
