"""The folder of one training run: its settings, its log, its models and the state from which it resumes.

The folder holds `run.json` (resolved recipe, manifest and its hash, hashes of the model files that the run
builds on, seed, versions), `log.jsonl` (one line per logged step), `tensorboard/` (the log as curves),
`state.pt` (what training changes, as tensors and plain values), `best.safetensors` and `last.safetensors`.
`.lock` keeps a second process out.
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
# Largest size of `run.json` in bytes, far above that of any run; a larger file is refused as damaged.
_LONGEST_BYTES = 1_000_000
_CURVES = "tensorboard"
# Keys of `run.json` that may change when a run resumes: paths, and versions of the software.
_FREE_KEYS = ("revision", "torch", "manifest", "input_paths")
# Settings of the recipe that may change when a run resumes: its length, and the intervals of log, validation
# and state.
CHANGEABLE = ("train.steps", "train.epochs", "train.log_every", "train.validate_every", "train.save_every")


class _Document(BaseModel):
    """The part of `run.json` whose types the code relies on."""

    model_config = ConfigDict(strict=True, extra="allow")

    recipe: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    input_paths: dict[str, str] = {}


@dataclass(frozen=True)
class RunFolder:
    """Folder of a run: its paths, and functions that read and write its state and log."""

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
        """Write `state.pt`; raise InputError on failure, which leaves the previous state in place."""
        write_state(self.state, state)

    def read_state(self) -> State | None:
        """Return the stored state, or None when the run stopped before it wrote one.

        Raises InputError when the file is damaged.
        """
        return read_state(self.state) if self.state.exists() else None

    def append_log(self, record: dict[str, Any]) -> None:
        """Append `record` to the log as a line; raise InputError on failure, which keeps earlier lines."""
        try:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise InputError(
                f"{self.log} cannot be written ({error.strerror}).",
                hint="Make room there, then go on with `resume`.",
            ) from error

    def cut_log(self, step: int) -> None:
        """Remove the lines of steps after `step`, from which the run resumes.

        Raises InputError for a damaged line. It also removes an incomplete last line, which a killed process
        leaves behind.
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
        raise ValueError("it states no step")
    return record["step"]


def check_out(path: Path, *, resume: bool, overwrite: bool) -> None:
    """Raise UsageError when `path` does not allow a new run, or its continuation (`resume`) or replacement
    (`overwrite`).
    """
    if resume and overwrite:
        raise UsageError(
            "`resume` continues a run, but `overwrite` replaces it.", hint="Give only one of the two."
        )
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file, but `out` must be a folder.")
    found = {item.name for item in path.iterdir() if not is_temporary(item.name)} if path.is_dir() else set()
    if _RUN_FILE in found:
        if not (resume or overwrite):
            raise UsageError(
                f"{path} holds a training run already.",
                hint="Continue it with `resume`, replace it with `overwrite`, or give `out` a new folder.",
            )
        if overwrite:
            _check_nothing_else(path)
    elif found - {LOCK}:
        raise UsageError(
            f"{path} is not empty and holds no training run.",
            hint="Give `out` a new folder.",
        )
    elif resume:
        raise UsageError(
            f"There is no training run in {path} that `resume` could continue.",
            hint="Check `out`, or leave out `resume` to start a run.",
        )


def open_run(path: Path, document: dict[str, Any], *, resume: bool, overwrite: bool) -> RunFolder:
    """Create, continue or replace the run in `path` and return its folder; the caller must hold its lock.

    Args:
        path: Folder of the run.
        document: Settings of the run, as JSON values. Its `inputs` are SHA-256 hashes, by part, of the files
            that the run builds on. When a run resumes, `input_paths`, `manifest` and the settings in
            `CHANGEABLE` may differ from those of its start.
        resume: Continue an existing run, whose other settings must be equal.
        overwrite: Replace an existing run, if its folder holds nothing else.

    Raises:
        UsageError: When `path`, its run or `document` does not allow what is asked.
        InputError: When `run.json` is damaged, or one of the run's files is no regular file.
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
    """Return the settings of the run in `path`; raise InputError when `run.json` is missing or damaged."""
    run_file = path / _RUN_FILE
    try:
        # `open_file` refuses a pipe, from which a read might never return.
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
        f"{run_file} is damaged ({reason}), so the settings of this run are unknown.",
        hint="Restore an undamaged copy of the file, or start again with `overwrite`.",
    )


def _part(name: str) -> str:
    """Return a part's name; runs of earlier versions wrote the option instead (--lip-reader: lip_reader)."""
    return name.lstrip("-").replace("-", "_")


def _check_files(path: Path) -> None:
    for name in sorted(_OWN_FILES):
        if (path / name).exists() and not (path / name).is_file():
            raise InputError(
                f"{path / name} is a folder, a device or a pipe, but a run needs a file there.",
                hint="Remove it, then continue with `resume`.",
            )


def _check_nothing_else(path: Path) -> None:
    """Raise UsageError when the run folder also holds files that no run wrote."""
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
            hint="Move them elsewhere, or give `out` a new folder.",
        )


def _remove_run(path: Path) -> None:
    """Empty a run folder; remove `run.json`, which marks it as a run, last."""
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
            f"The run in {path} was started with other files than those that {named} names now.",
            hint="Give the files of its start, or replace the run with `overwrite`.",
        )
    if changed:
        shown = ", ".join(f"{key}: {old.get(key)} -> {new.get(key)}" for key in changed[:5])
        raise UsageError(
            f"The run in {path} was started with other settings ({shown}).",
            hint="Use the same settings to continue it, or replace the run with `overwrite`.",
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
