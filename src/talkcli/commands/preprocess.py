"""talk preprocess: turn recordings, or nothing at all, into clips with a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkcli.commands.options import AsJson, Quiet
from talkcli.commands.preprocess_check import check, stats
from talkcli.console import Console

if TYPE_CHECKING:
    from talkcli.engine.pipelines.preprocess import Summary

app = typer.Typer(
    help="Make training clips: sound, motion and a manifest.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Root = Annotated[Path, typer.Argument(help="The folder to read.")]
Out = Annotated[Path, typer.Option("--out", help="The folder to write: manifest.jsonl, audio/, motion/.")]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 works in this one.")]
_SHOWN = 5


@app.command()
def folder(
    root: Root,
    *,
    out: Out,
    fps: Annotated[
        float | None, typer.Option("--fps", min=0.1, max=1000, help="Frame rate of bare .npy motion.")
    ] = None,
    head: Annotated[str, typer.Option("--head", help="Head of bare .npy motion: ada or flame.")] = "flame",
    licence: Annotated[str, typer.Option("--licence", help="Licence of the material.")] = "unknown",
    workers: Workers = 2,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Sound files with motion files (.npz, or .npy of 53 columns) of the same name, and labels.csv."""
    from talkcli.engine.data.adapters.folder import BareMotion
    from talkcli.engine.pipelines.preprocess import preprocess_folder

    bare = None if fps is None else BareMotion(fps=fps, head=head)
    with Console(as_json=as_json, quiet=quiet) as console:
        summary = preprocess_folder(
            root, out, bare=bare, licence=licence, reporter=console, num_workers=workers
        )
        _show(console, summary)


@app.command()
def facegood(
    root: Root, out: Out, workers: Workers = 2, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """FACEGOOD's pairs of wav and blendshape curves."""
    from talkcli.engine.pipelines.preprocess import preprocess_facegood

    with Console(as_json=as_json, quiet=quiet) as console:
        _show(console, preprocess_facegood(root, out, reporter=console, num_workers=workers))


@app.command()
def corpus(root: Root, out: Out, workers: Workers = 2, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """The embedded model's training corpus: speech with performed motion (docs/corpus.md)."""
    from talkcli.engine.pipelines.preprocess import preprocess_corpus

    with Console(as_json=as_json, quiet=quiet) as console:
        _show(console, preprocess_corpus(root, out, reporter=console, num_workers=workers))


@app.command()
def debug(out: Out, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Twelve small generated clips, for tests and debug recipes."""
    from talkcli.engine.pipelines.preprocess import preprocess_debug

    with Console(as_json=as_json, quiet=quiet) as console:
        _show(console, preprocess_debug(out, reporter=console))


@app.command()
def live_link(
    root: Root,
    *,
    out: Out,
    speaker: Annotated[str, typer.Option("--speaker", help="Who was recorded.")] = "unknown",
    emotion: Annotated[str, typer.Option("--emotion", help="What was felt in all takes.")] = "neutral",
    licence: Annotated[str, typer.Option("--licence", help="Licence of the material.")] = "unknown",
    workers: Workers = 2,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Takes of Live Link Face: its CSV, with a wav or the take's video beside it."""
    from talkcli.engine.pipelines.preprocess import preprocess_live_link

    with Console(as_json=as_json, quiet=quiet) as console:
        summary = preprocess_live_link(
            root,
            out,
            speaker=speaker,
            emotion=emotion,
            licence=licence,
            reporter=console,
            num_workers=workers,
        )
        _show(console, summary)


@app.command()
def ravdess(
    root: Root,
    *,
    out: Out,
    split: Annotated[
        str, typer.Option("--split", help="emoface: actors 1-20, 21-22, 23-24; corpus: 1-10, 11, none.")
    ] = "emoface",
    channel: Annotated[str, typer.Option("--channel", help="speech, song or all.")] = "all",
    workers: Workers = 2,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """RAVDESS, spoken and sung: wav, or the sound of mp4; motion is performed (docs/datasets.md)."""
    from talkcli.engine.pipelines.preprocess import preprocess_ravdess

    with Console(as_json=as_json, quiet=quiet) as console:
        summary = preprocess_ravdess(
            root, out, split=split, channel=channel, reporter=console, num_workers=workers
        )
        _show(console, summary)


@app.command()
def crema_d(
    root: Root, out: Out, workers: Workers = 2, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """CREMA-D: wav, mp3 or the sound of flv; motion is performed (docs/datasets.md)."""
    from talkcli.engine.pipelines.preprocess import preprocess_crema_d

    with Console(as_json=as_json, quiet=quiet) as console:
        _show(console, preprocess_crema_d(root, out, reporter=console, num_workers=workers))


@app.command()
def mead(root: Root, out: Out, workers: Workers = 2, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """MEAD in DEEPTalk's form: FLAME parameters and waveforms as .npy (docs/datasets.md)."""
    from talkcli.engine.pipelines.preprocess import preprocess_mead

    with Console(as_json=as_json, quiet=quiet) as console:
        _show(console, preprocess_mead(root, out, reporter=console, num_workers=workers))


app.command()(check)
app.command()(stats)


def _show(console: Console, summary: Summary) -> None:
    reasons: dict[str, list[str]] = {}
    for clip, reason in summary.dropped.items():
        reasons.setdefault(reason, []).append(clip)
    for reason, clips in list(reasons.items())[:_SHOWN]:
        more = f" and {len(clips) - 1} more" if len(clips) > 1 else ""
        console.warn(f"left out {clips[0]}{more}: {reason}")
    if len(reasons) > _SHOWN:
        console.warn(
            f"{len(reasons) - _SHOWN} more reasons are in {summary.manifest.with_name('quarantine.jsonl')}"
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
        ["length", f"{summary.hours:.2f} h"],
        ["emotions", ", ".join(f"{label} {count}" for label, count in summary.emotions.items())],
        ["splits", ", ".join(f"{split} {count}" for split, count in summary.splits.items())],
        ["left out", str(len(summary.dropped))],
    ]
    console.table(document, title=str(summary.manifest), header=["", ""], rows=rows)
