"""Kernels: functions compiled by numba that release the GIL, kept on disk between runs."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile


class _Cache(FunctionCache):
    """numba's cache on disk; what cannot be read in it is absent, and what cannot be written is not kept.

    numba itself fails on damaged files in every later run, and on a full disk. It also forgets a kernel only
    when the kernel's own file changes; this one does so when any file of its folder does, so that kernels may
    be put together of functions in several files.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        files = sorted(Path(inspect.getfile(function)).parent.glob("*.py"))
        stats = [(path.name, path.stat()) for path in files]
        self._cache_file = IndexDataCacheFile(
            cache_path=self._impl.locator.get_cache_path(),
            filename_base=self._impl.filename_base,
            source_stamp=[(name, stat.st_mtime, stat.st_size) for name, stat in stats],
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  damaged bytes are unpickled: anything may come of them
            # Written anew, and read again from the next run on.
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        # Of a full disk, and of a damaged index, which is read before it is written.
        with contextlib.suppress(Exception):
            super().save_overload(sig, data)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` at its first call. No fast-math: the same input gives the same bytes.

    A kernel calls only functions of its own folder: the disk cache forgets it when a file there changes.
    numba looks for a writable cache beside the source, then in the user's cache folder; where both
    are read-only it refuses, and the kernel is compiled afresh in every process, as it is where the cache is
    damaged or its disk full.
    """
    # The shape checks of the tests wrap every function in what numba cannot compile.
    bare = inspect.unwrap(function)
    compiled = numba.njit(bare, nogil=True, error_model="numpy")
    # What numba does for cache=True, which refuses where it finds no place to write.
    with contextlib.suppress(RuntimeError, OSError):
        compiled._cache = _Cache(bare)
    return compiled


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Copy `function` into the kernels that call it; a call per pixel would cost more than its arithmetic."""
    return numba.njit(inspect.unwrap(function), inline="always", error_model="numpy")


def part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` once, for the kernels that call it once a batch; copied into them it would make one
    large kernel, which takes far longer to compile.
    """
    return numba.njit(inspect.unwrap(function), nogil=True, error_model="numpy")
