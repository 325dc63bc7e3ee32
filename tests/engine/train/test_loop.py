"""The loop on a toy method, and a run that is killed for real."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from talkcli.config import load_recipe
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.errors import TalkError
from talkcli.engine.pipelines import train as pipeline
from talkcli.engine.train.batches import Batch, BatchConfig, Batches, prepare
from talkcli.engine.train.loop import LoopConfig, train
from talkcli.engine.train.run_folder import RunFolder, open_run
from talkcli.engine.types import Silent
from tests.engine.fakes import LinearHead, fake_clip, write_corpus

ROOT = Path(__file__).resolve().parents[3]


class _Toy:
    """Regression of the jaw from the features, with dropout so that random draws matter."""

    def __init__(self, fail_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(92, 16), nn.Dropout(0.2), nn.Linear(16, 53))
        self.fail_at = fail_at
        self.calls = 0

    def to(self, device: torch.device) -> None:
        self.model.to(device)

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        self.calls += 1
        made = self.model(batch.features.reshape(len(batch.coeffs), -1, 92))
        loss = (made - batch.coeffs).square().mean()
        return {"loss": loss * torch.nan if self.calls == self.fail_at else loss}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        return {"score": sum(float(self.loss(batch, 1.0)["loss"]) for batch in batches)}


@pytest.fixture(scope="module")
def batches() -> Batches:
    config = BatchConfig(size=4, frames=16)
    examples = prepare(
        [fake_clip(index) for index in range(4)],
        LogMel(LogMelConfig(num_mels=20)),
        config,
        speakers=(),
        copies=0,
        seed=0,
        reporter=Silent(),
    )
    return Batches(training=examples, validation=examples, config=config, seed=0, num_mels=20)


def _train(toy: _Toy, batches: Batches, path: Path, **how: float) -> tuple[RunFolder, dict[str, float]]:
    config = LoopConfig(
        **{
            "steps": 30,
            "learning_rate": 1e-2,
            "warmup_steps": 3,
            "validate_every": 10,
            "save_every": 10,
            **how,
        }
    )
    run = open_run(path, {}, resume=True, overwrite=False)

    def export(target: Path) -> None:
        torch.save(toy.model.state_dict(), target)

    best = train(
        toy,
        batches,
        config,
        run,
        export=export,
        reporter=Silent(),
        seed=0,
        device=torch.device("cpu"),
    )
    return run, best


@pytest.mark.parametrize("average_decay", [0.0, 0.9])
def test_goes_on_where_it_stopped(batches: Batches, tmp_path: Path, average_decay: float) -> None:
    _train(_Toy(), batches, tmp_path / "whole", average_decay=average_decay)
    with pytest.raises(TalkError):
        # Two trial steps and the validations count as calls too; this one fails in the third ten steps.
        _train(_Toy(fail_at=28), batches, tmp_path / "parts", average_decay=average_decay)
    _train(_Toy(), batches, tmp_path / "parts", average_decay=average_decay)
    for name in ("best.safetensors", "last.safetensors"):
        whole, parts = (torch.load(tmp_path / kind / name) for kind in ("whole", "parts"))
        assert all(torch.equal(value, parts[key]) for key, value in whole.items())


def test_learns_and_keeps_the_best(batches: Batches, tmp_path: Path) -> None:
    run, best = _train(_Toy(), batches, tmp_path)
    records = [json.loads(line) for line in run.log.read_text().splitlines()]
    scores = {record["step"]: record["validation"]["score"] for record in records if "validation" in record}
    assert set(scores) == {10, 20, 30}
    assert best["score"] == min(scores.values()) == scores[int(best["step"])]
    assert scores[30] < scores[10]


def test_stops_when_the_loss_is_not_a_number(batches: Batches, tmp_path: Path) -> None:
    with pytest.raises(TalkError, match=r"loss is nan .* at step 23; .*state.pt is from before") as caught:
        # Two trial steps, 22 good steps and two validations of two batches come before.
        _train(_Toy(fail_at=29), batches, tmp_path)
    assert "learning_rate" in str(caught.value.hint)
    state = RunFolder(tmp_path).read_state()
    assert state is not None
    assert state["step"] == 20
    assert all(value.isfinite().all() for value in state["model"].values())


def test_a_finished_run_stays_as_it_is(batches: Batches, tmp_path: Path) -> None:
    run, best = _train(_Toy(), batches, tmp_path)
    before = run.log.read_text()
    toy = _Toy()
    assert _train(toy, batches, tmp_path)[1] == best
    assert toy.calls == 0
    assert run.log.read_text() == before


_WORKER = """
import sys
from pathlib import Path
from tests.engine.train.test_loop import train_slowly
train_slowly(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def train_slowly(manifest: Path, out: Path) -> None:
    """A debug run with a checkpoint every other step; on one thread, since the order of sums matters."""
    torch.set_num_threads(1)
    pipeline.load_head = lambda name: LinearHead()
    recipe = load_recipe(pipeline.DeeRecipe, "dee.debug", ["train.steps=30", "train.save_every=2"])
    job = pipeline.Job(manifest=manifest, out=out, device="cpu", resume=True)
    pipeline.train_dee(recipe, job, Silent())


def test_killed_and_resumed_is_the_run_never_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write_corpus(tmp_path / "corpus")
    command = [sys.executable, "-c", _WORKER, str(manifest), str(tmp_path / "parts")]
    killed = subprocess.Popen(command, cwd=ROOT)
    state = tmp_path / "parts" / "state.pt"
    while not state.is_file():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert torch.load(state, weights_only=True)["step"] < 30

    monkeypatch.setattr(pipeline, "load_head", pipeline.load_head)
    threads = torch.get_num_threads()
    train_slowly(manifest, tmp_path / "whole")
    train_slowly(manifest, tmp_path / "parts")
    torch.set_num_threads(threads)
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
