"""Kernels: functions compiled by numba that release the GIL, kept on disk between runs where it is writable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

# Copied into its caller before compiling: a call per pixel would cost more than the arithmetic in it.
inlined = numba.njit(inline="always", error_model="numpy")


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` at its first call. No fast-math: the same input gives the same bytes.

    numba looks for a writable cache beside the source, then in the user's cache folder; where both are
    read-only it refuses, and the kernel is compiled afresh in every process.
    """
    try:
        return numba.njit(function, nogil=True, cache=True, error_model="numpy")
    except RuntimeError:
        return numba.njit(function, nogil=True, error_model="numpy")
