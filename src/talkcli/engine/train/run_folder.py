"""The folder of one training run: what was asked, what happened, and the state to go on from.

`run.json` (resolved recipe, manifest and its hash, hashes of the model files built upon, seed, versions),
`log.jsonl` (one line a logged step), `tensorboard/` (the same as curves), `state.pt` (what training changes,
tensors and plain values only), `best.safetensors` and `last.safetensors`; `.lock` keeps a second run out.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from talkcli.engine.assets import PACKAGE_DIR
from talkcli.engine.checkpoints.model_file import BEST
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import atomic_path, is_temporary, sweep
from talkcli.engine.out_folder import LOCK
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.regular import open_file
from talkcli.engine.train.scalars import CURVE_PREFIX
from talkcli.engine.train.state_file import State, read_state, write_state

_RUN_FILE = "run.json"
_OWN_FILES = {_RUN_FILE, "log.jsonl", "state.pt", BEST, "last.safetensors", LOCK}
# No run was asked more.
_LONGEST_BYTES = 1_000_000
_CURVES = "tensorboard"
# What may differ between the parts of one run: where things lie, and what made it.
_FREE_KEYS = ("revision", "torch", "manifest", "input_paths")
# Of its recipe: how long it is, and how often it is written down and looked at.
CHANGEABLE = ("train.steps", "train.epochs", "train.log_every", "train.validate_every", "train.save_every")


class _Document(BaseModel):
    """As much of `run.json` as is relied on."""

    model_config = ConfigDict(strict=True, extra="allow")

    recipe: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    input_paths: dict[str, str] = {}


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

    def write_state(self, state: State) -> None:
        """Raise InputError where it cannot be written; the state from before is then still there."""
        write_state(self.state, state)

    def read_state(self) -> State | None:
        """Return the stored state, None when the run was stopped before its first checkpoint.

        Raises InputError when it is damaged.
        """
        return read_state(self.state) if self.state.exists() else None

    def append_log(self, record: dict[str, Any]) -> None:
        """Raise InputError where it cannot be written; what was there stays."""
        try:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise InputError(
                f"{self.log} cannot be written ({error.strerror}).",
                hint="Make room there, then go on with `resume`.",
            ) from error

    def cut_log(self, step: int) -> None:
        """Forget what was logged after `step`: the run goes on from there.

        Raises InputError for a damaged line; but the last one may be one that a kill cut short.
        """
        if not self.log.is_file():
            return
        lines = self.log.read_bytes().splitlines(keepends=True)
        kept = []
        for number, line in enumerate(lines, 1):
            try:
                logged = _logged_step(line)
            except ValueError as error:
                if number == len(lines) and not line.endswith(b"\n"):
                    break
                raise InputError(
                    f"Line {number} of {self.log} is damaged ({str(error)[:200]}).",
                    hint="Nothing else is lost: move the log away, then go on with `resume`.",
                ) from error
            if logged <= step:
                kept.append(line)
        if len(kept) < len(lines):
            with atomic_path(self.log) as temporary:
                temporary.write_bytes(b"".join(kept))


def _logged_step(line: bytes) -> int:
    record = parse_json(line)
    if not isinstance(record, dict) or type(record.get("step")) is not int:
        raise ValueError("there is no step in it")
    return record["step"]


def check_out(path: Path, *, resume: bool, overwrite: bool) -> None:
    """Raise UsageError where no run can be made, continued with `resume` or replaced with `overwrite`."""
    if resume and overwrite:
        raise UsageError("`resume` goes on with a run, `overwrite` replaces it.", hint="Give one of them.")
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; `out` wants a folder.")
    found = {item.name for item in path.iterdir() if not is_temporary(item.name)} if path.is_dir() else set()
    if _RUN_FILE in found:
        if not (resume or overwrite):
            raise UsageError(
                f"{path} holds a training run already.",
                hint="Go on with `resume`, replace it with `overwrite`, or give `out` a new folder.",
            )
        if overwrite:
            _check_nothing_else(path)
    elif found - {LOCK}:
        raise UsageError(f"{path} is not empty and not a training run.", hint="Give `out` a new folder.")
    elif resume:
        raise UsageError(
            f"There is no training run in {path} to go on with.",
            hint="Check `out`, or leave out `resume` to start one.",
        )


def open_run(path: Path, document: dict[str, Any], *, resume: bool, overwrite: bool) -> RunFolder:
    """Return the run folder for `document` (what was asked, as JSON), for whoever has claimed it.

    Its `inputs` are SHA-256 hashes, by part, of the files the run builds on; `input_paths` and `manifest`
    say where things lie and may change, and so may what `CHANGEABLE` names. A new folder is made. An existing
    run is continued with `resume` if it was asked for the same, and replaced with `overwrite`; else
    UsageError. A folder that holds anything but a run is never replaced. Raises InputError where `run.json`
    is damaged.
    """
    document = {**document, "revision": git_revision(), "torch": torch.__version__}
    sweep(path)
    check_out(path, resume=resume, overwrite=overwrite)
    run_file = path / _RUN_FILE
    if overwrite and path.is_dir():
        _remove_run(path)
    before = None
    if resume:
        before = read_document(path)
        _check_same(path, before, document)
        _check_files(path)
        document = {**before, **{key: value for key, value in document.items() if key == "recipe"}}
    if document != before:
        path.mkdir(parents=True, exist_ok=True)
        with atomic_path(run_file) as temporary:
            temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return RunFolder(path)


def read_document(path: Path) -> dict[str, Any]:
    """Return what the run in `path` was asked. Raises InputError when its `run.json` is missing or
    damaged.
    """
    run_file = path / _RUN_FILE
    try:
        # The bytes of a pipe might never come.
        with open_file(run_file) as file:
            document = parse_json(file.read(_LONGEST_BYTES + 1), longest=_LONGEST_BYTES)
        _Document.model_validate(document)
        for key in ("inputs", "input_paths"):
            if key in document:
                document[key] = {_part(name): value for name, value in document[key].items()}
        return document
    except OSError as error:
        reason = error.strerror
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except ValueError as error:
        reason = str(error)[:200]
    raise InputError(
        f"{run_file} is damaged ({reason}), so that nothing says what this run was asked.",
        hint="Put an undamaged copy of it back, or start again with `overwrite`.",
    )


def _part(name: str) -> str:
    """Return the name of a part: runs of earlier versions wrote the option, --lip-reader for lip_reader."""
    return name.lstrip("-").replace("-", "_")


def _check_files(path: Path) -> None:
    for name in sorted(_OWN_FILES):
        if (path / name).exists() and not (path / name).is_file():
            raise InputError(
                f"{path / name} is a folder, a device or a pipe; a run keeps a file there.",
                hint="Remove it, then go on with `resume`.",
            )


def _check_nothing_else(path: Path) -> None:
    """Raise UsageError for a run folder that also holds what no run wrote."""
    foreign = sorted(
        str(item.relative_to(path))
        for item in [*path.iterdir(), *(path / _CURVES).glob("*")]
        if not (
            item.name in {*_OWN_FILES, _CURVES}
            or is_temporary(item.name)
            or (item.parent.name == _CURVES and item.name.startswith(CURVE_PREFIX))
        )
    )
    if foreign:
        raise UsageError(
            f"{path} holds more than a training run: {', '.join(foreign[:5])}.",
            hint="Move these elsewhere, or give `out` a new folder.",
        )


def _remove_run(path: Path) -> None:
    """Empty a run folder; what says that it is one goes last."""
    names = sorted({item.name for item in path.iterdir()} - {LOCK}, key=lambda name: name == _RUN_FILE)
    for name in names:
        if (path / name).is_dir() and not (path / name).is_symlink():
            shutil.rmtree(path / name)
        else:
            (path / name).unlink()


def git_revision() -> str | None:
    """Return the commit of the source tree this package runs from; None where it is installed or git is
    absent.
    """
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(
        [git, "-C", str(PACKAGE_DIR), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def _check_same(path: Path, before: dict[str, Any], document: dict[str, Any]) -> None:
    old, new = _flat(before), _flat(json.loads(json.dumps(document)))
    free = (*_FREE_KEYS, *(f"recipe.{key}" for key in CHANGEABLE))
    changed = sorted(
        key
        for key in old.keys() | new.keys()
        if not f"{key}.".startswith(tuple(f"{name}." for name in free)) and old.get(key) != new.get(key)
    )
    files = [key.removeprefix("inputs.") for key in changed if key.startswith("inputs.")]
    if files:
        named = ", ".join(f"`{name}`" for name in files)
        raise UsageError(
            f"{path} was started with other files than those of {named} now.",
            hint="Give the files it was started with, or replace the run with `overwrite`.",
        )
    if changed:
        shown = ", ".join(f"{key}: {old.get(key)} -> {new.get(key)}" for key in changed[:5])
        raise UsageError(
            f"{path} was started with other settings ({shown}).",
            hint="Use the same settings to go on, or replace the run with `overwrite`.",
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
