"""Khronos' validator of glTF files, which `make viewer` fetches from the npm registry."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1] / ".node" / "node_modules" / "gltf-validator"
_PROGRAM = """
const [folder, file] = process.argv.slice(1);
require(folder).validateBytes(new Uint8Array(require("fs").readFileSync(file)), {maxIssues: 500})
  .then((report) => console.log(JSON.stringify(report)));
"""


def missing_validator() -> str | None:
    """Return the reason why tests skip the validator; None when it is here."""
    if _PACKAGE.is_dir() and shutil.which("node"):
        return None
    return "needs Khronos' gltf-validator: make node viewer"


def issues(path: Path) -> list[str]:
    """Return the errors and warnings that the validator has about a file."""
    found = subprocess.run(
        ["node", "-e", _PROGRAM, str(_PACKAGE), str(path)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(found.stdout)["issues"]
    assert not report["truncated"]
    return [f"{m['pointer']}: {m['message']}" for m in report["messages"] if m["severity"] < 2]
