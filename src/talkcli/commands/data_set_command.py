"""Code that the commands of all data sets share: options, registration of a command, and output."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from talkcli.commands.options import AsJson, Fps, MaxMinutes, Quiet, Workers
from talkcli.console import Console
from talkcli.engine.wording import counted
from talkcli.option_names import spoken

if TYPE_CHECKING:
    from talkcli.engine.pipelines.preprocess import Summary

Root = Annotated[Path, typer.Argument(help="Folder to read.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write: manifest.jsonl, audio/, motion/.")]
# Largest number of reasons that a run prints for clips that it left out: more would hide the summary, and
# quarantine.jsonl has all of them.
_SHOWN = 5


def _shared(
    *,
    out: Out,
    workers: Workers = 2,
    smooth: Annotated[
        bool,
        typer.Option(
            "--smooth/--no-smooth", help="Apply a Savitzky-Golay filter (length 5, order 2) to the motion."
        ),
    ] = False,
    fps: Fps = None,
    keep_pose: Annotated[
        bool,
        typer.Option("--keep-pose/--no-pose", help="Keep the rotation of the whole head, if it is known."),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Address of a Dask scheduler that distributes the work, instead of --workers.",
        ),
    ] = None,
    max_minutes: MaxMinutes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Declare the options of every data set."""


def _filmed(
    *,
    head: Annotated[
        str,
        typer.Option("--head", help="Head that films are fitted to: ada, abe, bust, flame or a head's file."),
    ] = "ada",
    face: Annotated[
        Literal["only", "largest"],
        typer.Option(
            "--face",
            help="If several faces compete. only: leave the film out; largest: track the largest face.",
        ),
    ] = "only",
    stretch: Annotated[
        Literal["whole", "longest"],
        typer.Option(
            "--stretch",
            help="At cuts and gaps without a face. whole: leave the film out; longest: use its longest part.",
        ),
    ] = "whole",
    capture: Annotated[
        Literal["landmarks", "arkit", "both"],
        typer.Option(
            "--capture",
            help="What the motion is made of. landmarks: a fit to points of the face; arkit: scores by "
            "MediaPipe's face_landmarker.task; both: the better of the two for each channel.",
        ),
    ] = "landmarks",
    preview: Annotated[
        Path | None,
        typer.Option(
            "--preview", metavar="FOLDER", help="Folder for preview videos that show the measured faces."
        ),
    ] = None,
) -> None:
    """Declare the options of every data set whose motion is, or may be, measured in films."""


Options = Callable[..., dict[str, Any]]


def data_set_command(
    app: typer.Typer, root: Any = Root, *, films: bool = False, heading: str | None = None
) -> Callable[[Options], Options]:
    """Return a decorator that registers a function as a command of `app`.

    The function takes the data set's own options and returns the options of its adapter. The command's name
    is that of the data set in `pipelines.preprocess.DATA_SETS`. Its options are the set's own, then those of
    films, then the shared ones.

    Args:
        app: The group of commands that gets the command.
        root: Annotated type of the argument that names what to read.
        films: Whether the command takes the options of films.
        heading: Heading in --help below which the command stands.

    Returns:
        The decorator; it returns the function unchanged.
    """

    def register(options: Options) -> Options:
        name = options.__name__.replace("_", "-")
        own, filmed, shared = (
            inspect.signature(each, eval_str=True).parameters for each in (options, _filmed, _shared)
        )

        def command(root: Path | list[Path], **given: Any) -> None:
            from talkcli.engine.audio.limits import limit_sound
            from talkcli.engine.pipelines.preprocess import preprocess
            from talkcli.engine.prepare.build import Plan
            from talkcli.engine.prepare.cleanup import Cleanup

            values = {key: given.pop(key) for key in shared}
            how = _how_to_look(**{key: given.pop(key) for key in filmed}) if films else {}
            with Console(as_json=values["as_json"], quiet=values["quiet"]) as console:
                limit_sound(values["max_minutes"])
                cleanup = Cleanup(smooth=values["smooth"], fps=values["fps"], keep_pose=values["keep_pose"])
                plan = Plan(num_workers=values["workers"], cleanup=cleanup, cluster=values["cluster"])
                made = preprocess(name, root, values["out"], plan, console, **options(**given), **how)
                show(console, made)

        where = inspect.Parameter("root", inspect.Parameter.KEYWORD_ONLY, annotation=root)
        parameters = [where, *own.values(), *(filmed.values() if films else ()), *shared.values()]
        # typer reads these attributes.
        command.__doc__ = options.__doc__
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, rich_help_panel=heading)(command)
        return options

    return register


def _how_to_look(**given: Any) -> dict[str, Any]:
    from talkcli.engine.prepare.adapters.filmed import HowToLook

    return {"how": HowToLook(**given)}


def show(console: Console, summary: Summary) -> None:
    """Print a summary of the run, and warn of clips that were left out, with the first reasons."""
    reasons: dict[str, list[str]] = {}
    for clip, reason in summary.dropped.items():
        reasons.setdefault(reason, []).append(clip)
    for reason, clips in list(reasons.items())[:_SHOWN]:
        more = f" and {len(clips) - 1} more" if len(clips) > 1 else ""
        console.warn(f"left out {clips[0]}{more}: {reason}")
    if len(reasons) > _SHOWN:
        console.warn(
            f"and {counted(len(reasons) - _SHOWN, 'more reason')} in "
            f"{summary.manifest.with_name('quarantine.jsonl')}"
        )
    document = {
        "manifest": str(summary.manifest),
        "clips": summary.num_clips,
        "kept": summary.num_kept,
        "hours": round(summary.hours, 4),
        "emotions": summary.emotions,
        "splits": summary.splits,
        "dropped": {clip: spoken(reason) for clip, reason in summary.dropped.items()},
    }
    rows = [
        ["clips", f"{summary.num_clips} ({summary.num_kept} kept from an earlier run)"],
        ["total", summary.amount],
        ["emotions", ", ".join(f"{label} {count}" for label, count in summary.emotions.items())],
        ["splits", ", ".join(f"{split} {count}" for split, count in summary.splits.items())],
        ["left out", str(len(summary.dropped))],
        ["details in", str(summary.manifest.with_name("CARD.md"))],
    ]
    console.table(document, title=str(summary.manifest), header=["", ""], rows=rows)
