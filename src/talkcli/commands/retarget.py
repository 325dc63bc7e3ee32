"""`talk retarget`: motion of one head as motion of another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console


def retarget(
    motion: Annotated[
        Path, typer.Argument(help="Motion file (.npz), or a CSV of Live Link Face.", metavar="MOTION")
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="arkit|NAME|FILE",
            help="Target: arkit (52 curves), ada, abe, bust, flame, a head's file from talk head, a rig from "
            "talk rig, or an avatar. Without it, --mapping alone names the target's channels.",
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            help="Output: .npz (motion file), .csv (one row of weights per frame), or for ada and arkit a "
            "format of talk export. You may give the option several times.",
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="NAME|FILE",
            help="Head that the motion moves, e.g. your own file. Default: the motion's own.",
        ),
    ] = None,
    landmarks: Annotated[
        Path | None,
        typer.Option(
            "--landmarks",
            help="The 68 landmarks of a rig whose file has none: .json, .csv or .npz (docs/retarget.md).",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", help="Mapping of channels to use as it is: .csv or .npz with names and weights."
        ),
    ] = None,
    write_mapping: Annotated[
        Path | None,
        typer.Option("--write-mapping", help="Write the mapping that talk finds, to edit: .csv or .npz."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Put the motion of one head on another; lips and lids that touch still do.

    talk retarget face.npz --to arkit --out curves.csv

    talk retarget capture.csv --to my_rig.npz --out face.npz --write-mapping mapping.csv
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        with console.loading():
            from talkcli.engine.pipelines.retarget import retarget_file

        report = retarget_file(
            motion,
            out or [],
            to=to,
            source_head=head,
            landmarks=landmarks,
            mapping=mapping,
            found=write_mapping,
            reporter=console,
        )
        for line in report.pop("lines", ()):
            console.note(line)
        console.result(report, "\n".join(report["outputs"]))
