from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from talkcli.engine.device import SMALL, resolve_device, seeded, settle_threads
from talkcli.engine.errors import DeviceError, UsageError
from talkcli.engine.files import sha256


def test_names() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:-1", "", "cpu:0", "mps"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="`device="):
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


class _Sized(nn.Module):
    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(numbers, device="meta"))


def test_small_networks_get_one_thread_and_large_ones_what_torch_started_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr("talkcli.engine.device._threads_at_start", lambda: 3)
    try:
        assert settle_threads(_Sized(SMALL)) == 3
        assert settle_threads(_Sized(SMALL - 1)) == 1
        assert settle_threads(_Sized(2 * SMALL)) == 3
        assert settle_threads() == torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_a_motion_file_is_the_same_bytes_whatever_the_number_of_threads(tmp_path: Path) -> None:
    """The whole command, in processes of their own: threads are settled when torch is loaded."""
    speech = Path(__file__).resolve().parents[2] / "examples" / "hello.wav"
    runs = {}
    for threads in ("1", "2", "4"):
        out = tmp_path / f"{threads}.npz"
        runs[out] = subprocess.Popen(
            [sys.executable, "-m", "talkcli", "animate", str(speech), "--out", str(out), "--device", "cpu",
             "--sigma", "0.1", "--tau", "0.5", "--quiet"],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
        )  # fmt: skip
    assert [run.wait(timeout=300) for run in runs.values()] == [0, 0, 0]
    assert len({sha256(out) for out in runs}) == 1
