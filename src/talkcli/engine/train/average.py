"""Running average of the trained weights (Polyak averaging), which validates better than the weights do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from talkcli.engine.train.state import check_same


class Average:
    """Exponential running average of the parameters `trained`, by name; a `decay` of 0 switches it off."""

    def __init__(self, trained: Mapping[str, nn.Parameter], decay: float) -> None:
        self.trained = trained
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in trained.items()} if decay > 0 else {}

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Replace the averages by `values`.

        Raises InputError when their names, types or shapes are not those of the trained weights.
        """
        check_same(self.values, values)
        for name, value in values.items():
            self.values[name].copy_(value)

    @torch.no_grad()
    def update(self) -> None:
        for name, value in self.values.items():
            value.lerp_(self.trained[name], 1 - self.decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averaged weights into the model while the context lasts, then the trained ones back."""
        if not self.values:
            yield
            return
        kept = {name: value.detach().clone() for name, value in self.trained.items()}
        self._put(self.values)
        try:
            yield
        finally:
            self._put(kept)

    @torch.no_grad()
    def _put(self, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            self.trained[name].copy_(value)
