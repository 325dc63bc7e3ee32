"""The ready-made parts a training run is given: model files, published weights, or the word random.

A run remembers them, so that it goes on without being told again, and refuses to if one has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.checkpoints.foreign import weights_file
from talkcli.engine.checkpoints.model_file import model_file
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import real_path, sha256
from talkcli.engine.methods import METHODS, PARTS, training_command
from talkcli.engine.train.run_folder import read_document
from talkcli.engine.types import Reporter

# In place of a path: weights drawn by the seed. What is trained on them is a trial of the wiring, no model.
RANDOM = "random"


@dataclass(frozen=True)
class _Used:
    """One part in use; `path` None stands for random weights."""

    path: Path | None

    @property
    def digest(self) -> str:
        return RANDOM if self.path is None else sha256(self.path)


class GivenParts:
    """The parts of one run by their names in `PARTS`."""

    def __init__(self, method: str, given: Mapping[str, str | None], run: Path, *, resume: bool) -> None:
        """Take what was `given` to train `method`; with `resume`, what is missing from the run folder `run`.

        Raises UsageError for a part that the method does not build on.
        """
        for name, value in given.items():
            if value is not None and name not in METHODS[method].parts:
                known = ", ".join(f"`{part}`" for part in METHODS[method].parts)
                raise UsageError(
                    f"`{name}` is no part of {method}.",
                    hint=f"Its parts: {known}." if known else "It builds on none.",
                )
        remembered = read_document(run).get("input_paths", {}) if resume else {}
        self._given = {name: given.get(name) or remembered.get(name) for name in METHODS[method].parts}
        self._told = {name for name, value in given.items() if value is not None}
        self._used: dict[str, _Used] = {}
        self._models: list[Path] = []

    def told(self, name: str) -> bool:
        """Return whether the part was given now, not remembered."""
        return name in self._told

    def is_random(self, name: str) -> bool:
        """Return whether random weights stand in for the part."""
        return self._given[name] == RANDOM

    def trained(self, name: str) -> Path:
        """Find the model file of a part that talk trains, given as file or run folder.

        Raises UsageError when it was not given, InputError when there is no such file.
        """
        value, part = self._given[name], PARTS[name]
        assert part.made_by is not None
        if value is None:
            command = training_command(part.made_by)
            raise UsageError(
                f"`{name}` is missing: this builds on {part.what}.",
                hint=f"Train one with talk {command}, then give its run folder to `{name}`.",
            )
        path = model_file(Path(value))
        if not path.is_file():
            raise InputError(f"`{name}` {value}: there is no model file {path}.")
        self._used[name] = _Used(path)
        self._models.append(path)
        return path

    def models(self) -> list[Path]:
        """List the model files among the parts in use."""
        return self._models

    def published(self, name: str, reporter: Reporter) -> Path | None:
        """Find the file of published weights; None, with a warning, where random ones were asked for.

        Raises UsageError when the part was not given.
        """
        value, what = self._given[name], PARTS[name].published
        if value is None:
            raise UsageError(
                f"`{name}` is missing: the recipe builds on {what}.",
                hint=f"Give `{name}` the file; a recipe that ends in -small needs none; "
                f"`{name}={RANDOM}` tries things out without.",
            )
        if value == RANDOM:
            reporter.warn(f"`{name}={RANDOM}`: {what} is a stand-in here; the result is no model to use.")
        path = None if value == RANDOM else weights_file(Path(value))
        self._used[name] = _Used(path)
        return path

    def digests(self) -> dict[str, str]:
        """Hash what the parts in use hold: a run goes on only with the same."""
        return {name: part.digest for name, part in self._used.items()}

    def paths(self) -> dict[str, str]:
        """Tell where the parts in use lie, for the run to remember."""
        return {
            name: RANDOM if part.path is None else str(real_path(part.path))
            for name, part in self._used.items()
        }
