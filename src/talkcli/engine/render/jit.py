"""Kernels: functions compiled by numba that release the GIL, kept on disk between runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` at its first call. No fast-math: the same input gives the same bytes.

    A kernel calls only functions of its own file: numba's disk cache forgets it when that file changes, and
    no other. numba looks for a writable cache beside the source, then in the user's cache folder; where both
    are read-only it refuses, and the kernel is compiled afresh in every process.
    """
    # The shape checks of the tests wrap every function in what numba cannot compile.
    bare = inspect.unwrap(function)
    try:
        return numba.njit(bare, nogil=True, cache=True, error_model="numpy")
    except RuntimeError:
        return numba.njit(bare, nogil=True, error_model="numpy")


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Copy `function` into the kernels that call it; a call per pixel would cost more than its arithmetic."""
    return numba.njit(inspect.unwrap(function), inline="always", error_model="numpy")
