"""`talk methods`: what can be trained, and what it needs."""

from __future__ import annotations

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console


def methods(*, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """List the methods: paper, what trains them, what they build on, whether weights are here."""
    from talkcli.engine.pipelines.list_methods import list_methods

    with Console(as_json=as_json, quiet=quiet) as console:
        rows = list_methods()
        console.table(
            {"methods": rows},
            title="Methods. Each is trained by talk train METHOD as well.",
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
