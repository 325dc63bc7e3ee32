from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from talkcli.commands.doctor import doctor
from talkcli.engine.pipelines import doctor as pipeline

app = typer.Typer()
app.command()(doctor)

REPORT = {
    "talk": "0",
    "checks": [
        {"name": "thing", "state": "missing", "found": "pip install 'talkcli[gl]'", "unlocks": "more"}
    ],
}


@pytest.mark.parametrize("ok", [True, False])
def test_exit_code_says_whether_the_embedded_path_works(monkeypatch: pytest.MonkeyPatch, ok: bool) -> None:
    def examine(reporter: object) -> dict[str, Any]:
        return {**REPORT, "ok": ok}

    monkeypatch.setattr(pipeline, "examine", examine)
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(app, [])
    assert shown.exit_code == (0 if ok else 1)
    # Brackets are text here, not rich's markup.
    assert "pip install 'talkcli[gl]'" in shown.stdout
    document = CliRunner().invoke(app, ["--json"])
    assert document.exit_code == shown.exit_code
    assert json.loads(document.stdout)["checks"] == REPORT["checks"]
