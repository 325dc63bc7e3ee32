"""Two training processes against one with the whole batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, distributed, nn

from talkcli.engine.models.deeptalk.th_vqvae import ThVqvae, ThVqvaeConfig
from talkcli.engine.nn.batch_norm import BatchNorm
from talkcli.engine.nn.processes import of_first_process, sum_over_processes
from talkcli.engine.nn.quantizer import EmaQuantizer, QuantizerConfig

PRIOR = ThVqvaeConfig(width=8, heads=2, feedforward=8, decoder_feedforward=8, codes=6, dropout=0.0)
ON_DATA = QuantizerConfig(codes=8, start="data", revive_below=1.0)


def quantized(config: QuantizerConfig, data: Iterable[Tensor], *, draws: int = 0) -> dict[str, Tensor]:
    """A codebook after `data`; `draws` seeds what is drawn on the way."""
    torch.manual_seed(0)
    quantizer = EmaQuantizer(3, config)
    torch.manual_seed(draws)
    for batch in data:
        quantizer(batch)
    return quantizer.state_dict()


def normalised(norm: nn.BatchNorm1d, x: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """Output, statistics and gradients of a weighted mean of outputs."""
    x = x.clone().requires_grad_()
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, len(norm.weight)))
    made = norm(x)
    (made * weight).mean().backward()
    gradients = {"x": x.grad, "weight": norm.weight.grad, "bias": norm.bias.grad}
    return {"made": made.detach(), **gradients, **dict(norm.named_buffers())}


def stepped(motion: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gradients of a prior and its buffers after two batches."""
    torch.manual_seed(0)
    model = ThVqvae(PRIOR)
    for _ in range(2):
        model.zero_grad()
        coded = model(motion)
        ((coded.coeffs - motion).square().mean() + coded.regulariser).backward()
    return {name: value.grad for name, value in model.named_parameters()}, dict(model.named_buffers())


def work(rank: int, folder: str) -> None:
    """What one of the two does."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    data = torch.load(f"{folder}/data.pt")
    mine = slice(2 * rank, 2 * rank + 2)
    vectors = [batch[mine] for batch in data["vectors"]]
    made = {
        "released": quantized(QuantizerConfig(codes=8), vectors),
        "on data": quantized(ON_DATA, vectors, draws=rank),
        "norm": normalised(BatchNorm(5), data["x"][mine], data["weight"][mine]),
        "prior": stepped(data["motion"][mine]),
        "first": of_first_process(torch.tensor(float(rank))),
        "sum": sum_over_processes(torch.tensor(rank + 1.0)),
    }
    torch.save(made, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def data() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"vectors": (4, 4, 5, 3), "x": (4, 5, 7), "weight": (4, 5, 7), "motion": (4, 16, 53)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def both(data: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("processes")
    torch.save(data, folder / "data.pt")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import work; work({rank}, {str(folder)!r})"]
        )
        for rank in (0, 1)
    ]
    assert [process.wait(300) for process in running] == [0, 0]
    return [torch.load(folder / f"{rank}.pt") for rank in (0, 1)]


def _close(left: dict[str, Tensor], right: dict[str, Tensor]) -> None:
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert torch.allclose(value.float(), right[name].float(), rtol=1e-5, atol=1e-6), name


def test_sums_and_shared_draws(both: list[dict[str, Any]]) -> None:
    assert [made["sum"].item() for made in both] == [3, 3]
    assert [made["first"].item() for made in both] == [0, 0]


def test_codebooks_follow_all(data: dict[str, Tensor], both: list[dict[str, Any]]) -> None:
    for made in both:
        _close(made["released"], quantized(QuantizerConfig(codes=8), data["vectors"]))
    # Here codes are drawn from the first process's vectors: what counts is that they agree.
    first, second = (made["on data"] for made in both)
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_normalisation_is_by_all(data: dict[str, Tensor], both: list[dict[str, Any]]) -> None:
    alone = normalised(nn.BatchNorm1d(5), data["x"], data["weight"])
    first, second = (made["norm"] for made in both)
    # Each has the mean over its own half as the loss; their average is that of the whole.
    joined = {
        "made": torch.cat([first["made"], second["made"]]),
        "x": torch.cat([first["x"], second["x"]]) / 2,
    }
    joined |= {name: (first[name] + second[name]) / 2 for name in ("weight", "bias")}
    for half in (first, second):
        _close({**half, **joined}, alone)


def test_a_prior_takes_the_same_step(data: dict[str, Tensor], both: list[dict[str, Any]]) -> None:
    gradients, buffers = stepped(data["motion"])
    averaged = {name: (both[0]["prior"][0][name] + both[1]["prior"][0][name]) / 2 for name in gradients}
    _close(averaged, gradients)
    for made in both:
        _close(made["prior"][1], buffers)
