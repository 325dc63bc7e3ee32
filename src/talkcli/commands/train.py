"""`talk train`: train any method."""

from __future__ import annotations

from typing import Annotated

import typer

from talkcli.commands.options import (
    AsJson,
    Device,
    Manifest,
    Overwrite,
    Quiet,
    Resume,
    RunFolder,
    Seed,
    Settings,
)
from talkcli.commands.training import run_training
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import PARTS
from talkcli.option_names import Spelling, speak_of


def train(
    method: Annotated[str, typer.Argument(help="Method, by its name in talk methods.")],
    manifest: Manifest,
    *,
    out: RunFolder,
    part: Annotated[
        list[str] | None,
        typer.Option(
            "--part",
            metavar="NAME=RUN|FILE|random",
            help="Part that the training builds on, e.g. --part dee=runs/dee; you may give the option "
            "several times.",
        ),
    ] = None,
    stage: Annotated[
        int | None, typer.Option("--stage", min=1, help="Stage of training. Default: the first.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", help="Packaged recipe, or path of a YAML file. Default: the method's own."),
    ] = None,
    settings: Settings = None,
    estimate: Annotated[
        bool,
        typer.Option(
            "--estimate",
            help="Only say what the training would take in time and memory, from two trial steps.",
        ),
    ] = False,
    resume: Resume = False,
    overwrite: Overwrite = False,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train any method.

    talk train deeptalk data/manifest.jsonl --part dee=runs/dee --part prior=runs/vq --out runs/gen

    The run folder holds the settings, a log, the state for --resume, and the best weights (best.safetensors).
    """
    for name in PARTS:
        speak_of(name, Spelling(f"--part {name}", joint="="))
    run_training(
        method,
        manifest,
        out=out,
        parts=_parts(part or []),
        recipe=recipe,
        settings=settings,
        resume=resume,
        overwrite=overwrite,
        seed=seed,
        device=device,
        as_json=as_json,
        quiet=quiet,
        stage=stage,
        estimate=estimate,
    )


def _parts(texts: list[str]) -> dict[str, str]:
    """Return the parts by name.

    Raises UsageError for text that is not of the form NAME=FILE, and for a part that is given twice.
    """
    parts: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(
                f"--part {text} is not of the form NAME=FILE.", hint="For example --part dee=runs/dee."
            )
        if name in parts:
            raise UsageError(f"--part {name} is given twice.", hint="Give it once.")
        parts[name] = value
    return parts
