"""`talk blender`: the script that comes with the package."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

from talkcli.engine.assets import BLENDER_SCRIPT
from tests.talk_process import talk


def test_the_script_is_written_as_it_is(tmp_path: Path) -> None:
    made = talk("blender", "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout) == {"script": "talk_import.py"}
    assert (tmp_path / "talk_import.py").read_bytes() == BLENDER_SCRIPT.read_bytes()
    assert "blender --background scene.blend --python talk_import.py" in " ".join(made.stderr.split())


def test_the_script_needs_blender_alone() -> None:
    tree = ast.parse(BLENDER_SCRIPT.read_text())
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    } | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    # Blender brings numpy along.
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names | {"bpy", "numpy"}
