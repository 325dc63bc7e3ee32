"""Frechet distance of the features of all clips, of which only the moments are kept.

So memory does not grow with the number of clips. Axis names: `items`, `features`.
"""

from __future__ import annotations

from dataclasses import dataclass

from talkcli.engine.metrics.frechet import Moments, frechet_distance
from talkcli.engine.metrics.take import Compared
from talkcli.engine.metrics.undefined import UndefinedMetricError


@dataclass
class ComparedMoments:
    """Moments of the features of motion and of truth."""

    made: Moments
    true: Moments
    clips: int = 0
    """Number of clips."""

    @classmethod
    def empty(cls, num_features: int) -> ComparedMoments:
        """Return the moments of no clips."""
        return cls(Moments(num_features), Moments(num_features))

    @classmethod
    def of(cls, found: Compared) -> ComparedMoments:
        """Return the moments of a clip."""
        moments = cls.empty(found.made.shape[1])
        moments.add(found)
        return moments

    def add(self, found: Compared) -> None:
        """Add the features of a clip."""
        self.made.add(found.made)
        self.true.add(found.true)
        self.clips += 1

    def join(self, other: ComparedMoments) -> None:
        """Add the clips of other moments."""
        self.made.join(other.made)
        self.true.join(other.true)
        self.clips += other.clips


def published_distance(moments: ComparedMoments) -> float:
    """Return the Frechet distance of any number of items, as pytorch-fid does.

    With fewer items than features the value depends on their number most of all. Raises
    UndefinedMetricError for fewer than two items.
    """
    return frechet_distance(moments.made, moments.true)


def distance(moments: ComparedMoments) -> float:
    """Return the Frechet distance.

    Raises UndefinedMetricError when there are not more items than features: the covariances of so few items
    say little, and public numbers of that kind cannot be compared.
    """
    least, features = min(moments.made.count, moments.true.count), len(moments.made.mean)
    if least <= features:
        raise UndefinedMetricError(f"needs more than {features} items, there are {least}")
    return frechet_distance(moments.made, moments.true)
