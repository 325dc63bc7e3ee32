"""A generator at its published size with random weights, and its published algorithm as the opponent.

One function per method, named by the field `bench` of its row (`engine/method_rows/`), makes a `Contest`;
`talk bench generator --method NAME` holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The same work done our way and as published; both begin at the same input and draw the same noise."""

    what: str
    """The work, to follow "takes": the loop over 500 frames."""
    ours: Callable[[], Tensor]
    published: Callable[[], Tensor]
    """It is run once, since it is slow."""
    rounds: int = 3
    """Number of rounds of ours, whose median counts."""


@dataclass(frozen=True, kw_only=True)
class Contest:
    """What is measured of a method."""

    model: nn.Module
    """The network, in evaluation mode, with random weights that are the same every time."""
    sizes: str
    """Whose sizes it has: VOCASET, as published."""
    ways: Mapping[str, Callable[[Float[Tensor, "1 samples"]], Tensor]]
    """Speech to motion, by the name of the setting of `talk animate`."""
    rounds: int = 3
    """Number of rounds of the ways, whose median counts, after one of a second that warms up."""
    comparison: Comparison | None = None
    """None where nothing is published to compare with."""
