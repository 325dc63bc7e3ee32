"""The form of a method's row, and of a part that a training builds on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Part:
    """A ready-made part that a training run builds on."""

    what: str
    """The part in words, with its article: a trained motion prior."""
    made_by: str | None = None
    """The method that trains it; None for weights that somebody published."""
    made_for: Mapping[str, str] = field(default_factory=dict)
    """The methods that need another model in this part, each with the method that trains that model."""
    published: str | None = None
    """The name of the published weights, for a part that random weights may replace."""

    def maker(self, method: str) -> str | None:
        """Return the method that trains the part for a training of `method`."""
        return self.made_for.get(method, self.made_by)


@dataclass(frozen=True, kw_only=True)
class Method:
    """One row. Places are written `module:attribute`."""

    model: str
    """The network, a torch module whose constructor takes the config and the numbers of a frame of motion."""
    config: str
    """The network's settings: a `Config`, or a union of several."""
    objective: str
    """The loss: a torch module of a model and its own config (`assembly` may give it more)."""
    objective_config: str
    recipe: str
    """The packaged recipe that training takes where none is named."""
    paper: str
    page: str
    """The document that describes it, below docs/."""
    command: str | None = None
    """The command of its own that trains it, beside `talk train METHOD`."""
    stages: int = 1
    """Number of stages of the training."""
    parts: tuple[str, ...] = ()
    """Which of `PARTS` a training can be given."""
    assembly: str | None = None
    """An `Assembly`, which puts the training together; None: the recipe alone does."""
    sound_only: bool = False
    """Whether the network takes no numbers of a frame of motion: it only hears, or sees what any head shows.
    Its constructor takes the config alone."""
    motion: Literal["coefficients", "vertices", "either"] | None = None
    """The form of motion that it makes of speech; either: the one that its config names as `motion`. None for
    a method that is no generator."""
    performer: str | None = None
    """A `TrainedPerformer`, with the method's controls; None: the model performs by its own `generate`."""
    inputs: tuple[str, ...] = ("speech",)
    """What a generator takes, in words."""
    controls: tuple[str, ...] = ()
    """The parameters of `talk animate` that change what a generator makes of the same inputs: those of its
    performer's `Controls`, and those of `Sampling` that it does not refuse. Seed and takes are left out."""
    converter: str | None = None
    """A function of the method's name, its config and the numbers of a frame that returns the names of its
    weights in published checkpoints, by file."""
    recogniser: str | None = None
    """A function of published checkpoints that returns which model they hold (`checkpoints/convert/
    published.py`), for `talk convert METHOD FILE...`; None where no such command exists."""
    built_in: str | None = None
    """A function of the config and the numbers of a frame that returns the settings of the network which the
    official code has built in, by dotted names, for each data set that `Choices` can name (None where there
    is no such choice); with a recogniser there is one."""
    bench: str | None = None
    """A function of a duration in seconds that returns a `Contest`; None for what is no generator."""
    wrapper: str | None = None
    """The key below which published checkpoints hold their tensors; None for bare tensors."""
