"""The folder of one training run: what was asked, what happened, and the state to go on from.

`run.json` (resolved recipe, manifest and its hash, hashes of the model files built upon, seed, versions),
`log.jsonl` (one line a logged step), `tensorboard/` (the same as curves), `state.pt` (what training changes,
tensors and plain values only), `best.safetensors` and `last.safetensors`.
"""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from talkcli.engine.assets import PACKAGE_DIR
from talkcli.engine.checkpoints.model_file import BEST
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import atomic_path, sweep

_OWN_FILES = {"run.json", "log.jsonl", "state.pt", BEST, "last.safetensors"}
_CURVES = "tensorboard"
# How TensorBoard names its files.
_CURVE_PREFIX = "events.out.tfevents."
# What may differ between the parts of one run.
_FREE_KEYS = ("revision", "torch", "manifest", "input_paths")


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run, and reading and writing of its state."""

    path: Path

    @property
    def best(self) -> Path:
        return self.path / BEST

    @property
    def last(self) -> Path:
        return self.path / "last.safetensors"

    @property
    def state(self) -> Path:
        return self.path / "state.pt"

    @property
    def tensorboard(self) -> Path:
        return self.path / _CURVES

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    def write_state(self, state: dict[str, Any]) -> None:
        """Raises InputError where it cannot be written; the state from before is then still there."""
        try:
            with atomic_path(self.state) as temporary:
                torch.save(state, temporary)
        except RuntimeError as error:
            # What torch says of a full disk, in words of its own.
            raise InputError(
                f"{self.state} cannot be written; the disk may be full ({str(error).splitlines()[0]}).",
                hint="Make room there, then go on with --resume.",
            ) from error

    def read_state(self) -> dict[str, Any] | None:
        """The stored state, None when the run was stopped before its first checkpoint."""
        if not self.state.is_file():
            return None
        try:
            return torch.load(self.state, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
            raise InputError(
                f"{self.state} is not a readable training state ({error}).",
                hint="Start again with --overwrite.",
            ) from error

    def append_log(self, record: dict[str, Any]) -> None:
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def cut_log(self, step: int) -> None:
        """Forget what was logged after `step`: the run goes on from there."""
        if not self.log.is_file():
            return
        kept = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                # A line that a kill cut short is behind every checkpoint.
                break
            if record["step"] <= step:
                kept.append(line + "\n")
        with atomic_path(self.log) as temporary:
            temporary.write_text("".join(kept), encoding="utf-8")


def open_run(path: Path, document: dict[str, Any], *, resume: bool, overwrite: bool) -> RunFolder:
    """The run folder for `document` (what was asked, as JSON).

    Its `inputs` are SHA-256 hashes, by option, of the files the run builds on; `input_paths` and `manifest`
    say where things lay and may change. A new folder is made. An existing run is continued with `resume` if
    it was asked for the same, and replaced with `overwrite`; else UsageError. A folder that holds anything
    but a run is never replaced.
    """
    run_file = path / "run.json"
    document = {**document, "revision": git_revision(), "torch": torch.__version__}
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; --out wants a folder.")
    sweep(path)
    if path.is_dir() and any(path.iterdir()):
        if not run_file.is_file():
            raise UsageError(f"{path} is not empty and not a training run.", hint="Give --out a new folder.")
        if overwrite:
            _remove_run(path)
        elif not resume:
            raise UsageError(
                f"{path} holds a training run already.",
                hint="Go on with --resume, replace it with --overwrite, or give --out a new folder.",
            )
        else:
            _check_same(run_file, document)
            return RunFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    with atomic_path(run_file) as temporary:
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return RunFolder(path)


def _remove_run(path: Path) -> None:
    """Empty a run folder; one that also holds what no run wrote is left alone."""
    foreign = sorted(
        str(item.relative_to(path))
        for item in [*path.iterdir(), *(path / _CURVES).glob("*")]
        if not (
            item.name in {*_OWN_FILES, _CURVES}
            or (item.parent.name == _CURVES and item.name.startswith(_CURVE_PREFIX))
        )
    )
    if foreign:
        raise UsageError(
            f"{path} holds more than a training run: {', '.join(foreign[:5])}.",
            hint="Move these elsewhere, or give --out a new folder.",
        )
    shutil.rmtree(path)


def git_revision() -> str | None:
    """The commit of the source tree this package runs from; None where it is installed or git is absent."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(
        [git, "-C", str(PACKAGE_DIR), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def _check_same(run_file: Path, document: dict[str, Any]) -> None:
    try:
        before = json.loads(run_file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(
            f"{run_file} is not readable ({error}).", hint="Start again with --overwrite."
        ) from error
    old, new = _flat(before), _flat(json.loads(json.dumps(document)))
    changed = sorted(
        key
        for key in old.keys() | new.keys()
        if key.split(".")[0] not in _FREE_KEYS and old.get(key) != new.get(key)
    )
    files = [key.removeprefix("inputs.") for key in changed if key.startswith("inputs.")]
    if files:
        raise UsageError(
            f"{run_file.parent} was started with other files than those of {', '.join(files)} now.",
            hint="Give the files it was started with, or replace the run with --overwrite.",
        )
    if changed:
        shown = ", ".join(f"{key}: {old.get(key)} -> {new.get(key)}" for key in changed[:5])
        raise UsageError(
            f"{run_file.parent} was started with other settings ({shown}).",
            hint="Use the same settings to go on, or replace the run with --overwrite.",
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
