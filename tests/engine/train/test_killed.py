"""Every training command, killed at random and gone on with, ends with the bytes of one never stopped."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.pipelines.training import data as training_data
from tests.engine.fakes import LinearHead, write_corpus
from tests.engine.train.killed import contents, killed, training

STEPS = 8
# One that lets a process clean up, and one that does not; the harness of kills tries more.
SIGNALS = {
    "train-dee": (signal.SIGTERM, signal.SIGKILL),
    "train-vq": (signal.SIGHUP, signal.SIGKILL),
    "train-fer": (signal.SIGINT, signal.SIGKILL),
    "train-phones": (signal.SIGKILL, signal.SIGTERM),
    # Builds on the first two.
    "train-gen": (signal.SIGKILL, signal.SIGHUP),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest, and where the runs lie that are never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    write_corpus(folder, phones=True)
    return folder


@pytest.mark.parametrize("command", SIGNALS)
def test_killed_and_gone_on_with(
    command: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_data, "load_head", lambda name: LinearHead())
    manifest = whole / "manifest.jsonl"
    started_s = time.perf_counter()
    training(command, manifest, whole / command, steps=STEPS, parts=whole)()
    took_s = time.perf_counter() - started_s
    out, rng = tmp_path / "run", np.random.default_rng(len(command))
    work = training(command, manifest, out, steps=STEPS, parts=whole)
    for number in SIGNALS[command]:
        killed(work, number, float(rng.uniform(0.1, 1)) * took_s)
    work()
    assert contents(out) == contents(whole / command)
    assert not list(out.rglob(".talk-*"))
