"""The largest amount of memory that tensors take while code runs, on any device.

Counted are the bytes of storages that operations return within the context, from their creation to their end;
not counted are what was there before, and what operations need inside of themselves.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary


class PeakMemory(TorchDispatchMode):
    """Context that measures it, forward and backward pass included."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        """Largest number of bytes so far."""
        self._now = 0
        self._known: WeakIdKeyDictionary = WeakIdKeyDictionary(ref_type=weakref.ref)

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        # What an operation gets was there before, unless an operation made it.
        for given in tree_leaves((args, kwargs)):
            if isinstance(given, Tensor):
                self._known.setdefault(given.untyped_storage(), 0)
        made = func(*args, **(kwargs or {}))
        for each in tree_leaves(made):
            if isinstance(each, Tensor):
                self._count(each)
        return made

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage in self._known:
            return
        size = storage.nbytes()
        self._known[storage] = size
        self._now += size
        self.peak = max(self.peak, self._now)
        weakref.finalize(storage, self._end, size)

    def _end(self, size: int) -> None:
        self._now -= size
