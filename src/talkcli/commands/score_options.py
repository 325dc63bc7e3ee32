"""Declare once the options that the commands of `talk score` share, and read thresholds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from talkcli.console import print_error
from talkcli.engine.errors import ThresholdError, UsageError

if TYPE_CHECKING:
    from talkcli.engine.pipelines.score.overall import Threshold

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
Split = Annotated[
    Literal["train", "val", "test", "all"] | None,
    typer.Option("--split", help="Split of --dataset to score. Default: test.", rich_help_panel=CLIPS),
]
HeadName = Annotated[
    str | None,
    typer.Option("--head", help="Head: ada, flame, or a FLAME file. Default: the motion's own."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        help="Model that makes the motion if you give no motion files, as in talk animate.",
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
ScoreWorkers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        max=256,
        help="Number of worker processes; 0: work in this process. Default: up to four, by number of clips.",
    ),
]


def limits(
    fail_under: list[str] | None, fail_over: list[str] | None, known: Collection[str]
) -> list[Threshold]:
    """Return the thresholds that the options state. Raises UsageError for names that are not `known`."""
    from talkcli.engine.pipelines.score.overall import Threshold

    return [
        *(Threshold.parse(text, is_floor=True, known=known) for text in fail_under or []),
        *(Threshold.parse(text, is_floor=False, known=known) for text in fail_over or []),
    ]


def fail_where_missed(report: Mapping[str, Any]) -> None:
    """End the command with exit code 7 if the report misses a threshold."""
    if report["missed"]:
        # The error is printed and not raised: with --json the one document on stdout is the report, which
        # lists the missed thresholds.
        print_error(
            f"Thresholds not met: {'; '.join(report['missed'])}.",
            None,
            ThresholdError.exit_code,
            as_json=False,
        )
        raise typer.Exit(ThresholdError.exit_code)


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
