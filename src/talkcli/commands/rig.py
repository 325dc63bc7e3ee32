"""`talk rig`: shapes for a head mesh that has none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console


def rig(
    mesh: Annotated[
        Path,
        typer.Argument(
            help="Head mesh at rest, mouth closed: .obj, .ply, .glb, .gltf or .vrm. The face looks along z, "
            "y is up; the unit is found.",
            metavar="MESH",
        ),
    ],
    out: Annotated[
        list[Path],
        typer.Option(
            "--out",
            "-o",
            help="Output: .glb (morph targets with ARKit's names), or .npz (a rig for talk retarget). You "
            "may give the option several times.",
        ),
    ],
    landmarks: Annotated[
        Path | None,
        typer.Option(
            "--landmarks",
            help="The 68 landmarks: .json, .csv or .npz with vertices or places (docs/retarget.md). Default: "
            "found on a picture, which needs the extra video.",
        ),
    ] = None,
    contact_sheet: Annotated[
        Path | None, typer.Option("--contact-sheet", help="Draw the shapes side by side: .png.")
    ] = None,
    add: Annotated[
        bool,
        typer.Option("--add/--no-add", help="Add ada's eyes, teeth and tongue to a mesh that has none."),
    ] = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Give a neutral head mesh of any topology ada's 52 shapes.

    talk rig head.obj --out head.glb --contact-sheet sheet.png

    talk rig head.obj --landmarks marks.json --out rig.npz
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        with console.loading():
            from talkcli.engine.pipelines.rig import rig_file

        report = rig_file(mesh, out, landmarks=landmarks, sheet=contact_sheet, add=add, reporter=console)
        for line in report.pop("lines"):
            console.note(line)
        console.result(report, "\n".join(report["outputs"]))
