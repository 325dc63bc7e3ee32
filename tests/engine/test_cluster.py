"""A Dask cluster makes the same bytes; what is wrong with it is said, soon."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from talkcli.engine import cluster
from talkcli.engine.cluster import map_on_cluster
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.types import Silent
from tests.engine.prepare.test_build import source

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
# Dask's own, of its own parts.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:dask"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:tornado"),
]


@contextlib.contextmanager
def two_workers() -> Iterator[str]:
    """The address of a scheduler with two processes that find the modules of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as local:
            yield local.scheduler_address


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with two_workers() as address:
        yield address


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "journal.jsonl"
    }


def test_the_same_bytes_as_on_this_machine(tmp_path: Path, address: str) -> None:
    sources = [
        *(source(f"c{number:02d}", hz=100.0 + number) for number in range(12)),
        source("b", fails=True),
    ]
    here = build(sources, tmp_path / "here", Silent(), Plan(num_workers=2))
    there = build(sources, tmp_path / "there", Silent(), Plan(cluster=address))
    assert here == there
    assert digests(tmp_path / "here") == digests(tmp_path / "there")
    assert len(digests(tmp_path / "there")) == 2 * 12 + 4
    again = build(sources, tmp_path / "there", Silent(), Plan(cluster=address))
    assert again.num_kept == 12


def crash_on_three(job: int) -> int:
    if job == 3:
        os._exit(139)
    return job * job


def fail_on_three(job: int) -> int:
    if job == 3:
        raise OSError(28, "No space left on device")
    time.sleep(0.05)
    return job * job


def test_an_exception_is_the_callers(tmp_path: Path, address: str) -> None:
    with pytest.raises(OSError, match="No space") as caught:
        list(map_on_cluster(fail_on_three, range(50), address, tmp_path))
    assert caught.value.errno == 28


def test_a_crash_costs_one_job(tmp_path: Path) -> None:
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), two_workers() as address:
        results = dict(map_on_cluster(crash_on_three, range(6), address, tmp_path))
    assert results == {0: 0, 1: 1, 2: 4, 3: None, 4: 16, 5: 25}


def test_storage_that_is_not_shared_is_named(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"does not see the data \(.*gone"):
        list(map_on_cluster(abs, [1], address, tmp_path, [tmp_path / "gone"]))
    ask = cluster._ask

    def from_elsewhere(client: Any, question: Any) -> dict[str, Any]:
        for probe in tmp_path.glob(".probe.*"):
            probe.unlink()
        return ask(client, question)

    monkeypatch.setattr(cluster, "_ask", from_elsewhere)
    with pytest.raises(InputError, match="does not see `out`"):
        list(map_on_cluster(abs, [1], address, tmp_path))


def test_other_versions_are_named(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "__version__", "9.9")
    with pytest.raises(InputError, match=r"has talk .*, this machine has 9\.9"):
        list(map_on_cluster(abs, [1], address, tmp_path))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x:1", "127.0.0.1:notaport", ""])
def test_an_address_where_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE_S", 1)
    started_s = time.monotonic()
    with pytest.raises(InputError, match="No Dask scheduler answers"):
        list(map_on_cluster(abs, [1], address, tmp_path))
    assert time.monotonic() - started_s < 5
    # One that is left to the garbage collector can wait for ever for the lock of the next.
    left = [one for one in gc.get_objects() if type(one) is distributed.Client]
    assert [client.status for client in left if client.status != "closed" and client.loop is not None] == []


def test_a_scheduler_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE_S", 1)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", processes=False) as local,
        pytest.raises(InputError, match="has no workers"),
    ):
        list(map_on_cluster(abs, [1], local.scheduler_address, tmp_path))
