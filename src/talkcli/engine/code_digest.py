"""Our own code as an input: a hash of a module and of everything in the package that it imports.

The closure is read from the sources, not from what happens to be loaded, so that it is the same in every
process; imports inside functions count as well.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# The folder `talkcli` and, beside modules, folders of files that they read.
_PACKAGE = Path(__file__).resolve().parents[1]
_ASSETS = "assets"


@cache
def code_digest(*modules: str) -> str:
    """Hash the sources of `modules`, of all modules of this package that they import, at any depth, and the
    files in the `assets` folders beside those.

    Any edit of these files changes the hash, comments included: what an edit means is not judged. A module
    outside the package counts with its own file.
    """
    closure = _closure(modules)
    # Importing a module runs the packages that it lies in; the outermost says the version alone.
    packages = {
        folder / "__init__.py" for file in closure for folder in file.parents if _PACKAGE in folder.parents
    }
    files = sorted(closure | {file for file in packages if file.is_file()})
    assets = sorted({item for file in files for item in (file.parent / _ASSETS).glob("*") if item.is_file()})
    lines = [f"{_name(file)} {_sha256(file)}" for file in [*files, *assets]]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _closure(modules: tuple[str, ...]) -> set[Path]:
    found: set[Path] = set()
    waiting = [file for module in modules for file in [_own_file(module) or _foreign_file(module)] if file]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting.extend(_imported(file))
    return found


@cache
def _imported(file: Path) -> frozenset[Path]:
    """Return the files of this package that `file` imports itself."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        names.update(_names(node))
    return frozenset(path for name in names for path in [_own_file(name)] if path is not None)


def _names(node: ast.AST) -> Iterator[str]:
    """Yield every module that an import statement may mean: `from a import b` names a, and perhaps a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _own_file(module: str) -> Path | None:
    """Return the source of a module of this package; None for any other, and for packages."""
    top, *parts = module.split(".")
    if top != _PACKAGE.name or not parts:
        return None
    file = _PACKAGE.joinpath(*parts).with_suffix(".py")
    return file if file.is_file() else None


def _foreign_file(module: str) -> Path | None:
    """Return the source of a loaded module that is none of ours, such as an adapter of a user's own."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return None if file is None else Path(file).resolve()


def _name(file: Path) -> str:
    """Return what names a file on every machine."""
    return file.relative_to(_PACKAGE).as_posix() if file.is_relative_to(_PACKAGE) else file.name


@cache
def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
