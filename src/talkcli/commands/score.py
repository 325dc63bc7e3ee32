"""`talk score`: measure how good a motion is, and how much a model's performances differ."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from talkcli.commands.options import AsJson, Device, MaxMinutes, Quiet, Seed
from talkcli.commands.score_tables import check_unused, show_diversity, show_emotion, show_motions
from talkcli.console import Console, print_error
from talkcli.engine.errors import ThresholdError, UsageError
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.option_names import spoken_reasons

if TYPE_CHECKING:
    from talkcli.engine.pipelines.score.overall import Threshold

# Name of the performer by rules in --model. The performer detects neither emotion nor words in the sound and
# samples no takes, so the tables refuse it.
_RULES = "rules"
# Split of --dataset that is scored where --split is absent.
_TEST = "test"


def score(
    predictions: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PRED]...",
            help="Motion files (.npz), or folders of them. Default: the motion that --model makes from "
            "--audio or --dataset.",
        ),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="True motion, or a folder of files with the same names.")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="Speech, or a folder of files with the same names.")
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(
            "--text",
            help="Words of the speech: NAME.txt, NAME.TextGrid (phones), LJSpeech's metadata.csv, or a "
            "folder.",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", help="Real motion to compare jerk with, a file or a folder."),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            metavar="NAME|PATH",
            help="Set prepared by talk preprocess: its name below $TALK_DATA (else ./data), or its path.",
        ),
    ] = None,
    split: Annotated[
        Literal["train", "val", "test", "all"] | None,
        typer.Option("--split", help="Split of --dataset to score. Default: test."),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option("--head", help="Head: ada, flame, or a FLAME file. Default: the motion's own."),
    ] = None,
    model: Annotated[
        str,
        typer.Option("--model", help="Model that makes the motion if you give no PRED, as in talk animate."),
    ] = EMBEDDED,
    sigma: Annotated[
        float | None, typer.Option("--sigma", help="Option of --model, as in talk animate.")
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="NAME|INDEX", help="Option of --model, as in talk animate."),
    ] = None,
    takes: Annotated[
        int | None,
        typer.Option(
            "--takes", min=1, help="Performances of --model per clip. Default: 1; for --table diversity 10."
        ),
    ] = None,
    table: Annotated[
        Literal["diversity", "emotion"] | None,
        typer.Option(
            "--table",
            help="Measure --model on --audio or --dataset instead. diversity: diversity and lip measures "
            "under every setting of DEEPTalk's table 3; emotion: recognition of emotion in speech and in "
            "motion, with --emotion, and after a swap (--audio needs labels.csv).",
        ),
    ] = None,
    emotions_of: Annotated[
        Path | None,
        typer.Option(
            "--emotions-of",
            metavar="MANIFEST",
            help="For --table emotion: manifest whose train split trains the classifier of motion. Default: "
            "that of --dataset.",
        ),
    ] = None,
    degraded: Annotated[
        Literal["telephone", "noise", "music", "reverb", "offset", "quiet", "pitch"] | None,
        typer.Option(
            "--degrade",
            help="Give --model the speech as a poor recording: through a telephone, under noise or music at "
            "10 dB, in a hall, with a DC offset of 0.2 (the reader removes it), 25 dB softer, or of a voice "
            "1.3 times as high.",
        ),
    ] = None,
    layers: Annotated[
        bool,
        typer.Option(
            "--layers",
            help="Score the motion of --model with the layers that draw at random too: head, brows, eyes.",
        ),
    ] = False,
    per_clip: Annotated[
        bool, typer.Option("--per-clip", help="Also print the values of every clip.")
    ] = False,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-under",
            metavar="METRIC=VALUE",
            help="Exit with code 7 if the metric is lower than this value.",
        ),
    ] = None,
    fail_over: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-over",
            metavar="METRIC=VALUE",
            help="Exit with code 7 if the metric is higher than this value.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=0,
            max=256,
            help="Number of worker processes; 0: work in this process. Default: up to four, by number of "
            "clips.",
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    max_minutes: MaxMinutes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Score motion against the true motion and against the speech.

    talk score face.npz --truth true.npz --audio speech.wav

    talk score --dataset ravdess
    """
    from talkcli.engine.audio.limits import limit_sound

    limit_sound(max_minutes)
    if split is not None and dataset is None:
        raise UsageError("--split chooses clips of --dataset, and there is none.", hint="Add --dataset.")
    if table == "diversity":
        given = {
            "PRED": predictions, "--truth": truth, "--reference": reference, "--sigma": sigma is not None,
            "--emotions-of": emotions_of, "--per-clip": per_clip, "--fail-under": fail_under,
            "--fail-over": fail_over, "--model rules": model == _RULES,
            "--workers": workers is not None, "--degrade": degraded, "--layers": layers,
        }  # fmt: skip
        check_unused(table, given)
        with Console(as_json=as_json, quiet=quiet) as console:
            from talkcli.engine.pipelines.score.diversity import diversity_table
            from talkcli.engine.pipelines.score.generation import Generation

            report = diversity_table(
                audio=audio,
                dataset=dataset,
                split=split or _TEST,
                text=text,
                head_name=head,
                generation=Generation(
                    model_name=model, device_name=device, actor=actor, takes=takes or 10, seed=seed
                ),
                reporter=console,
            )
        report = spoken_reasons(report)
        show_diversity(console, report)
        return
    if table == "emotion":
        given = {
            "PRED": predictions, "--reference": reference, "--takes": takes is not None,
            "--model rules": model == _RULES, "--workers": workers is not None, "--layers": layers,
        }  # fmt: skip
        check_unused(table, given)
        with Console(as_json=as_json, quiet=quiet) as console:
            from talkcli.engine.pipelines.score.emotion.table import EmotionInputs, emotion_table
            from talkcli.engine.pipelines.score.generation import Generation

            report = emotion_table(
                EmotionInputs(
                    audio=audio,
                    truth=truth,
                    text=text,
                    dataset=dataset,
                    split=split or _TEST,
                    emotions_of=emotions_of,
                    head_name=head,
                ),
                generation=Generation(
                    model_name=model,
                    device_name=device,
                    sigma=sigma,
                    actor=actor,
                    seed=seed,
                    degrade=degraded,
                ),
                thresholds=_thresholds(fail_under, fail_over, EMOTION_MEASURES),
                reporter=console,
            )
        report = spoken_reasons(report)
        show_emotion(console, report, per_clip=per_clip)
        _fail_where_missed(report)
        return
    for option, is_asked in (("--degrade", degraded is not None), ("--layers", layers)):
        if is_asked and predictions:
            raise UsageError(f"{option} is about motion that --model makes, but PRED is given.")
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.score.generation import Generation
        from talkcli.engine.pipelines.score.motions import score_motions

        report = score_motions(
            predictions or [],
            truth=truth,
            audio=audio,
            dataset=dataset,
            split=split or _TEST,
            text=text,
            reference=reference,
            head_name=head,
            generation=Generation(
                model_name=model,
                device_name=device,
                sigma=sigma,
                actor=actor,
                takes=takes or 1,
                seed=seed,
                degrade=degraded,
                layers=layers,
            ),
            thresholds=_thresholds(fail_under, fail_over, METRICS),
            reporter=console,
            num_workers=workers,
        )
    report = spoken_reasons(report)
    show_motions(console, report, per_clip=per_clip)
    _fail_where_missed(report)


def _thresholds(
    fail_under: list[str] | None, fail_over: list[str] | None, known: Collection[str]
) -> list[Threshold]:
    from talkcli.engine.pipelines.score.overall import Threshold

    return [
        *(Threshold.parse(text, is_floor=True, known=known) for text in fail_under or []),
        *(Threshold.parse(text, is_floor=False, known=known) for text in fail_over or []),
    ]


def _fail_where_missed(report: dict[str, Any]) -> None:
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
