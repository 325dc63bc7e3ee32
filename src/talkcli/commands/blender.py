"""`talk blender`: write the script that imports curves and sound into Blender."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console

_NAME = "talk_import.py"


def blender(
    out: Annotated[Path, typer.Option("--out", "-o", help="Script to write.")] = Path(_NAME),
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a script for Blender 4 and 5 that imports curves and sound onto meshes with ARKit's shape keys.

    talk blender && blender --background scene.blend --python talk_import.py -- face.csv speech.wav
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.assets import BLENDER_SCRIPT
        from talkcli.engine.files import atomic_path

        with atomic_path(out) as temporary:
            temporary.write_bytes(BLENDER_SCRIPT.read_bytes())
        console.note(
            f"Run: blender --background scene.blend --python {out} -- face.csv speech.wav. It saves "
            "scene.talk.blend."
        )
        console.result({"script": str(out)}, str(out))
