"""Options of `talk animate` for many speech files and for pictures of a whole motion, and how a run of many
files is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkcli.console import Console, print_error
from talkcli.engine.errors import InputError, TalkError, UsageError, several_files
from talkcli.engine.wording import counted, some
from talkcli.option_names import spoken

if TYPE_CHECKING:
    from talkcli.engine.pipelines.animate_many import Run

_MANY = "Many speech files"
_FORMATS = "npz"

OutDir = Annotated[
    Path | None,
    typer.Option(
        "--out-dir",
        metavar="FOLDER",
        help="Folder to write for many speech files; what an earlier run made there and nothing has changed "
        "is kept.",
        rich_help_panel=_MANY,
    ),
]
FormatNames = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME,...",
        help="What to write into --out-dir: suffixes of --out without their first dot (npz, mp4, csv, "
        f"rhubarb.json), or frames. Default: {_FORMATS}.",
        rich_help_panel=_MANY,
    ),
]
ManyWorkers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        max=256,
        help="Number of worker processes, each with the model in memory; 0: work in this process. Default: "
        "one per core, up to four.",
        rich_help_panel=_MANY,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Address of a Dask scheduler that distributes the files, instead of --workers.",
        rich_help_panel=_MANY,
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="PNG",
        help="Also draw curves of mouth, brows, lids and emotion under the waveform. With --out-dir: how the "
        "names end, as in NAME.curves.png.",
    ),
]
ContactSheet = Annotated[
    Path | None,
    typer.Option(
        "--contact-sheet",
        metavar="PNG",
        help="Also draw twelve frames with their times on one picture. With --out-dir: how the names end.",
    ),
]


def is_many(
    speech: Sequence[Path],
    outs: Sequence[Path],
    out_dir: Path | None,
    *,
    overwrite: bool,
    only_many: dict[str, object],
) -> bool:
    """Return whether the outputs go to `out_dir`.

    Args:
        speech: Speech files and folders.
        outs: Outputs of one speech file.
        out_dir: Folder for the outputs of many.
        overwrite: Option of one speech file.
        only_many: Options for many, by name; None where they are not given.

    Raises:
        UsageError: When there are no outputs, or those of one file for many, and for options without effect.
    """
    if out_dir is not None:
        if outs:
            raise UsageError(
                "`out` and `out_dir` both name outputs.",
                hint="Leave one of them out; `format` chooses formats.",
            )
        if overwrite:
            raise UsageError(
                "`overwrite` has no effect with `out_dir`, which always replaces what it writes."
            )
        return True
    for name, value in only_many.items():
        if value is not None:
            raise UsageError(f"`{name}` is for many speech files.", hint="Give `out_dir` in place of `out`.")
    if not outs:
        raise UsageError("Missing option `out`.", hint="Name an output: `out=face.mp4`. " + several_files())
    if len(speech) > 1:
        names = some([str(path) for path in speech])
        raise UsageError(
            f"`out` names the outputs of one speech file, and there are {len(speech)}: {names}.",
            hint=several_files(),
        )
    return False


def animate_many(
    console: Console,
    speech: Sequence[Path],
    out_dir: Path,
    *,
    formats: str | None,
    plot: Path | None,
    contact_sheet: Path | None,
    workers: int | None,
    cluster: str | None,
    options: dict[str, Any],
) -> int:
    """Animate into `out_dir`, print what came of every file, and return the exit code."""
    from talkcli.engine.pipelines.animate_many import Plan, animate_files

    plan = Plan(
        formats=(formats or _FORMATS).split(","),
        plot=None if plot is None else str(plot),
        contact_sheet=None if contact_sheet is None else str(contact_sheet),
        num_workers=workers,
        cluster=cluster,
    )
    run = animate_files(speech, out_dir, plan, console, **options)
    document, text = told(run)
    console.result(document, text)
    failed = [record["error"] for record in document["files"] if "error" in record]
    if not failed:
        return 0
    # The error is printed and not raised: with --json the one document on stdout is that of the run.
    codes = {error["exit_code"] for error in failed}
    code = InputError.exit_code if codes == {InputError.exit_code} else TalkError.exit_code
    print_error(
        f"{counted(len(failed), 'file')} of {len(run.files)} could not be animated; the first: "
        f"{failed[0]['problem']}",
        failed[0]["hint"],
        code,
        as_json=False,
    )
    return code


def told(run: Run) -> tuple[dict[str, Any], str]:
    """Return the JSON document of a run, with a record for every file, and the outputs as lines of text."""
    files: list[dict[str, Any]] = []
    lines = []
    for path, made in run.files:
        if not hasattr(made, "outputs"):
            error = {"problem": spoken(made.problem), "hint": made.hint and spoken(made.hint)}
            files.append(
                {"speech": str(path), "state": "failed", "error": {**error, "exit_code": made.exit_code}}
            )
            continue
        outputs = [str(run.out_dir / name) for name in made.outputs]
        lines += outputs
        state = "kept" if made.id in run.kept else "made"
        files.append({"speech": str(path), "state": state, "outputs": outputs, **made.report})
    states = [record["state"] for record in files]
    counts = {state: states.count(state) for state in ("made", "kept", "failed")}
    return {"out_dir": str(run.out_dir), **counts, "files": files}, "\n".join(lines)
