"""`talk convert`: convert other people's checkpoints to model files, and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from talkcli.commands.options import AsJson, Quiet
from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import METHODS
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
        from talkcli.engine.pipelines.convert.deeptalk import OfficialFiles, export_deeptalk, import_deeptalk

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
    _tell(console, report)


def _published(method: str) -> Callable[..., None]:
    """Return the command that converts the published state dicts of `method`, which a row recognises."""

    def convert(
        files: Annotated[
            list[Path],
            typer.Argument(
                help="Published checkpoint; with --to official: a model file or run folder of talk."
            ),
        ],
        *,
        out: Annotated[
            Path,
            typer.Option("--out", "-o", help="Model file to write; with --to official the folder to write."),
        ],
        to: Annotated[
            Literal["ours", "official"],
            typer.Option("--to", help="Direction: to a model file of talk, or to official files."),
        ] = "ours",
        dataset: Annotated[
            Literal["vocaset", "biwi"] | None,
            typer.Option(
                "--dataset", help="Data set of the checkpoint. Default: what its number of vertices tells."
            ),
        ] = None,
        template: Annotated[
            str | None,
            typer.Option(
                "--template",
                metavar="FILE[:SUBJECT]",
                help="Face at rest for a model of vertices: templates.pkl and a subject, or a .ply, .obj, "
                ".npy or motion file. Default: that of your FLAME model, for vertices of FLAME.",
            ),
        ] = None,
        overwrite: Annotated[
            bool,
            typer.Option("--overwrite", help="With --to official: replace existing files in the folder."),
        ] = False,
        as_json: AsJson = False,
        quiet: Quiet = False,
    ) -> None:
        with Console(as_json=as_json, quiet=quiet) as console:
            from talkcli.engine.checkpoints.convert.published import Choices
            from talkcli.engine.pipelines.convert.published import export_published, import_published

            if to == "official":
                if len(files) != 1 or dataset is not None or template is not None:
                    raise UsageError(
                        "--to official takes one model file of ours, and no choices of a checkpoint.",
                        hint=f"talk convert {method} {method}.safetensors --to official --out FOLDER",
                    )
                report = export_published(method, files[0], out, overwrite=overwrite, reporter=console)
            else:
                choices = Choices(dataset=dataset, template=template)
                report = import_published(method, files, out, choices=choices, reporter=console)
        _tell(console, report)

    convert.__doc__ = f"""Convert published {method} checkpoints to a model file, and back.

    The files are read as data: no code in them runs.

    talk convert {method} FILE... --out {method}.safetensors

    talk convert {method} {method}.safetensors --to official --out FOLDER
    """
    return convert


for _name, _row in METHODS.items():
    if _row.recogniser is not None:
        app.command(_name)(_published(_name))


def _tell(console: Console, report: dict[str, Any]) -> None:
    read = ", ".join(f"{name} ({counted(count, 'tensor')})" for name, count in report["tensors"].items())
    console.result(report, f"{' '.join(report['outputs'])}: {report['method']}, {read}")
