"""The `talk` command: registers one command per file and turns errors into sentences and exit codes."""

from __future__ import annotations

import errno
import os
import sys
import time
import traceback
from typing import Annotated, NoReturn

import typer

from talkcli import __version__
from talkcli.commands import convert, preprocess
from talkcli.commands.animate import animate
from talkcli.commands.bench import bench
from talkcli.commands.doctor import doctor
from talkcli.commands.render import render
from talkcli.commands.score import score
from talkcli.commands.train_dee import train_dee
from talkcli.commands.train_fer import train_fer
from talkcli.commands.train_gen import train_gen
from talkcli.commands.train_phones import train_phones
from talkcli.commands.train_vq import train_vq
from talkcli.console import print_error
from talkcli.engine.errors import TalkError, shortened

app = typer.Typer(
    name="talk",
    help="Speech in, a living 3D face out: animate, train and measure emotional talking faces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(animate)
app.command()(render)
app.command()(score)
app.add_typer(preprocess.app, name="preprocess")
app.add_typer(convert.app, name="convert")
app.command("train-dee")(train_dee)
app.command("train-fer")(train_fer)
app.command("train-phones")(train_phones)
app.command("train-vq")(train_vq)
app.command("train-gen")(train_gen)
app.command()(doctor)
app.command()(bench)

_INTERRUPTED = 130
# How long the first of several processes may take to fail as another one did.
_FIRST_SPEAKS_S = 20.0
# What the operating system refuses, in words; anything else is shown by its own text.
_SYSTEM_HINTS = {
    errno.ENOSPC: "Free some space or write to another disk; nothing that existed before was changed.",
    errno.EDQUOT: "Free some space or write to another disk; nothing that existed before was changed.",
    errno.EACCES: "Check the permissions of the file and its folder.",
    errno.EPERM: "Check the permissions of the file and its folder.",
    errno.EROFS: "The file system is read-only; write somewhere else.",
}


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"talk {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of `talk`; the only place that ends the process, with `_fail`."""
    try:
        app()
    except TalkError as error:
        _fail(error.problem, error.hint, error.exit_code)
    except (KeyboardInterrupt, SystemExit) as ended:
        # Inside a command, typer turns Ctrl-C into a silent exit with this code.
        if isinstance(ended, SystemExit) and ended.code != _INTERRUPTED:
            raise
        _fail("interrupted; no half-written file is left.", None, _INTERRUPTED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}.", _SYSTEM_HINTS.get(error.errno or 0), 1)
    except Exception as error:  # noqa: BLE001  the last line of defence: a traceback is our bug, shown on demand
        if os.environ.get("TALK_DEBUG"):
            traceback.print_exc()
        _fail(
            shortened(f"a bug in talk: {type(error).__name__}: {error}"),
            "Run again with TALK_DEBUG=1 and report the traceback.",
            1,
        )


def _fail(problem: str, hint: str | None, exit_code: int) -> NoReturn:
    # What is wrong for one process of torchrun is mostly wrong for all. The first one says so, and its end
    # ends the others; one that is still there after a while has an error of its own.
    if "TORCHELASTIC_RUN_ID" in os.environ and os.environ["RANK"] != "0":
        if exit_code == _INTERRUPTED:
            sys.exit(exit_code)
        time.sleep(_FIRST_SPEAKS_S)
    print_error(problem, hint, exit_code, as_json="--json" in sys.argv)
    sys.exit(exit_code)
