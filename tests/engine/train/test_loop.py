"""The loop on a toy method: it learns, goes on bit for bit, and stops when it must."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.train import backward
from talkcli.engine.train.batches import Batches
from talkcli.engine.train.launch import launched
from talkcli.engine.train.loop import train
from talkcli.engine.train.run_folder import RunFolder, open_run
from talkcli.engine.train.schedule import LoopConfig
from talkcli.engine.types import Silent
from tests.engine.fakes import Toy, fake_batches, small_disk

ROOT = Path(__file__).resolve().parents[3]
FILES = ("best.safetensors", "last.safetensors")


@pytest.fixture(scope="module")
def batches() -> Batches:
    return fake_batches()


def run_toy(toy: Toy, batches: Batches, path: Path, **how: Any) -> tuple[RunFolder, dict[str, float]]:
    """Thirty steps in `path`, from where it stands."""
    pace = {"learning_rate": 1e-2, "warmup_steps": 3, "validate_every": 10, "save_every": 10, "log_every": 1}
    length = {} if "epochs" in how else {"steps": 30}
    config = LoopConfig(**{**length, **pace, **how})
    run = open_run(path, {}, resume=(path / "run.json").exists(), overwrite=False)
    with launched("cpu") as fabric:
        best = train(
            toy,
            batches,
            config,
            run,
            fabric=fabric,
            export=lambda target: torch.save(toy.model.state_dict(), target),
            reporter=Silent(),
            seed=0,
        )
    return run, best


def _weights(path: Path, name: str = "last.safetensors") -> dict[str, torch.Tensor]:
    return torch.load(path / name, weights_only=True)


def _furthest(left: Path, right: Path) -> float:
    """Largest difference of any weight at the end of two runs."""
    others = _weights(right)
    return max(
        float((value - others[name]).abs().max()) for name, value in _weights(left).items() if value.ndim
    )


@pytest.mark.parametrize(
    "how",
    [{}, {"average_decay": 0.9}, {"precision": "bf16", "accumulate": 2}, {"optimiser": "adam", "epochs": 30}],
    ids=str,
)
def test_goes_on_where_it_stopped(batches: Batches, tmp_path: Path, how: dict[str, Any]) -> None:
    run_toy(Toy(dropout=0.2), batches, tmp_path / "whole", **how)
    parts = how.get("accumulate", 1)
    with pytest.raises(TalkError, match="step 25"):
        # Two trial steps come before.
        run_toy(Toy(dropout=0.2, fail_at=(2 + 25) * parts), batches, tmp_path / "parts", **how)
    run_toy(Toy(dropout=0.2), batches, tmp_path / "parts", **how)
    for name in FILES:
        whole, parts_ = (_weights(tmp_path / kind, name) for kind in ("whole", "parts"))
        assert all(torch.equal(value, parts_[key]) for key, value in whole.items())
    # The trial steps count for nothing.
    assert whole["count"] == 30 * parts


def test_learns_and_keeps_the_best(batches: Batches, tmp_path: Path) -> None:
    run, best = run_toy(Toy(), batches, tmp_path)
    records = [json.loads(line) for line in run.log.read_text().splitlines()]
    scores = {record["step"]: record["validation"]["score"] for record in records if "validation" in record}
    assert set(scores) == {10, 20, 30}
    assert best["score"] == min(scores.values()) == scores[int(best["step"])]
    assert scores[30] < scores[10]


def test_curves_for_tensorboard(batches: Batches, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with pytest.raises(TalkError):
        run_toy(Toy(fail_at=2 + 25), batches, tmp_path)
    run, best = run_toy(Toy(), batches, tmp_path)
    events = accumulator.EventAccumulator(str(run.tensorboard)).Reload()
    assert [event.step for event in events.Scalars("train/loss")] == list(range(1, 31))
    assert events.Scalars("validation/score")[-1].value == pytest.approx(best["score"])
    assert events.Scalars("train/rate")[0].value == pytest.approx(1e-2 / 3)


def test_stops_when_the_loss_is_not_a_number(batches: Batches, tmp_path: Path) -> None:
    with pytest.raises(
        TalkError, match=r"loss is nan .* at step 23; .*state.pt is from an earlier step"
    ) as caught:
        run_toy(Toy(fail_at=2 + 23), batches, tmp_path)
    assert "learning_rate" in str(caught.value.hint)
    state = RunFolder(tmp_path).read_state()
    assert state is not None
    assert state.step == 20
    assert all(value.isfinite().all() for value in state.model.values())


def test_a_finished_run_stays_as_it_is(batches: Batches, tmp_path: Path) -> None:
    run, best = run_toy(Toy(), batches, tmp_path)
    before = run.log.read_text()
    toy = Toy()
    assert run_toy(toy, batches, tmp_path)[1] == best
    assert toy.calls == 0
    assert run.log.read_text() == before


def test_a_finished_run_is_extended(batches: Batches, tmp_path: Path) -> None:
    # At a constant rate, so that the length of training does not matter.
    how = {"schedule": "constant", "validate_every": 10}
    run_toy(Toy(dropout=0.2), batches, tmp_path / "whole", steps=40, **how)
    run_toy(Toy(dropout=0.2), batches, tmp_path / "parts", steps=20, **how)
    run_toy(Toy(dropout=0.2), batches, tmp_path / "parts", steps=40, **how)
    for name in (*FILES, "state.pt"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
    with pytest.raises(UsageError, match=r"has done 40 steps, but is asked for only 30") as caught:
        run_toy(Toy(dropout=0.2), batches, tmp_path / "parts", **how)
    assert "`set=train.steps=40`" in str(caught.value.hint)


def test_the_best_of_before_must_be_there(batches: Batches, tmp_path: Path) -> None:
    run, _ = run_toy(Toy(), batches, tmp_path, steps=10)
    run.best.unlink()
    with pytest.raises(InputError, match=r"best\.safetensors, which the run wrote at step 10, is missing"):
        run_toy(Toy(), batches, tmp_path, steps=10)


def test_equal_runs_have_equal_bytes(batches: Batches, tmp_path: Path) -> None:
    how = {"average_decay": 0.9}
    for name in ("one", "two"):
        run_toy(Toy(dropout=0.2), batches, tmp_path / name, steps=20, **how)
    with pytest.raises(TalkError, match="step 15"):
        run_toy(Toy(dropout=0.2, fail_at=2 + 15), batches, tmp_path / "parts", steps=20, **how)
    run_toy(Toy(dropout=0.2), batches, tmp_path / "parts", steps=20, **how)
    whole = _contents(tmp_path / "one")
    assert _contents(tmp_path / "two") == whole
    assert _contents(tmp_path / "parts") == whole


def _contents(run: Path) -> dict[str, Any]:
    """The bytes of every file but the curves; of the log all but how long a step took."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    records = [json.loads(line) for line in found.pop("log.jsonl").splitlines()]
    return {**found, "log": [{key: value for key, value in each.items() if key != "s"} for each in records]}


@pytest.mark.parametrize(("room", "file"), [(600, r"log\.jsonl"), (10_000, r"state\.pt")])
def test_a_full_disk_ends_training_with_a_sentence(
    room: int, file: str, batches: Batches, tmp_path: Path
) -> None:
    """Everything stays as good as it was, and goes on when there is room again."""
    how = {"steps": 20, "save_every": 7}
    run_toy(Toy(), batches, tmp_path / "whole", **how)
    with small_disk(room), pytest.raises(InputError, match=f"{file} cannot be written"):
        run_toy(Toy(), batches, tmp_path / "parts", **how)
    run_toy(Toy(), batches, tmp_path / "parts", **how)
    assert _contents(tmp_path / "parts") == _contents(tmp_path / "whole")
    assert not list((tmp_path / "parts").glob(".talk-*"))


def test_frozen_weights_are_not_stored_but_checked(batches: Batches, tmp_path: Path) -> None:
    run, _ = run_toy(Toy(), batches, tmp_path, steps=10)
    state = run.read_state()
    assert state is not None
    names = set(Toy().model.state_dict())
    assert set(state.model) == {name for name in names if not name.startswith("frozen.")} < names
    other = Toy()
    torch.nn.init.zeros_(other.model.frozen.bias)
    with pytest.raises(InputError, match="frozen weights of the model are not those"):
        run_toy(other, batches, tmp_path, steps=10)


def test_the_state_of_another_model_is_refused(batches: Batches, tmp_path: Path) -> None:
    run_toy(Toy(), batches, tmp_path, steps=10)
    other = Toy()
    other.model.unused = torch.nn.Linear(4, 4)
    with pytest.raises(InputError, match="belongs to another model"):
        run_toy(other, batches, tmp_path, steps=10)


def test_parts_of_a_batch_make_the_same_step(batches: Batches, tmp_path: Path) -> None:
    for parts in (1, 2, 4):
        run_toy(Toy(), batches, tmp_path / str(parts), accumulate=parts)
    assert _furthest(tmp_path / "1", tmp_path / "2") < 1e-6
    assert _furthest(tmp_path / "1", tmp_path / "4") < 1e-6
    assert torch.equal(_weights(tmp_path / "4")["count"], torch.tensor(120))


def test_a_batch_that_does_not_divide_is_refused(batches: Batches, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="batch of 4 windows does not divide by 1 process times 3 parts"):
        run_toy(Toy(), batches, tmp_path, accumulate=3)


def test_bf16_is_near_but_not_the_same(batches: Batches, tmp_path: Path) -> None:
    _, whole = run_toy(Toy(), batches, tmp_path / "fp32")
    _, half = run_toy(Toy(), batches, tmp_path / "bf16", precision="bf16")
    assert half["score"] == pytest.approx(whole["score"], rel=0.05)
    weights = _weights(tmp_path / "bf16")
    assert 0 < _furthest(tmp_path / "fp32", tmp_path / "bf16") < 0.1
    assert all(value.dtype == torch.float32 for value in weights.values() if value.ndim)


@pytest.mark.parametrize(("has_it", "same"), [(True, "bf16"), (False, "fp32")])
def test_native_precision_is_bf16_where_the_processor_has_it(
    batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_it: bool, same: str
) -> None:
    monkeypatch.setattr(backward, "has_bf16", lambda _: has_it)
    for precision in ("native", same):
        run_toy(Toy(), batches, tmp_path / precision, precision=precision)
    assert _furthest(tmp_path / "native", tmp_path / same) == 0


def test_choices_of_the_optimiser_matter(batches: Batches, tmp_path: Path) -> None:
    run_toy(Toy(), batches, tmp_path / "plain")
    for how in (
        {"optimiser": "adam"},
        {"betas": (0.8, 0.99)},
        {"schedule": "constant"},
        {"clip_norm": 0.05},
        {"weight_decay": 0.5},
        {"epsilon": 1.0},
        {"warmup_from_zero": True},
        {"moves_every": "epoch", "epochs": 5.5},
    ):
        run_toy(Toy(), batches, tmp_path / str(how), **how)
        assert _furthest(tmp_path / "plain", tmp_path / str(how)) > 1e-5, how
    run_toy(Toy(), batches, tmp_path / "wide", clip_norm=1e9)
    run_toy(Toy(), batches, tmp_path / "off", clip_norm=None)
    assert _furthest(tmp_path / "wide", tmp_path / "off") == 0


def test_epochs_are_counted_in_windows(batches: Batches, tmp_path: Path) -> None:
    # 4 clips, 4 windows a step: one step.
    run, _ = run_toy(Toy(), batches, tmp_path, epochs=3)
    assert json.loads(run.log.read_text().splitlines()[-1])["step"] == 3


_WORKER = """
import sys
from pathlib import Path
from tests.engine.fakes import Toy, fake_batches
from tests.engine.train.test_loop import run_toy
run_toy(Toy(dropout=0.2), fake_batches(), Path(sys.argv[1]), steps=3000, save_every=2, schedule="constant")
"""


def test_killed_and_resumed_is_the_run_never_stopped(batches: Batches, tmp_path: Path) -> None:
    # At a constant rate, so that the length of training does not matter.
    how = {"save_every": 2, "schedule": "constant"}
    killed = subprocess.Popen([sys.executable, "-c", _WORKER, str(tmp_path / "parts")], cwd=ROOT)
    state = tmp_path / "parts" / "state.pt"
    while not state.is_file():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    stopped = torch.load(state, weights_only=True)["step"]
    assert stopped < 3000

    steps = stopped + 20
    run_toy(Toy(dropout=0.2), batches, tmp_path / "whole", steps=steps, **how)
    run_toy(Toy(dropout=0.2), batches, tmp_path / "parts", steps=steps, **how)
    for name in FILES:
        assert all(
            torch.equal(value, _weights(tmp_path / "parts", name)[key])
            for key, value in _weights(tmp_path / "whole", name).items()
        )
