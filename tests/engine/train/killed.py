"""Trainings that are killed at any moment and gone on with; for tests here and for the harness of kills."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from talkcli.config import load_recipe
from talkcli.engine import lifetime
from talkcli.engine.pipelines.training.recipes import recipe_schema
from talkcli.engine.pipelines.training.train import Job, train_method
from talkcli.engine.train.run_folder import CURVE_PREFIX
from talkcli.engine.types import Silent

# So that a state is written at many moments, and validations come between two of them.
_PACE = ["train.log_every=1", "train.validate_every=3", "train.save_every=2"]


def training(command: str, manifest: Path, out: Path, *, steps: int, parts: Path) -> Callable[[], object]:
    """What `talk COMMAND` does with its debug recipe: begins `out`, or goes on with what is there.

    `train-gen` builds on `parts / "train-dee"` and `parts / "train-vq"`.
    """

    def work() -> object:
        resume = (out / "run.json").exists()
        job = Job(manifest=manifest, out=out, device="cpu", resume=resume)
        settings = [*_PACE, f"train.steps={steps}"]
        method, name = {
            "train-fer": ("fer", "fer.debug"),
            "train-dee": ("dee", "dee.debug"),
            "train-phones": ("phones", "phones.debug"),
            "train-vq": ("th_vqvae", "th_vqvae.debug"),
            "train-gen": ("deeptalk", "deeptalk.debug"),
        }[command]
        given, stage = {}, None
        if command == "train-gen":
            given, stage = {"dee": str(parts / "train-dee"), "prior": str(parts / "train-vq")}, 1
        recipe = load_recipe(recipe_schema(method), name, settings, stage=stage)
        return train_method(method, recipe, job, Silent(), parts=given)

    return work


def killed(work: Callable[[], object], number: int, after_s: float) -> bool:
    """Let a process of its own do `work`, send it signal `number`; whether that was before its end."""
    process = multiprocessing.get_context("fork").Process(target=_do, args=(work,))
    process.start()
    time.sleep(after_s)
    in_time = process.is_alive()
    if in_time and process.pid is not None:
        os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode is not None
    return in_time


def _do(work: Callable[[], object]) -> None:
    """As the command line does it: signals that ask for the end are taken as Ctrl-C."""
    lifetime.watch(lambda code: None)
    # As the process that a shell starts: nothing is in use yet.
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)
    try:
        with lifetime.interruptible():
            work()
    except KeyboardInterrupt:
        os._exit(130)
    os._exit(0)


def contents(run: Path) -> dict[str, Any]:
    """What equal runs have in common: the bytes of every file, of the log all but the time a step took.

    Curves hold the time of every point, and begin a new file whenever a run goes on.
    """
    found: dict[str, Any] = {
        str(path.relative_to(run)): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file() and path.name != ".lock" and not path.name.startswith(CURVE_PREFIX)
    }
    records = [json.loads(line) for line in found.pop("log.jsonl").splitlines()]
    return {**found, "log": [{key: value for key, value in each.items() if key != "s"} for each in records]}
