"""`talk head`: list the heads, and make one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console
from talkcli.engine.errors import UsageError


def head(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FILE]",
            help="Head to show or to start from: ada, abe, bust, or a file from talk head. Of an avatar "
            "(.glb, .gltf, .vrm): what it has for each curve of ARKit.",
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the heads.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Change one field of the person, e.g. --set age=60; the last value of a field counts. "
            "talk head ada lists the fields.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", min=0, max=2**32 - 1, help="Seed of what is random in the face. Default: that of NAME."
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            help="Output: .npz (the head, for --head of other commands), or .png (a sheet of pictures). "
            "You may give the option several times.",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """List the heads, show who one of them is, or make one of your own.

    talk head --list

    talk head ada

    talk head abe --set age=60 --set hair_colour=grey --out my.npz --out my.png

    talk animate speech.wav --head my.npz --out face.mp4

    talk head avatar.glb
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        with console.loading():
            from talkcli.engine.pipelines.head import (
                describe_avatar,
                describe_head,
                is_avatar,
                list_heads,
                make_head,
            )

        if list_ or name is None:
            if name is not None or settings or out or seed is not None:
                raise UsageError(
                    "The list takes no other option." if list_ else "Which head is meant is missing.",
                    hint="Run: talk head --list, or: talk head NAME --set FIELD=VALUE --out FILE.npz",
                )
            rows = list_heads()
            console.table(
                {"heads": rows},
                title="Heads. A file from talk head is a head too.",
                header=["head", "what it is"],
                rows=[[row["head"], row["description"]] for row in rows],
            )
            return
        if is_avatar(name):
            if settings or out or seed is not None:
                raise UsageError(
                    f"{name} is an avatar, which talk shows but does not change.",
                    hint=f"Run: talk animate speech.wav --head {name} --out avatar-talking.glb",
                )
            _show_avatar(console, describe_avatar(name))
            return
        if not out:
            shown = describe_head(name, settings or (), seed)
            console.table(
                shown,
                title=f"The person {name}. Change a field with --set FIELD=VALUE, write the head with --out.",
                header=["field", "value", "allowed"],
                rows=[
                    [field, f"{value:g}" if isinstance(value, float) else str(value), shown["allowed"][field]]
                    for field, value in shown["person"].items()
                ],
            )
            return
        report = make_head(name, out, settings=settings or (), seed=seed, reporter=console)
        console.result(report, "\n".join(report["outputs"]))


def _show_avatar(console: Console, found: dict[str, Any]) -> None:
    """Print what an avatar has: a row for each curve of ARKit, then notes."""
    rows = [[curve, shape, "a shape of its own"] for curve, shape in found["mapped"].items()]
    rows += [[curve, how, "derived"] for curve, how in found["derived"].items()]
    rows += [[curve, "", "missing"] for curve in found["missing"]]
    title = f"{found['avatar']}: {found['format']}, {found['verts']} vertices"
    bones = ", ".join(f"{what} ({name})" for what, name in found["bones"].items())
    console.table(
        found,
        title=f"{title}. Bones: {bones or 'none of a head'}.",
        header=["curve", "shown by", "how"],
        rows=rows,
    )
    for key, words in _LISTS.items():
        if found[key]:
            console.note(f"{words}: {', '.join(found[key][:_SHOWN])}{' ...' * (len(found[key]) > _SHOWN)}")
    for note in found["notes"]:
        console.warn(note)
    if not found["usable"]:
        console.warn("Nothing here moves a face: other commands refuse this avatar.")


_SHOWN = 12
_LISTS = {
    "still": "Shapes that move nothing",
    "unknown": "Shapes of unknown meaning",
    "without_shapes": "Expressions without shapes",
}
