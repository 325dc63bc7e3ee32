"""`talk preprocess`: make clips with a manifest from recordings, or generate them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from talkcli.commands.data_set_command import Options, Out, Root, data_set_command, show
from talkcli.commands.options import AsJson, Quiet, Workers
from talkcli.commands.preprocess_check import check, shards, stats
from talkcli.commands.preprocess_emovox import emovox
from talkcli.console import Console

app = typer.Typer(
    help="Make training clips: sound, motion and a manifest.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Licence = Annotated[str, typer.Option("--licence", help="Licence of the recordings.")]
MotionOf = Annotated[
    Literal["performed", "video"],
    typer.Option(
        "--motion",
        help="Source of the motion. performed: rules, from sound and sentence, a stand-in; video: films.",
    ),
]
# Headings of --help.
_SETS, _OURS, _TOOLS = "Recordings", "Generated", "Tools for clips"


def data_set(root: Any = Root, *, films: bool = False) -> Callable[[Options], Options]:
    """Return a decorator that registers a data set's command, as `data_set_command` does."""
    return data_set_command(app, root, films=films, heading=_SETS)


@data_set()
def affectnet(
    *,
    codes: Annotated[
        Path | None,
        typer.Option("--codes", help="Folder of EMOCA's codes, one folder per picture. Default: ROOT/codes."),
    ] = None,
) -> dict[str, Any]:
    """Convert AffectNet's labelled pictures to FLAME codes, for train-fer."""
    return {"codes": codes}


@data_set()
def artalk() -> dict[str, Any]:
    """Convert ARTalk's motion files, each with its sound."""
    return {}


@data_set()
def beat2() -> dict[str, Any]:
    """Convert BEAT2: SMPL-X motion of faces, and sound."""
    return {}


@data_set()
def biwi(
    *,
    test: Annotated[
        Literal["a", "b"],
        typer.Option("--test", help="Test set. a: the speakers of training; b: the other speakers."),
    ] = "a",
) -> dict[str, Any]:
    """Convert BIWI: vertices of emotional sentences, and sound."""
    return {"test": test}


@data_set(films=True)
def crema_d(*, motion: MotionOf = "performed") -> dict[str, Any]:
    """Convert CREMA-D: wav, mp3 or flv."""
    return {"motion": motion}


@data_set()
def diffposetalk() -> dict[str, Any]:
    """Convert DiffPoseTalk's coefficients, each with its sound."""
    return {}


@data_set()
def emote(
    *,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="Folder of MEAD's sound. Default: the sound in ROOT.")
    ] = None,
    reconstruction: Annotated[
        str | None,
        typer.Option("--reconstruction", help="Name of the reconstruction, if ROOT contains several."),
    ] = None,
) -> dict[str, Any]:
    """Convert 3D-MEAD as EMOTE's authors publish it: hdf5 or hickle, and MEAD's sound."""
    return {"audio": audio, "reconstruction": reconstruction}


@data_set()
def facegood() -> dict[str, Any]:
    """Convert FACEGOOD's pairs of wav and blendshape curves."""
    return {}


@data_set()
def folder(
    *,
    source_fps: Annotated[
        float | None,
        typer.Option(
            "--source-fps", min=0.1, max=1000, help="Frame rate of bare .npy motion, in frames per second."
        ),
    ] = None,
    layout: Annotated[
        str,
        typer.Option("--layout", help="Column layout of bare .npy motion (docs/formats.md lists the names)."),
    ] = "auto",
    licence: Licence = "unknown",
    origin: Annotated[
        Literal["captured", "fitted", "animated", "performed", "generated"] | None,
        typer.Option(
            "--origin", help="Origin of the motion, if its file does not state it. fitted: fitted to film."
        ),
    ] = None,
) -> dict[str, Any]:
    """Convert sound files with motion files (.npz, or bare .npy) of the same name, and labels.csv."""
    from talkcli.engine.prepare.adapters.folder import BareMotion

    bare = None if source_fps is None else BareMotion(fps=source_fps, layout=layout)
    return {"bare": bare, "licence": licence, "origin": origin}


@data_set(films=True)
def hdtf() -> dict[str, Any]:
    """Convert HDTF's clips and lists; talk fits the motion to the faces."""
    return {}


@data_set()
def librispeech() -> dict[str, Any]:
    """Convert LibriSpeech: read English with transcripts."""
    return {}


@data_set()
def live_link(
    *,
    speaker: Annotated[str, typer.Option("--speaker", help="Name of the person recorded.")] = "unknown",
    emotion: Annotated[str, typer.Option("--emotion", help="Emotion label of all takes.")] = "neutral",
    licence: Licence = "unknown",
) -> dict[str, Any]:
    """Convert takes of Live Link Face: its CSV, with a wav or the take's video beside it."""
    return {"speaker": speaker, "emotion": emotion, "licence": licence}


@data_set()
def mead() -> dict[str, Any]:
    """Convert MEAD in DEEPTalk's form: FLAME parameters and waveforms as .npy."""
    return {}


@data_set(films=True)
def mead_raw(
    *,
    views: Annotated[
        list[str] | None,
        typer.Option(
            "--view", help="Side that the films show, e.g. left_30; you may give the option several times."
        ),
    ] = None,
) -> dict[str, Any]:
    """Convert MEAD's films: mp4 and m4a; talk fits the motion to the faces."""
    return {"views": views} if views else {}


@data_set()
def nemo() -> dict[str, Any]:
    """Convert nEMO: acted emotions in Polish."""
    return {}


@data_set(films=True)
def ravdess(
    *,
    split: Annotated[
        Literal["emoface", "corpus"],
        typer.Option(
            "--split",
            help="Actors of train, val and test. emoface: 1-20, 21-22, 23-24; corpus: 1-10, 11, none.",
        ),
    ] = "emoface",
    channel: Annotated[
        Literal["all", "speech", "song"], typer.Option("--channel", help="Kind of performance to read.")
    ] = "all",
    motion: MotionOf = "performed",
) -> dict[str, Any]:
    """Convert RAVDESS, spoken and sung: wav or mp4."""
    from talkcli.engine.prepare.ravdess_names import CHANNELS, SPLITS

    return {"split_of_actor": SPLITS[split], "channels": CHANNELS[channel], "motion": motion}


@data_set(films=True)
def ravdess3d(
    *,
    motion: Annotated[
        Literal["given", "video"],
        typer.Option(
            "--motion", help="Source of the motion. given: coefficients of a tracker; video: films in ROOT."
        ),
    ] = "given",
    codes: Annotated[
        Path | None,
        typer.Option("--codes", help="Folder of the tracker's coefficients. Default: ROOT."),
    ] = None,
    source_fps: Annotated[
        float,
        typer.Option(
            "--source-fps",
            min=1,
            max=240,
            help="Frame rate of given coefficients whose file states none, in frames per second.",
        ),
    ] = 30.0,
    form: Annotated[
        Literal["vertices", "coefficients"],
        typer.Option("--form", help="Form of the motion. vertices: the head's vertices, as published."),
    ] = "vertices",
    kalman: Annotated[
        Literal["forward", "both", "none"],
        typer.Option(
            "--kalman", help="Kalman filter. forward: from the past; both: a second pass backwards follows."
        ),
    ] = "forward",
    kalman_hz: Annotated[
        float,
        typer.Option(
            "--kalman-hz",
            min=0.1,
            max=100,
            help="Frequency that states the ratio of the filter's noises, in Hz; higher follows faster.",
        ),
    ] = 6.0,
) -> dict[str, Any]:
    """Convert RAVDESS to 3D-RAVDESS as EmoFace builds it: speech, 30 fps, Kalman-filtered vertices."""
    from talkcli.engine.prepare.adapters.ravdess3d import Build

    built = Build(form=form, kalman=None if kalman == "none" else kalman, kalman_hz=kalman_hz)
    return {
        "motion": "video" if motion == "video" else "measured",
        "codes": codes,
        "source_fps": source_fps,
        "build": built,
    }


@data_set(
    Annotated[list[Path], typer.Argument(metavar="FILES|FOLDER", help="Films of talking faces.")], films=True
)
def video(*, licence: Licence = "unknown") -> dict[str, Any]:
    """Convert any films of talking faces; talk fits the motion to the faces."""
    return {"licence": licence}


@data_set()
def vocaset(
    *,
    sentences: Annotated[
        Literal["published", "all"],
        typer.Option(
            "--sentences",
            help="published: sentences 21-40 of the subjects that validate and test; all: all 40.",
        ),
    ] = "published",
    coefficients: Annotated[
        bool, typer.Option("--coefficients", help="Also fit expression and jaw of your FLAME model.")
    ] = False,
) -> dict[str, Any]:
    """Convert VOCASET: vertices and sound."""
    return {"sentences": sentences, "coefficients": coefficients}


@data_set(films=True)
def voxceleb2(
    *,
    motion: Annotated[
        Literal["none", "video"],
        typer.Option("--motion", help="Source of the motion. none: sound alone; video: films."),
    ] = "none",
) -> dict[str, Any]:
    """Convert VoxCeleb2: sound, for emovox, or films."""
    return {"motion": motion}


@app.command(rich_help_panel=_OURS)
def corpus(
    root: Root,
    out: Out,
    prompts: Annotated[
        Path | None,
        typer.Option(
            "--prompts",
            metavar="FOLDER",
            help="Folder of Asterisk's core sounds (.g722). Default: where Debian puts them.",
        ),
    ] = None,
    workers: Workers = 2,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make the embedded model's training corpus: speech with performed motion (docs/corpus.md)."""
    from talkcli.engine.pipelines.preprocess import preprocess_corpus
    from talkcli.engine.prepare.build import Plan

    with Console(as_json=as_json, quiet=quiet) as console:
        show(console, preprocess_corpus(root, out, Plan(num_workers=workers), console, prompts=prompts))


@app.command(rich_help_panel=_OURS)
def debug(out: Out, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Generate twelve small clips, for tests and debug recipes."""
    from talkcli.engine.pipelines.preprocess import preprocess_debug

    with Console(as_json=as_json, quiet=quiet) as console:
        show(console, preprocess_debug(out, reporter=console))


for tool in (check, stats, shards, emovox):
    app.command(rich_help_panel=_TOOLS)(tool)
