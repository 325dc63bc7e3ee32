"""The ready-made parts that a training run is given: model files, published weights, or the word random.

A run stores their paths and hashes. It can therefore resume without being given them again, and it refuses to
resume if one of them has changed.
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

# Value of a part in place of a path: random weights, drawn from the seed. A training on them only tests that
# everything runs; its result is no usable model.
RANDOM = "random"


@dataclass(frozen=True)
class _Used:
    """One part in use."""

    path: Path | None
    """File of the part; None for random weights."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the file; `random` for random weights."""
        return RANDOM if self.path is None else sha256(self.path)


class GivenParts:
    """The parts of one run, by their names in `PARTS`."""

    def __init__(self, method: str, given: Mapping[str, str | None], run: Path, *, resume: bool) -> None:
        """Take the parts of one run.

        Args:
            method: Name of the method to train.
            given: Value of each part: run folder, file or `random`; None for a part that was not given.
            run: Run folder.
            resume: Whether to take parts that were not given from `run`.

        Raises:
            UsageError: For a part that the method does not build on.
            InputError: When `resume` is set and the settings in `run` are missing or damaged.
        """
        for name, value in given.items():
            if value is not None and name not in METHODS[method].parts:
                known = ", ".join(f"`{part}`" for part in METHODS[method].parts)
                raise UsageError(
                    f"`{name}` is no part of {method}.",
                    hint=f"Its parts: {known}." if known else "It builds on none.",
                )
        self._method = method
        remembered = read_document(run).get("input_paths", {}) if resume else {}
        self._given = {name: given.get(name) or remembered.get(name) for name in METHODS[method].parts}
        self._told = {name for name, value in given.items() if value is not None}
        self._used: dict[str, _Used] = {}
        self._models: list[Path] = []

    def told(self, name: str) -> bool:
        """Return whether the part was given now, and not taken from the run folder."""
        return name in self._told

    def is_random(self, name: str) -> bool:
        """Return whether random weights stand in for the part."""
        return self._given[name] == RANDOM

    def trained(self, name: str) -> Path:
        """Return the model file of a part that talk trains; the part is given as file or run folder.

        Raises UsageError when it was not given, InputError when there is no such file.
        """
        value, part = self._given[name], PARTS[name]
        maker = part.maker(self._method)
        assert maker is not None
        if value is None:
            command = training_command(maker)
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

    def lacks(self, name: str) -> bool:
        """Return whether the part was not given."""
        return self._given[name] is None

    def judge(self, name: str, default: Path | None) -> Path:
        """Return the model file of a part that looks at a training and is not in its model; `default` if the
        part was not given.

        Raises what `trained` raises.
        """
        if default is not None and self.lacks(name):
            self._given[name] = str(default)
        path = self.trained(name)
        self._models.remove(path)
        return path

    def models(self) -> list[Path]:
        """Return the model files among the parts in use, which the trained model contains."""
        return self._models

    def published(self, name: str, reporter: Reporter) -> Path | None:
        """Return the file of published weights; warn and return None if the part is given as `random`.

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
        """Return the hash of each part in use; a run resumes only with equal hashes."""
        return {name: part.digest for name, part in self._used.items()}

    def paths(self) -> dict[str, str]:
        """Return the path of each part in use, which the run folder stores."""
        return {
            name: RANDOM if part.path is None else str(real_path(part.path))
            for name, part in self._used.items()
        }
