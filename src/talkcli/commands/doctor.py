"""`talk doctor`: list what is installed, what is missing, and what each missing part enables."""

from __future__ import annotations

import typer

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console
from talkcli.option_names import of_any_command


def doctor(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """List what is installed, what is missing, and what each missing part enables.

    The exit code is 0 if talk can animate and draw speech here, else 1.
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.doctor import examine

        report = examine(console)
        for check in report["checks"]:
            # These texts name options of other commands.
            check.update({key: of_any_command(check[key]) for key in ("found", "unlocks")})
    console.table(
        report,
        title="everything needed is here" if report["ok"] else "something needed is broken",
        header=("what", "state", "found", "unlocks"),
        rows=[
            (check["name"], check["state"], check["found"], check["unlocks"]) for check in report["checks"]
        ],
    )
    if not report["ok"]:
        raise typer.Exit(1)
