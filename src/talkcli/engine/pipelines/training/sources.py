"""Where the ready-made parts of a training run come from: model files, published weights, or the word random.

A run remembers them, so that it goes on without being told again, and refuses to if one has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.checkpoints.foreign import weights_file
from talkcli.engine.checkpoints.model_file import model_file
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import sha256
from talkcli.engine.train.run_folder import read_document
from talkcli.engine.types import Reporter

# In place of a path: weights drawn by the seed. What is trained on them is a trial of the wiring, no model.
RANDOM = "random"


@dataclass(frozen=True)
class Source:
    """One part: the option that names it and what was given; `path` None stands for random weights."""

    option: str
    path: Path | None

    @property
    def digest(self) -> str:
        return RANDOM if self.path is None else sha256(self.path)


class Sources:
    """The parts of one run, by option."""

    def __init__(self, given: dict[str, str | None], run: Path, *, resume: bool) -> None:
        """`given` as on the command line; with `resume`, what is missing comes from the run folder `run`."""
        remembered = read_document(run).get("input_paths", {}) if resume else {}
        self._given = {option: value or remembered.get(option) for option, value in given.items()}
        self._used: dict[str, Source] = {}
        self._models: list[Path] = []

    def is_random(self, option: str) -> bool:
        return self._given[option] == RANDOM

    def ours(self, option: str, *, what: str, command: str) -> Path:
        """A model file or run folder of `command`. Raises UsageError when it is missing."""
        value = self._given[option]
        if value is None:
            raise UsageError(
                f"{option} is missing: this builds on {what}.",
                hint=f"Train one with talk {command}, then give its run folder to {option}.",
            )
        path = model_file(Path(value))
        if not path.is_file():
            raise InputError(f"{option} {value}: there is no model file {path}.")
        self._used[option] = Source(option, path)
        self._models.append(path)
        return path

    def models(self) -> list[Path]:
        """The model files among the parts used."""
        return self._models

    def published(self, option: str, *, what: str, reporter: Reporter) -> Path | None:
        """A file of published weights; None when random ones are asked for. Raises UsageError if missing."""
        value = self._given[option]
        if value is None:
            raise UsageError(
                f"{option} is missing: the recipe builds on {what}.",
                hint=f"Give {option} the file; a recipe that ends in -small needs none; "
                f"`{option} {RANDOM}` tries things out without.",
            )
        if value == RANDOM:
            reporter.warn(f"{option} {RANDOM}: {what} is a stand-in here; the result is no model to use.")
        path = None if value == RANDOM else weights_file(Path(value))
        self._used[option] = Source(option, path)
        return path

    def digests(self) -> dict[str, str]:
        """What the parts used hold, as hashes: a run goes on only with the same."""
        return {option: source.digest for option, source in self._used.items()}

    def paths(self) -> dict[str, str]:
        """Where the parts used lie, for the run to remember."""
        return {
            option: RANDOM if source.path is None else str(source.path.resolve())
            for option, source in self._used.items()
        }
