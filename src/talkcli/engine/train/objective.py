"""The protocol of an objective: what the training loop needs of a method."""

from __future__ import annotations

from typing import Annotated, Any, Protocol, runtime_checkable

from pydantic import Field
from torch import Tensor, nn

from talkcli.engine.audio.ear import Ear
from talkcli.engine.train.batches import Batch

# Of a term of the loss; and of windows, rows or coefficients.
Weight = Annotated[float, Field(ge=0, le=1e9)]
Share = Annotated[float, Field(ge=0, le=1)]


def ears_of(model: nn.Module) -> dict[str, Ear]:
    """Give the front-ends by which a model takes in sound, by name; none of a model that takes in none."""
    return dict(getattr(model, "ears", {}))


@runtime_checkable
class Objective(Protocol):
    """An `nn.Module` of a model and of what is minimised to train it.

    Everything that is trained is inside `model`. What else the loss looks through (judges, a head's surface)
    is registered as modules and buffers, without gradients, so that `to` moves it. Several processes run one
    copy each on their rows of the batch and average the gradients of what `forward` returns; a loss that
    compares rows with one another takes them all with `gather`.
    """

    @property
    def model(self) -> nn.Module: ...

    def __call__(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Return `forward`: terms by name for the log; the one called `loss` is minimised. `progress` runs
        from 0 to 1 over training.

        May draw from torch's global generators, which the loop seeds before every step.
        """

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return measures by name; the one called `score` decides which checkpoint is best (lower is better).

        Runs in the first process alone: it must not `gather`.
        """

    def to(self, *where: Any) -> Any:
        """Move as `nn.Module.to` does."""
