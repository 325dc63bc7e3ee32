"""Compiled kernels: machine code that releases the GIL, kept on disk between runs where the disk allows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` at its first call. No fast-math: a sum keeps its order, so the same input is the same bytes.

    numba looks for a writable cache beside the source, then in the user's cache folder; where both are read-only
    it refuses, and the kernel is compiled afresh in every process.
    """
    try:
        return numba.njit(function, nogil=True, cache=True, error_model="numpy")
    except RuntimeError:
        return numba.njit(function, nogil=True, error_model="numpy")
