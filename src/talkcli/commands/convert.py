"""`talk convert`: convert other people's checkpoints to model files, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.wording import counted

app = typer.Typer(
    help="Convert published checkpoints to model files, and back.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    pass


@app.command()
def deeptalk(
    model: Annotated[
        Path | None, typer.Argument(help="With --to official: a model file or run folder of talk.")
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Model file to write; with --to official the folder to write.")
    ],
    gen: Annotated[Path | None, typer.Option("--gen", help="DEEPTalk.pth: the generator.")] = None,
    dee: Annotated[
        Path | None,
        typer.Option(
            "--dee", help="DEE.pt: the emotion embedding; beside --gen it must equal the one in that file."
        ),
    ] = None,
    fer: Annotated[
        Path | None,
        typer.Option("--fer", help="FER.pth: the expression classifier; --gen and --dee need it."),
    ] = None,
    vq: Annotated[
        Path | None,
        typer.Option(
            "--vq", help="TH-VQVAE.pth: the motion prior; beside --gen it must equal the one in that file."
        ),
    ] = None,
    to: Annotated[
        Literal["ours", "official"],
        typer.Option("--to", help="Direction: to a model file of talk, or to official files."),
    ] = "ours",
    long: Annotated[
        Literal["first", "average"],
        typer.Option(
            "--long",
            help="Source of the emotion for speech beyond 10 s. first: its first 10 s, as released; average: "
            "all of it.",
        ),
    ] = "first",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="With --to official: replace existing files in the folder.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Convert DEEPTalk's four official files to a model file, and back, without running code from them.

    --gen and --fer make a generator, --dee and --fer an emotion embedding, --vq a motion prior.

    talk convert deeptalk --gen DEEPTalk.pth --fer FER.pth --out deeptalk.safetensors

    talk convert deeptalk deeptalk.safetensors --to official --out FOLDER
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.convert import OfficialFiles, export_deeptalk, import_deeptalk

        files = OfficialFiles(gen=gen, dee=dee, fer=fer, vq=vq)
        report: dict[str, Any]
        if to == "official":
            if model is None or files.given:
                raise UsageError(
                    "--to official takes one model file of ours, and no official files.",
                    hint="talk convert deeptalk deeptalk.safetensors --to official --out FOLDER",
                )
            report = export_deeptalk(model, out, overwrite=overwrite, reporter=console)
        else:
            if model is not None:
                raise UsageError(
                    f"{model} has no option before it.",
                    hint="Name official files with --gen, --dee, --fer, --vq; --to official is the way back.",
                )
            report = import_deeptalk(files, out, long=long, reporter=console)
    read = ", ".join(f"{name} ({counted(count, 'tensor')})" for name, count in report["tensors"].items())
    console.result(report, f"{' '.join(report['outputs'])}: {report['method']}, {read}")
