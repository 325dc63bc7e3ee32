"""What test_processes.py lets torchrun start: the same trainings as one process does, and one that fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from talkcli.engine.errors import TalkError, UsageError
from talkcli.engine.train.launch import first_does, launched
from talkcli.engine.train.loop import train
from talkcli.engine.train.run_folder import RunFolder, open_run
from talkcli.engine.train.schedule import LoopConfig
from talkcli.engine.types import Silent
from tests.engine.fakes import Toy, fake_batches

if TYPE_CHECKING:
    from lightning_fabric import Fabric

# Name -> the toy and the settings of the loop.
TRAININGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "regression": ({}, {}),
    "contrast": ({"contrast": True}, {"average_decay": 0.9}),
    "parts": ({}, {"accumulate": 2, "optimiser": "adam"}),
    "bf16": ({"contrast": True}, {"precision": "bf16"}),
    "draws": ({"dropout": 0.2}, {}),
}


def run_toy(
    fabric: Fabric, toy: Toy, path: Path, *, size: int = 4, **how: Any
) -> tuple[RunFolder, dict[str, float]]:
    """Thirty steps in `path`, from where it stands."""
    pace = {"learning_rate": 1e-2, "warmup_steps": 3, "validate_every": 10, "save_every": 10, "log_every": 1}
    run = first_does(fabric, lambda: open_run(path, {}, resume=(path / "run.json").exists(), overwrite=False))
    best = train(
        toy,
        fake_batches(size=size),
        LoopConfig(**{"steps": 30, **pace, **how}),
        run,
        fabric=fabric,
        export=lambda target: torch.save(toy.model.state_dict(), target),
        reporter=Silent(),
        seed=0,
    )
    return run, best


def main(folder: Path) -> None:
    with launched("cpu") as fabric:
        rank = fabric.global_rank
        for name, (toy, how) in TRAININGS.items():
            _, best = run_toy(fabric, Toy(**toy), folder / name, **how)
            (folder / f"{name}.{rank}.txt").write_text(f"{best}")
        try:
            # Two trial steps come before; only the second process sees it.
            run_toy(fabric, Toy(dropout=0.2, fail_at=2 + 25 if rank else None), folder / "resumed")
        except TalkError as error:
            (folder / f"failed.{rank}.txt").write_text(f"{type(error).__name__} {error}")
        run_toy(fabric, Toy(dropout=0.2), folder / "resumed")
        try:
            run_toy(fabric, Toy(), folder / "odd", size=3)
        except UsageError as error:
            (folder / f"odd.{rank}.txt").write_text(str(error))
        try:
            # The first process alone looks, all stop.
            first_does(
                fabric, lambda: open_run(folder / "regression", {"a": 1}, resume=True, overwrite=False)
            )
        except UsageError as error:
            (folder / f"other.{rank}.txt").write_text(f"{error} {error.hint}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
