"""Which device a process takes, alone and under torchrun; two processes are in test_processes.py."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.errors import DeviceError, TalkError, UsageError
from talkcli.engine.train.launch import first_does, launched, reporter_of
from talkcli.engine.types import Silent


def test_one_process_is_the_first() -> None:
    reporter = Silent()
    with launched("cpu") as fabric:
        assert (fabric.global_rank, fabric.world_size, fabric.device) == (0, 1, torch.device("cpu"))
        assert reporter_of(fabric, reporter) is reporter
        assert first_does(fabric, lambda: 5) == 5

        def fail() -> None:
            raise TalkError("no", hint="try")

        with pytest.raises(TalkError, match="no") as caught:
            first_does(fabric, fail)
    assert caught.value.hint == "try"


def test_a_scheduler_around_one_process_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SLURM_NTASKS": "4", "SLURM_PROCID": "2", "SLURM_LOCALID": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLURM_JOB_NAME", "train")
    with launched("cpu") as fabric:
        assert (fabric.global_rank, fabric.world_size) == (0, 1)


@pytest.fixture
def torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torchrun sets a process of two up."""
    values = {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "LOCAL_RANK": "0"}
    for name, value in {**values, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)


def test_torchrun_gives_out_the_devices(torchrun: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="`device=cuda:1` names one device"), launched("cuda:1"):
        pass
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with (
        pytest.raises(DeviceError, match=r"2 processes on this node, but torch finds 1 CUDA device\."),
        launched("auto"),
    ):
        pass
