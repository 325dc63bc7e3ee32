"""The protocol of an objective: the interface through which the training loop trains a method."""

from __future__ import annotations

from typing import Annotated, Any, Protocol, runtime_checkable

from pydantic import Field
from torch import Tensor, nn

from talkcli.engine.audio.ear import Ear
from talkcli.engine.train.batches import Batch

# Weight of a term of the loss.
Weight = Annotated[float, Field(ge=0, le=1e9)]
# Share of windows, rows or coefficients.
Share = Annotated[float, Field(ge=0, le=1)]


def ears_of(model: nn.Module) -> dict[str, Ear]:
    """Return the front-ends through which `model` takes in sound, by name; none if it takes in no sound."""
    return dict(getattr(model, "ears", {}))


@runtime_checkable
class Objective(Protocol):
    """An `nn.Module` that holds a model and the loss that trains it.

    All trained weights are inside `model`. Whatever else the loss needs (judges, a head's surface) is
    registered as modules and buffers without gradients, so that `to` moves it. Each of several processes runs
    a copy on its rows of the batch, and the processes average the gradients of the loss; a loss that compares
    rows with one another gets the rows of all processes from `gather`.
    """

    @property
    def model(self) -> nn.Module: ...

    def __call__(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Return the terms by name, for the log; the loop minimises the one called `loss`. `progress` runs
        from 0 to 1 over training.

        It may draw from torch's global generators, which the loop seeds before every step.
        """

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return measures by name; the one called `score` decides which checkpoint is best (lower is better).

        Only the first process runs it, so it must not call `gather`.
        """

    def to(self, *where: Any) -> Any:
        """Move modules and buffers as `nn.Module.to` does."""
