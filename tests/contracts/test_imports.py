"""The shape of the house: no circles between files, no room that holds everything, no file too long to read.

`make lint` checks that rooms import downwards only; here are the things that it cannot see.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "talkcli"
LONGEST_FILE = 350
LARGEST_ROOM = 0.22


def _module(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_module(file): file for file in PACKAGE.rglob("*.py")}


def _imports(file: Path) -> set[str]:
    """What a file imports of the package, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= whole & FILES.keys() or {node.module}
    return found & FILES.keys()


def test_no_file_imports_itself_through_others() -> None:
    left = {name: _imports(file) for name, file in FILES.items()}
    while free := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in free}
    assert not left, f"a circle among {sorted(left)}"


def test_no_room_holds_more_than_a_fifth() -> None:
    lines: Counter[str] = Counter()
    for name, file in FILES.items():
        parts = name.split(".")[1:]
        lines[parts[1] if parts[:1] == ["engine"] and len(parts) > 1 else "/".join(parts[:1])] += len(
            file.read_text().splitlines()
        )
    room, most = lines.most_common(1)[0]
    assert most <= LARGEST_ROOM * lines.total(), f"{room} has {most} of {lines.total()} lines"


def test_no_file_is_too_long() -> None:
    lengths = {name: len(file.read_text().splitlines()) for name, file in FILES.items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}
