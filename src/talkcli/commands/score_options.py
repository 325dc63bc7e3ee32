"""Declare once the options that the commands of `talk score` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from talkcli.engine.errors import UsageError

# Name of the performer by rules in --model. The performer detects neither emotion nor words in the sound and
# samples no takes, so the tables of emotion and of diversity refuse it.
_RULES = "rules"
# Split of --dataset that is scored where --split is absent.
_TEST = "test"
# Headings of --help.
CLIPS, MODEL, VERDICT = "Clips to score", "Motion that a model makes", "What must hold"

Predictions = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[PRED]...",
        help="Motion files (.npz), or folders of them. Default: the motion that --model makes from --audio "
        "or --dataset.",
    ),
]
Truth = Annotated[
    Path | None,
    typer.Option(
        "--truth", help="True motion, or a folder of files with the same names.", rich_help_panel=CLIPS
    ),
]
Audio = Annotated[
    Path | None,
    typer.Option("--audio", help="Speech, or a folder of files with the same names.", rich_help_panel=CLIPS),
]
Text = Annotated[
    Path | None,
    typer.Option(
        "--text",
        help="Words of the speech: NAME.txt, NAME.TextGrid (phones), LJSpeech's metadata.csv, or a folder.",
        rich_help_panel=CLIPS,
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        help="Real motion to compare jerk with, a file or a folder.",
        rich_help_panel=CLIPS,
    ),
]
Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="NAME|PATH",
        help="Set prepared by talk preprocess: its name below $TALK_DATA (else ./data), or its path.",
        rich_help_panel=CLIPS,
    ),
]
Prepare = Annotated[
    Path | None,
    typer.Option(
        "--prepare",
        metavar="ROOT",
        help="First prepare --dataset from the recordings in this folder, as talk preprocess does.",
        rich_help_panel=CLIPS,
    ),
]
Motions = Annotated[
    Path | None,
    typer.Option(
        "--motions",
        metavar="FOLDER",
        help="Motion files that somebody made of the clips, by the clips' names; the same as PRED.",
        rich_help_panel=CLIPS,
    ),
]
Videos = Annotated[
    Path | None,
    typer.Option(
        "--videos",
        metavar="FOLDER",
        help="Videos of talking faces that somebody made of the clips, by the clips' names; without "
        "--dataset or --audio with their own sound. The extra video is needed.",
        rich_help_panel=CLIPS,
    ),
]
Films = Annotated[
    Path | None,
    typer.Option(
        "--films",
        metavar="FOLDER",
        help="Real films of the clips of --videos: FID compares with them, and without a true motion "
        "theirs is the truth.",
        rich_help_panel=CLIPS,
    ),
]
Split = Annotated[
    Literal["train", "val", "test", "all"] | None,
    typer.Option("--split", help="Split of --dataset to score. Default: test.", rich_help_panel=CLIPS),
]
HeadName = Annotated[
    str | None,
    typer.Option("--head", help="Head: ada, abe, bust, flame, or a head's file. Default: the motion's own."),
]
VertexSetFile = Annotated[
    Path | None,
    typer.Option(
        "--vertex-sets",
        metavar="FILE",
        help="For vertices of a topology that talk does not know: JSON with lists of vertex numbers, "
        '{"lips": [...], "upper_face": [...]}.',
    ),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        help="Model that makes the motion if you give no motion files, as in talk animate.",
        rich_help_panel=MODEL,
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="Model that makes the motion if you give no motion files, as in talk animate. With a --table of "
        "the papers you may name several: each gets a row beside the published one. Default: embedded.",
        rich_help_panel=MODEL,
    ),
]
Sigma = Annotated[
    float | None,
    typer.Option("--sigma", help="Option of --model, as in talk animate.", rich_help_panel=MODEL),
]
Actor = Annotated[
    str | None,
    typer.Option(
        "--actor",
        metavar="NAME|INDEX",
        help="Option of --model, as in talk animate.",
        rich_help_panel=MODEL,
    ),
]
Takes = Annotated[
    int | None,
    typer.Option(
        "--takes",
        min=1,
        help="Performances of --model per clip. Default: 1; of talk score diversity 10.",
        rich_help_panel=MODEL,
    ),
]
Degraded = Annotated[
    Literal["telephone", "noise", "music", "reverb", "offset", "quiet", "pitch"] | None,
    typer.Option(
        "--degrade",
        help="Give --model the speech as a poor recording: through a telephone, under noise or music at "
        "10 dB, in a hall, with a DC offset of 0.2 (the reader removes it), 25 dB softer, or of a voice "
        "1.3 times as high.",
        rich_help_panel=MODEL,
    ),
]
Layers = Annotated[
    bool,
    typer.Option(
        "--layers",
        help="Score the motion of --model with the layers that draw at random too: head, brows, eyes.",
        rich_help_panel=MODEL,
    ),
]
PerClip = Annotated[bool, typer.Option("--per-clip", help="Also print the values of every clip.")]
FailUnder = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-under",
        metavar="METRIC=VALUE",
        help="Exit with code 7 if the metric is lower than this value.",
        rich_help_panel=VERDICT,
    ),
]
FailOver = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-over",
        metavar="METRIC=VALUE",
        help="Exit with code 7 if the metric is higher than this value.",
        rich_help_panel=VERDICT,
    ),
]
FailIf = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="CONDITION",
        help="Exit with code 7 if the condition holds, for example 'lve_mm>3.0', with >, >=, < or <=; you "
        "may give the option several times.",
        rich_help_panel=VERDICT,
    ),
]
Junit = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        metavar="FILE",
        help="Write JUnit XML: a test case for each threshold, and for each clip with an error.",
        rich_help_panel=VERDICT,
    ),
]
Metric = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME|PATTERN",
        help="Measure only this metric, or those that the pattern names (lve*); you may give the option "
        "several times. Default: all that need no asking (docs/metrics.md).",
    ),
]
PaperTable = Annotated[
    Literal["main", "emovox", "ablation", "vocaset", "ravdess3d"] | None,
    typer.Option(
        "--table",
        help="Print a table of the papers with a row of this score: DEEPTalk's tables 1 (main), 2 (emovox) "
        "and 4 (ablation), EmoFace's (vocaset, ravdess3d). DEEPTalk's table 3 is talk score diversity.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Also write the tables with pictures as a page: one HTML file that holds everything.",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="Score the first N clips only.", metavar="N", rich_help_panel=CLIPS),
]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Make the motion of --model anew, and keep none of it.",
        rich_help_panel=MODEL,
    ),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="FOLDER",
        help="Folder that keeps the motion of --model for the next score. Default: below $TALK_CACHE, else "
        "the user's cache.",
        rich_help_panel=MODEL,
    ),
]
Seeds = Annotated[
    int,
    typer.Option(
        "--seeds",
        min=1,
        help="Number of seeds, from --seed on: animate every clip with each, and show how far they differ.",
        rich_help_panel=MODEL,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Address of a Dask scheduler that distributes the clips, instead of --workers.",
    ),
]
ScoreWorkers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        max=256,
        help="Number of worker processes; 0: work in this process. Default: up to four, by number of clips.",
    ),
]


def chosen_split(split: str | None, dataset: str | None) -> str:
    """Return the split to score. Raises UsageError for a split without a data set."""
    if split is not None and dataset is None:
        raise UsageError("--split chooses clips of --dataset, and there is none.", hint="Add --dataset.")
    return split or _TEST


def refuse_rules(model: str, command: str) -> None:
    """Raise UsageError if `model` is the performer by rules, which the table of `command` has no use for."""
    if model == _RULES:
        raise UsageError(
            f"talk score {command} has no use for --model rules, which reads no emotion and draws no takes.",
            hint="Give it a trained model.",
        )
