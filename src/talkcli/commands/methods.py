"""`talk methods`: list the methods that talk can train, and what each needs."""

from __future__ import annotations

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console


def methods(*, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """List the methods: the paper, the command that trains each, the parts it builds on, and its weights."""
    from talkcli.engine.pipelines.list_methods import list_methods

    with Console(as_json=as_json, quiet=quiet) as console:
        rows = list_methods()
        console.table(
            {"methods": rows},
            title="Methods. talk train METHOD trains each of them too.",
            header=["method", "paper", "trained by", "builds on", "makes", "weights"],
            rows=[
                [
                    row["method"],
                    row["paper"],
                    f"talk {row['command']}",
                    ", ".join(row["parts"]) or "-",
                    row["motion"] or "-",
                    row["weights"] or "-",
                ]
                for row in rows
            ],
        )
