"""The `talk` command: it registers the commands, one per file, and turns errors into sentences and exit
codes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from talkcli.commands import convert, preprocess, score
from talkcli.commands.animate import animate
from talkcli.commands.bench import bench
from talkcli.commands.blender import blender
from talkcli.commands.doctor import doctor
from talkcli.commands.export import export
from talkcli.commands.head import head
from talkcli.commands.methods import methods
from talkcli.commands.render import render
from talkcli.commands.retarget import retarget
from talkcli.commands.rig import rig
from talkcli.commands.train import train
from talkcli.commands.train_dee import train_dee
from talkcli.commands.train_fer import train_fer
from talkcli.commands.train_gen import train_gen
from talkcli.commands.train_judge import train_judge
from talkcli.commands.train_phones import train_phones
from talkcli.commands.train_vq import train_vq
from talkcli.console import flush_result, hold_streams, not_printed, print_error
from talkcli.engine.errors import TalkError, shortened
from talkcli.engine.files import abandon, sweep, temporary_root
from talkcli.engine.lifetime import INTERRUPTED, ended_by, exit_message, interruptible
from talkcli.engine.version import __version__
from talkcli.option_names import spoken

app = typer.Typer(
    name="talk",
    help="Speech in, a living 3D face out: animate, train and measure emotional talking faces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(animate)
app.command()(render)
app.command()(blender)
app.command()(retarget)
app.command()(rig)
app.command()(export)
app.command()(head)
app.add_typer(score.app, name="score")
app.add_typer(preprocess.app, name="preprocess")
app.add_typer(convert.app, name="convert")
app.command()(methods)
app.command()(train)
app.command("train-dee")(train_dee)
app.command("train-fer")(train_fer)
app.command("train-phones")(train_phones)
app.command("train-judge")(train_judge)
app.command("train-vq")(train_vq)
app.command("train-gen")(train_gen)
app.command()(doctor)
app.command()(bench)

# Time in seconds for which a process of torchrun waits with its own error: the first process mostly fails
# likewise, reports that, and thereby ends the others.
_FIRST_SPEAKS_S = 20.0
# Hints for errors of the operating system; other errors have none.
_SYSTEM_HINTS = {
    errno.ENOSPC: "Free some space or write to another disk; nothing that existed before was changed.",
    errno.EDQUOT: "Free some space or write to another disk; nothing that existed before was changed.",
    errno.EACCES: "Check the permissions of the file and its folder.",
    errno.EPERM: "Check the permissions of the file and its folder.",
    errno.EROFS: "The file system is read-only; write somewhere else.",
    errno.EFBIG: "Files may not be that large here (ulimit -f); nothing that existed before was changed.",
    errno.ELOOP: "A symbolic link there leads back to itself.",
}


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"talk {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    # Each command removes what killed runs left beside its own output; this removes what they left in TMPDIR.
    _sweep()


def _sweep() -> None:
    with contextlib.suppress(OSError):
        sweep(temporary_root())


def main() -> None:
    """Run the command line and end the process; apart from `_fail`, nothing else ends it."""
    hold_streams()
    try:
        with interruptible():
            # typer's standalone mode would print errors in another form, and "Aborted." for an EOFError.
            code = app(prog_name="talk", standalone_mode=False) or 0
            flush_result()
    except BaseException as error:  # noqa: BLE001  the last line of defence
        _explain(error)
    if code == INTERRUPTED:
        _interrupted()
    sys.exit(code)


def _explain(error: BaseException) -> NoReturn:
    """Print the error in sentences and exit with its code.

    After a signal every error counts as a consequence of the signal.
    """
    if ended_by() is not None or isinstance(error, KeyboardInterrupt):
        _interrupted()
    if isinstance(error, SystemExit | typer.Abort):
        # typer turns a closed pipe into SystemExit, and an EOFError into Abort.
        if not isinstance(error.__context__, OSError | EOFError):
            raise error
        error = error.__context__
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        error = not_printed(error)
    if isinstance(error, TalkError):
        # An error that was raised outside of a Console still names parameters instead of options.
        error.reword(spoken)
        _fail(error.problem, error.hint, error.exit_code)
    if isinstance(error, typer.TyperException):
        problem = error.format_message()
        if not problem:
            # typer has already shown the help, since there was no argument at all.
            sys.exit(error.exit_code)
        command = getattr(getattr(error, "ctx", None), "command_path", "talk")
        hint = f"See {command} --help."
        dashed = next((word for word in sys.argv[1:] if word.startswith("-") and Path(word).suffix), None)
        if dashed is not None:
            hint += f" A file of that name is given as ./{dashed}."
        _fail(shortened(problem), shortened(hint), error.exit_code)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        _fail(shortened(f"{where}{error.strerror or error}."), _SYSTEM_HINTS.get(error.errno or 0), 1)
    # Any other exception is a bug of talk; TALK_DEBUG shows the traceback.
    if os.environ.get("TALK_DEBUG"):
        traceback.print_exception(error)
    problem = shortened(f"a bug in talk: {type(error).__name__}: {error}")
    _fail(problem, "Run again with TALK_DEBUG=1 and report the traceback.", 1)


def _interrupted() -> NoReturn:
    abandon()
    _sweep()
    code = ended_by() or INTERRUPTED
    _fail(exit_message(code), None, code, interrupted=True)


def _fail(problem: str, hint: str | None, exit_code: int, *, interrupted: bool = False) -> NoReturn:
    # An error in one process of torchrun mostly occurs in all. The first process reports it, and its end ends
    # the others; a process that still runs after the wait has an error of its own.
    if "TORCHELASTIC_RUN_ID" in os.environ and os.environ["RANK"] != "0":
        if interrupted:
            sys.exit(exit_code)
        time.sleep(_FIRST_SPEAKS_S)
    print_error(problem, hint, exit_code, as_json="--json" in sys.argv)
    sys.exit(exit_code)
