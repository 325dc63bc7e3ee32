"""Kernels work where nothing can be kept on disk, and under the shape checks of the tests."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from talkcli.engine.jit import kernel


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


KERNEL = """
import sys
from talkcli.engine.jit import kernel

@kernel
def half(x):
    return 0.5 * x

print(half(3.0), sum(half.stats.cache_hits.values()))
"""


def run_kernel(folder: Path, before: str = "") -> tuple[str, str]:
    """What a process with a kernel of its own prints: its result, and how often the cache had it."""
    script = folder / "kernels.py"
    if not script.exists():
        script.write_text(KERNEL)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    program = f"{before}\nimport runpy; runpy.run_path({str(script)!r})"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert ended.stderr == ""
    assert ended.returncode == 0
    value, hits = ended.stdout.split()
    return value, hits


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [b"", b"\x80", b"half", None])
def test_a_damaged_cache_is_built_anew(tmp_path: Path, suffix: str, damage: bytes | None) -> None:
    run_kernel(tmp_path)
    assert run_kernel(tmp_path) == ("1.5", "1")
    for path in (tmp_path / "cache").rglob(f"*.{suffix}"):
        path.write_bytes(path.read_bytes()[:-100] if damage is None else damage)
    assert run_kernel(tmp_path) == ("1.5", "0")
    assert run_kernel(tmp_path) == ("1.5", "1")


def test_a_full_disk_keeps_nothing_and_stops_nothing(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))"
    assert run_kernel(tmp_path, limit) == ("1.5", "0")
    assert run_kernel(tmp_path) == ("1.5", "0")
    assert run_kernel(tmp_path) == ("1.5", "1")


def test_a_kernel_is_compiled_anew_when_a_file_beside_it_changes(tmp_path: Path) -> None:
    part = tmp_path / "part.py"
    part.write_text(
        "from talkcli.engine.jit import inlined\n\n@inlined\ndef half(x):\n    return 0.5 * x\n"
    )
    (tmp_path / "kernels.py").write_text(KERNEL.replace("return 0.5 * x", "return part.half(x)"))
    find = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import builtins, part; builtins.part = part"
    assert run_kernel(tmp_path, find) == ("1.5", "0")
    assert run_kernel(tmp_path, find) == ("1.5", "1")
    part.write_text(part.read_text().replace("0.5", "0.25"))
    assert run_kernel(tmp_path, find) == ("0.75", "0")
