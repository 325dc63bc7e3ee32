"""Kernels work where nothing can be kept on disk, and under the shape checks of the tests."""

from __future__ import annotations

import functools
from collections.abc import Callable

from talkcli.engine.render.jit import kernel


def _from_nowhere() -> Callable[[float], float]:
    # A function without a source file has no place for a cache, like one in a read-only installation.
    namespace: dict[str, Callable[[float], float]] = {}
    exec("def half(x):\n    return 0.5 * x", namespace)
    return namespace["half"]


def test_without_a_place_for_its_cache_a_kernel_still_compiles() -> None:
    assert kernel(_from_nowhere())(3.0) == 1.5


def test_a_wrapped_function_is_compiled_bare() -> None:
    bare = _from_nowhere()

    @functools.wraps(bare)
    def checked(*values: object) -> float:
        raise AssertionError("the wrapper cannot be compiled")

    assert kernel(checked)(3.0) == 1.5
