"""What belongs to the code that a result depends on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from talkcli.engine import code_digest as module
from talkcli.engine.code_digest import code_digest

FILES = {
    "__init__.py": "VERSION = 1",
    "top.py": "from toy import middle\nimport os",
    "middle.py": "def f():\n    from toy.room.leaf import thing",
    "room/__init__.py": "",
    "room/leaf.py": "import toy.room.beside",
    "room/beside.py": "",
    "room/assets/numbers.bin": "1",
    "apart.py": "import toy.top",
}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "toy"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(module, "_PACKAGE", root)
    _forget()
    yield root
    _forget()


def _forget() -> None:
    for cached in (module.code_digest, module._imported, module._sha256):
        cached.cache_clear()


def _digest() -> str:
    _forget()
    return code_digest("toy.top")


def test_every_import_counts_and_nothing_else(toy: Path) -> None:
    first = _digest()
    assert _digest() == first
    for name in (
        "top.py",
        "middle.py",
        "room/leaf.py",
        "room/__init__.py",
        "room/beside.py",
        "room/assets/numbers.bin",
    ):
        text = (toy / name).read_text()
        (toy / name).write_text(text + "\n# edited")
        assert _digest() != first, name
        (toy / name).write_text(text)
    assert _digest() == first
    for name in ("apart.py", "__init__.py"):
        (toy / name).write_text("edited = True")
    assert _digest() == first


def test_a_renamed_module_is_another(toy: Path) -> None:
    first = _digest()
    (toy / "room/beside.py").rename(toy / "room/aside.py")
    (toy / "room/leaf.py").write_text("import toy.room.aside")
    assert _digest() != first


def test_a_module_of_somebody_else_counts_with_its_file(toy: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "their_adapter.py"
    theirs.write_text("from toy.room import leaf")
    loaded = type(sys)("their_adapter")
    loaded.__file__ = str(theirs)
    sys.modules["their_adapter"] = loaded
    try:
        first = code_digest("their_adapter")
        theirs.write_text("from toy.room import leaf\n")
        _forget()
        assert code_digest("their_adapter") != first
        assert code_digest("their_adapter") != code_digest("toy.room.leaf")
    finally:
        del sys.modules["their_adapter"]


def test_a_recipe_depends_on_its_motion_and_not_on_commands() -> None:
    files = {path.as_posix() for path in module._closure(("talkcli.engine.prepare.adapters.debug",))}
    endings = {name.rpartition("talkcli/")[2] for name in files}
    assert {"engine/finish/lip_speed.py", "engine/rules/perform.py", "engine/face/heads.py"} <= endings
    assert not any(name.startswith(("commands/", "engine/pipelines/")) for name in endings)
