from __future__ import annotations

import pytest
import torch

from talkcli.engine.device import resolve_device, seeded
from talkcli.engine.errors import DeviceError, UsageError


def test_names() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:-1", "", "cpu:0", "mps"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--device"):
        resolve_device(name)


def test_a_device_that_is_not_there_is_an_error_of_its_own() -> None:
    with pytest.raises(DeviceError, match="cuda:99"):
        resolve_device("cuda:99")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_by_index() -> None:
    assert resolve_device("cuda:0") == torch.device("cuda:0")


def test_generators_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = torch.randn(3, generator=seeded(7))
    torch.randn(5)
    assert torch.equal(first, torch.randn(3, generator=seeded(7)))
    assert not torch.equal(first, torch.randn(3, generator=seeded(8)))
