"""Two processes under torchrun do what one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from talkcli.engine.train.launch import launched
from tests.engine.fakes import Toy
from tests.engine.train.together import TRAININGS, run_toy

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes have trained."""
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "tests.engine.train.together", str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return folder


def _weights(folder: Path, name: str = "last.safetensors") -> dict[str, torch.Tensor]:
    return torch.load(folder / name, weights_only=True)


@pytest.mark.parametrize(
    ("name", "bar"), [("regression", 1e-5), ("contrast", 1e-5), ("parts", 1e-5), ("bf16", 1e-2)]
)
def test_two_processes_are_one_with_their_rows(two: Path, tmp_path: Path, name: str, bar: float) -> None:
    toy, how = TRAININGS[name]
    with launched("cpu") as fabric:
        _, best = run_toy(fabric, Toy(**toy), tmp_path, **how)
    for file in ("best.safetensors", "last.safetensors"):
        others = _weights(two / name, file)
        start = Toy(**toy).model.state_dict()
        for key, value in _weights(tmp_path, file).items():
            if value.is_floating_point():
                torch.testing.assert_close(others[key], value, rtol=0, atol=bar)
        assert not torch.allclose(others["trained.0.weight"], start["trained.0.weight"], atol=0.01)
    # Both know the best, which the first has measured.
    assert (two / f"{name}.0.txt").read_text() == (two / f"{name}.1.txt").read_text()
    assert best["score"] == pytest.approx(eval((two / f"{name}.0.txt").read_text())["score"], rel=bar)


def test_processes_draw_for_themselves(two: Path, tmp_path: Path) -> None:
    """With dropout the rows of the second process must not repeat the draws of the first."""
    toy, how = TRAININGS["draws"]
    with launched("cpu") as fabric:
        run_toy(fabric, Toy(**toy), tmp_path, **how)
    difference = _weights(tmp_path)["trained.0.weight"] - _weights(two / "draws")["trained.0.weight"]
    assert difference.abs().max() > 1e-4


def test_one_process_with_a_bad_loss_stops_all(two: Path) -> None:
    said = {(two / f"failed.{rank}.txt").read_text() for rank in (0, 1)}
    assert len(said) == 1
    assert said.pop().startswith("TalkError The loss is nan and the norm of its gradient nan at step 25;")


def test_two_processes_go_on_bit_for_bit(two: Path) -> None:
    whole = _weights(two / "draws")
    assert all(torch.equal(value, whole[key]) for key, value in _weights(two / "resumed").items())


def test_all_processes_end_with_the_error_of_the_first(two: Path) -> None:
    for rank in (0, 1):
        assert "batch of 3 windows does not divide by 2 processes" in (two / f"odd.{rank}.txt").read_text()
        assert "other settings (a: None -> 1). Use the same" in (two / f"other.{rank}.txt").read_text()


def test_only_the_first_writes(two: Path) -> None:
    log = (two / "regression" / "log.jsonl").read_text().splitlines()
    # Thirty steps, three validations.
    assert len(log) == 33
    assert len(list((two / "regression" / "tensorboard").iterdir())) == 1
