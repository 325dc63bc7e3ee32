"""talk preprocess: turn recordings, or nothing at all, into clips with a manifest."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from talkcli.commands.options import AsJson, Fps, MaxMinutes, Quiet, Workers
from talkcli.commands.preprocess_check import check, shards, stats
from talkcli.commands.preprocess_emovox import emovox
from talkcli.console import Console
from talkcli.engine.wording import counted

if TYPE_CHECKING:
    from talkcli.engine.pipelines.preprocess import Summary

app = typer.Typer(
    help="Make training clips: sound, motion and a manifest.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Root = Annotated[Path, typer.Argument(help="The folder to read.")]
Out = Annotated[Path, typer.Option("--out", help="The folder to write: manifest.jsonl, audio/, motion/.")]
Licence = Annotated[str, typer.Option("--licence", help="Licence of the material.")]
MotionOf = Annotated[
    Literal["performed", "video"],
    typer.Option("--motion", help="performed: from sound and sentence, a stand-in; video: fitted to faces."),
]
_SHOWN = 5
# Headings of --help.
_SETS, _OURS, _TOOLS = "Recordings", "Generated", "What to do with clips"


def _shared(
    *,
    out: Out,
    workers: Workers = 2,
    smooth: Annotated[
        bool, typer.Option("--smooth/--no-smooth", help="Savitzky-Golay filter (5, 2) on the motion.")
    ] = False,
    fps: Fps = None,
    keep_pose: Annotated[
        bool, typer.Option("--keep-pose/--no-pose", help="Keep how the whole head turns, where known.")
    ] = False,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="Dask scheduler to work on instead.")
    ] = None,
    max_minutes: MaxMinutes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """The options of every data set."""


def _filmed(
    *,
    head: Annotated[
        str, typer.Option("--head", help="Whose motion to make of films: ada, flame or a FLAME file.")
    ] = "ada",
    face: Annotated[
        Literal["only", "largest"],
        typer.Option(
            "--face", help="Where several faces compete. only: leave the film out; largest: follow it."
        ),
    ] = "only",
    stretch: Annotated[
        Literal["whole", "longest"],
        typer.Option(
            "--stretch",
            help="At cuts, and where no face is seen. whole: leave the film out; longest: use a part.",
        ),
    ] = "whole",
    preview: Annotated[
        Path | None,
        typer.Option("--preview", metavar="FOLDER", help="Also write videos of what was measured in films."),
    ] = None,
) -> None:
    """The options of every data set whose motion is, or may be, measured in films."""


Options = Callable[..., dict[str, Any]]


def data_set(root: Any = Root, *, films: bool = False) -> Callable[[Options], Options]:
    """Make a command of a function that takes a data set's own options and gives those of its adapter.

    Its name is the data set's in `pipelines.preprocess.DATA_SETS`. `root` says what is to be read; those of
    `films`, where there are any, and the shared options follow the set's own.
    """

    def register(options: Options) -> Options:
        name = options.__name__.replace("_", "-")
        own, filmed, shared = (
            inspect.signature(each, eval_str=True).parameters for each in (options, _filmed, _shared)
        )

        def command(root: Path | list[Path], **given: Any) -> None:
            from talkcli.engine.audio.limits import limit_sound
            from talkcli.engine.data.build import Plan
            from talkcli.engine.data.cleanup import Cleanup
            from talkcli.engine.pipelines.preprocess import preprocess

            values = {key: given.pop(key) for key in shared}
            how = _how_to_look(**{key: given.pop(key) for key in filmed}) if films else {}
            limit_sound(values["max_minutes"])
            with Console(as_json=values["as_json"], quiet=values["quiet"]) as console:
                cleanup = Cleanup(smooth=values["smooth"], fps=values["fps"], keep_pose=values["keep_pose"])
                plan = Plan(num_workers=values["workers"], cleanup=cleanup, cluster=values["cluster"])
                made = preprocess(name, root, values["out"], plan, console, **options(**given), **how)
                _show(console, made)

        where = inspect.Parameter("root", inspect.Parameter.KEYWORD_ONLY, annotation=root)
        parameters = [where, *own.values(), *(filmed.values() if films else ()), *shared.values()]
        # Typer reads these.
        command.__doc__ = options.__doc__
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, rich_help_panel=_SETS)(command)
        return options

    return register


def _how_to_look(**given: Any) -> dict[str, Any]:
    from talkcli.engine.data.adapters.filmed import HowToLook

    return {"how": HowToLook(**given)}


@data_set()
def affectnet(
    *,
    codes: Annotated[
        Path | None, typer.Option("--codes", help="EMOCA's codes, a folder a picture; else ROOT/codes.")
    ] = None,
) -> dict[str, Any]:
    """AffectNet's pictures as FLAME codes, for train-fer."""
    return {"codes": codes}


@data_set()
def artalk() -> dict[str, Any]:
    """ARTalk's motion files, each with its sound."""
    return {}


@data_set()
def beat2() -> dict[str, Any]:
    """BEAT2: SMPL-X motion of faces, and sound."""
    return {}


@data_set()
def biwi(
    *,
    test: Annotated[
        Literal["a", "b"], typer.Option("--test", help="Test set: a, speakers of training; b, the others.")
    ] = "a",
) -> dict[str, Any]:
    """BIWI: vertices of emotional sentences, and sound."""
    return {"test": test}


@data_set(films=True)
def crema_d(*, motion: MotionOf = "performed") -> dict[str, Any]:
    """CREMA-D: wav, mp3 or flv."""
    return {"motion": motion}


@data_set()
def diffposetalk() -> dict[str, Any]:
    """DiffPoseTalk's coefficients, each with its sound."""
    return {}


@data_set()
def emote(
    *,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="Folder of MEAD's sound; else what ROOT holds of it.")
    ] = None,
    reconstruction: Annotated[
        str | None, typer.Option("--reconstruction", help="Which one, where ROOT holds several.")
    ] = None,
) -> dict[str, Any]:
    """3D-MEAD as EMOTE's authors give it: hdf5 or hickle, and MEAD's sound."""
    return {"audio": audio, "reconstruction": reconstruction}


@data_set()
def facegood() -> dict[str, Any]:
    """FACEGOOD's pairs of wav and blendshape curves."""
    return {}


@data_set()
def folder(
    *,
    source_fps: Annotated[
        float | None, typer.Option("--source-fps", min=0.1, max=1000, help="Frame rate of bare .npy motion.")
    ] = None,
    layout: Annotated[
        str, typer.Option("--layout", help="Columns of bare .npy motion, by name (docs/formats.md).")
    ] = "auto",
    licence: Licence = "unknown",
    origin: Annotated[
        Literal["captured", "fitted", "animated", "performed", "generated"] | None,
        typer.Option("--origin", help="Where motion comes from whose file does not say so; fitted: to film."),
    ] = None,
) -> dict[str, Any]:
    """Sound files with motion files (.npz, or bare .npy) of the same name, and labels.csv."""
    from talkcli.engine.data.adapters.folder import BareMotion

    bare = None if source_fps is None else BareMotion(fps=source_fps, layout=layout)
    return {"bare": bare, "licence": licence, "origin": origin}


@data_set(films=True)
def hdtf() -> dict[str, Any]:
    """HDTF's clips and lists; motion is fitted to the faces."""
    return {}


@data_set()
def live_link(
    *,
    speaker: Annotated[str, typer.Option("--speaker", help="Who was recorded.")] = "unknown",
    emotion: Annotated[str, typer.Option("--emotion", help="What was felt in all takes.")] = "neutral",
    licence: Licence = "unknown",
) -> dict[str, Any]:
    """Takes of Live Link Face: its CSV, with a wav or the take's video beside it."""
    return {"speaker": speaker, "emotion": emotion, "licence": licence}


@data_set()
def mead() -> dict[str, Any]:
    """MEAD in DEEPTalk's form: FLAME parameters and waveforms as .npy."""
    return {}


@data_set(films=True)
def mead_raw(
    *,
    views: Annotated[
        list[str] | None, typer.Option("--view", help="Side it was filmed from; may be given several times.")
    ] = None,
) -> dict[str, Any]:
    """MEAD as it was filmed: mp4 and m4a; motion is fitted to the faces."""
    return {"views": views} if views else {}


@data_set(films=True)
def ravdess(
    *,
    split: Annotated[
        Literal["emoface", "corpus"],
        typer.Option("--split", help="emoface: actors 1-20, 21-22, 23-24; corpus: 1-10, 11, none."),
    ] = "emoface",
    channel: Annotated[
        Literal["all", "speech", "song"], typer.Option("--channel", help="What was uttered.")
    ] = "all",
    motion: MotionOf = "performed",
) -> dict[str, Any]:
    """RAVDESS, spoken and sung: wav or mp4."""
    from talkcli.engine.data.adapters.ravdess import CHANNELS, SPLITS

    return {"split_of_actor": SPLITS[split], "channels": CHANNELS[channel], "motion": motion}


@data_set(
    Annotated[list[Path], typer.Argument(metavar="FILES|FOLDER", help="Films of talking faces.")], films=True
)
def video(*, licence: Licence = "unknown") -> dict[str, Any]:
    """Any films of talking faces; motion is fitted to them."""
    return {"licence": licence}


@data_set()
def vocaset(
    *,
    sentences: Annotated[
        Literal["published", "all"],
        typer.Option("--sentences", help="published: 21-40 of who validates and tests; all: everybody's."),
    ] = "published",
    coefficients: Annotated[
        bool, typer.Option("--coefficients", help="Fit expression and jaw of your FLAME model too.")
    ] = False,
) -> dict[str, Any]:
    """VOCASET: vertices and sound."""
    return {"sentences": sentences, "coefficients": coefficients}


@data_set(films=True)
def voxceleb2(
    *,
    motion: Annotated[
        Literal["none", "video"], typer.Option("--motion", help="none: sound alone; video: fitted to faces.")
    ] = "none",
) -> dict[str, Any]:
    """VoxCeleb2: sound, for emovox, or films."""
    return {"motion": motion}


@app.command(rich_help_panel=_OURS)
def corpus(
    root: Root,
    out: Out,
    prompts: Annotated[
        Path | None,
        typer.Option(
            "--prompts", metavar="FOLDER", help="Asterisk's core sounds (.g722); else where Debian puts them."
        ),
    ] = None,
    workers: Workers = 2,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """The embedded model's training corpus: speech with performed motion (docs/corpus.md)."""
    from talkcli.engine.data.build import Plan
    from talkcli.engine.pipelines.preprocess import preprocess_corpus

    with Console(as_json=as_json, quiet=quiet) as console:
        _show(console, preprocess_corpus(root, out, Plan(num_workers=workers), console, prompts=prompts))


@app.command(rich_help_panel=_OURS)
def debug(out: Out, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Twelve small generated clips, for tests and debug recipes."""
    from talkcli.engine.pipelines.preprocess import preprocess_debug

    with Console(as_json=as_json, quiet=quiet) as console:
        _show(console, preprocess_debug(out, reporter=console))


for tool in (check, stats, shards, emovox):
    app.command(rich_help_panel=_TOOLS)(tool)


def _show(console: Console, summary: Summary) -> None:
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
        "dropped": summary.dropped,
    }
    rows = [
        ["clips", f"{summary.num_clips} ({summary.num_kept} kept from an earlier run)"],
        ["in all", summary.amount],
        ["emotions", ", ".join(f"{label} {count}" for label, count in summary.emotions.items())],
        ["splits", ", ".join(f"{split} {count}" for split, count in summary.splits.items())],
        ["left out", str(len(summary.dropped))],
        ["more in", str(summary.manifest.with_name("CARD.md"))],
    ]
    console.table(document, title=str(summary.manifest), header=["", ""], rows=rows)
