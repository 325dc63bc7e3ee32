"""What a published checkpoint turns out to be: the record and the choices of every method's converter.

A method with published checkpoints has a file beside this one, with two functions, named by its row of
`METHODS`: `layouts(method, config, num_values)` returns the layout of each of its files by file name, and
`recognise(files, choices)` returns a `Published`. `talk convert METHOD` then works in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from torch import Tensor

from talkcli.engine.checkpoints.fit import check
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import UsageError
from talkcli.engine.types import Config
from talkcli.engine.wording import parameter


@dataclass(frozen=True, kw_only=True)
class OfficialFile:
    """Tensors of a given file by official name, with its path for messages."""

    path: Path
    tensors: Mapping[str, Tensor]

    def size(self, name: str, axis: int) -> int:
        """Return the length of an axis of the tensor `name`.

        Raises InputError when the file has no such tensor, or one with fewer axes.
        """
        value = self.tensors.get(name)
        problem = f"{self.path} does not hold the official tensors"
        check(problem, [f"missing {name}"] if value is None else [])
        assert value is not None
        check(problem, [f"{name} is {tuple(value.shape)}"] if value.ndim <= axis else [])
        return value.shape[axis]

    def count(self, pattern: str) -> int:
        """Return the number of layers: the first number n for which no tensor begins with the pattern's
        "{}" replaced by n.
        """
        number = 0
        while any(name.startswith(pattern.format(number)) for name in self.tensors):
            number += 1
        return number


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user says of a checkpoint beyond its tensors; None for what was not said."""

    dataset: str | None = None
    """Data set on which it was trained: vocaset or biwi."""
    template: str | None = None
    """Face at rest for a model whose checkpoint does not hold it: a file, as `read_template` takes it."""

    def only(self, method: str, *allowed: str) -> None:
        """Raise UsageError for a choice that `method` does not have."""
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None and each.name not in allowed:
                raise UsageError(
                    f"{parameter(each.name, value)} is no choice of {method}.", hint="Leave it out."
                )


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published model: its config, its motion, and what its files do not hold."""

    names: Sequence[str]
    """Name in `layouts` of each given file, in their order."""
    config: Config
    """Config of the model in talk."""
    meta: Meta
    """Description of the weights; the converter adds the hashes of the files to `trained_on`."""
    lacks_rest: bool = False
    """Whether the model has a face at rest, which no file holds."""
    zeros: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Buffers of the model that no file holds, and their shapes; they are zero."""
    loose: bool = False
    """Whether the published code loads the files without comparing names: tensors that nobody reads may then
    be missing, and unknown ones are left out."""
