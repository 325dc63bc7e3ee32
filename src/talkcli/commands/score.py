"""`talk score`: how good is a motion, and how different are a model's performances?"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from talkcli.commands.options import AsJson, Device, MaxMinutes, Quiet, Seed
from talkcli.commands.score_tables import check_unused, show_diversity, show_emotion, show_motions
from talkcli.console import Console, print_error
from talkcli.engine.errors import ThresholdError, UsageError
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.option_names import spoken_reasons

if TYPE_CHECKING:
    from talkcli.engine.pipelines.score.overall import Threshold

# It hears neither emotion nor words, and draws no takes.
_RULES = "rules"
_TEST = "test"


def score(
    predictions: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PRED]...",
            help="Motion files (.npz) or folders of them; absent: animate --audio or --dataset.",
        ),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="The true motion, or a folder of files of the same names.")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="The speech, or a folder of files of the same names.")
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(
            "--text",
            help="What is said: NAME.txt, NAME.TextGrid (phones), LJSpeech's metadata.csv, or a folder.",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", help="Real motion, a file or a folder, to compare jerk with."),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            metavar="NAME|PATH",
            help="A set prepared by talk preprocess: its name below $TALK_DATA (else ./data), or its path.",
        ),
    ] = None,
    split: Annotated[
        Literal["train", "val", "test", "all"] | None,
        typer.Option("--split", help="Which clips of --dataset; absent: test."),
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", help="ada, flame, or a FLAME file; absent: as the motion says.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="What animates where no PRED is given, as in talk animate.")
    ] = "embedded",
    sigma: Annotated[float | None, typer.Option("--sigma", help="For --model: as in talk animate.")] = None,
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="NAME|INDEX", help="For --model: as in talk animate."),
    ] = None,
    takes: Annotated[
        int | None,
        typer.Option("--takes", min=1, help="For --model: performances per clip; absent: 1, for a table 10."),
    ] = None,
    table: Annotated[
        Literal["diversity", "emotion"] | None,
        typer.Option(
            "--table",
            help="Instead, of --model on --audio or --dataset: diversity and lips under every setting of "
            "DEEPTalk's table 3; or emotion heard, shown, directed and swapped (--audio needs labels.csv).",
        ),
    ] = None,
    emotions_of: Annotated[
        Path | None,
        typer.Option(
            "--emotions-of",
            metavar="MANIFEST",
            help="For --table emotion: whose train split shows what emotions look like; absent: the "
            "--dataset's.",
        ),
    ] = None,
    per_clip: Annotated[bool, typer.Option("--per-clip", help="Show every clip too.")] = False,
    fail_under: Annotated[
        list[str] | None,
        typer.Option("--fail-under", metavar="METRIC=VALUE", help="Exit with 7 where the metric is lower."),
    ] = None,
    fail_over: Annotated[
        list[str] | None,
        typer.Option("--fail-over", metavar="METRIC=VALUE", help="Exit with 7 where the metric is higher."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=0,
            max=256,
            help="Processes that clips are done in; 0: this one; absent: as many as are worth it.",
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    max_minutes: MaxMinutes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Score motion against true motion and against the speech.

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
            "--workers": workers is not None,
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
            "--model rules": model == _RULES, "--workers": workers is not None,
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
                    model_name=model, device_name=device, sigma=sigma, actor=actor, seed=seed
                ),
                thresholds=_thresholds(fail_under, fail_over, EMOTION_MEASURES),
                reporter=console,
            )
        report = spoken_reasons(report)
        show_emotion(console, report, per_clip=per_clip)
        _fail_where_missed(report)
        return
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
                model_name=model, device_name=device, sigma=sigma, actor=actor, takes=takes or 1, seed=seed
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
        # Not raised: with --json the one document on stdout is the report, which lists what was missed.
        print_error(
            f"Thresholds not met: {'; '.join(report['missed'])}.",
            None,
            ThresholdError.exit_code,
            as_json=False,
        )
        raise typer.Exit(ThresholdError.exit_code)
