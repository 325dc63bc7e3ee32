"""`talk score emotion`: whether a model recognises emotion, shows it, and can be directed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from talkcli.commands.options import AsJson, Device, MaxMinutes, Quiet, Seed
from talkcli.commands.score_options import (
    CLIPS,
    Actor,
    Audio,
    Dataset,
    Degraded,
    FailIf,
    FailOver,
    FailUnder,
    HeadName,
    Junit,
    Limit,
    Model,
    PerClip,
    Report,
    Sigma,
    Split,
    Text,
    Truth,
    chosen_split,
    refuse_rules,
)
from talkcli.commands.score_report import write_page
from talkcli.commands.score_tables import show_emotion
from talkcli.commands.score_verdict import Verdict, check_outputs
from talkcli.console import Console
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.option_names import spoken_reasons


def emotion(
    audio: Audio = None,
    truth: Truth = None,
    text: Text = None,
    dataset: Dataset = None,
    split: Split = None,
    limit: Limit = None,
    emotions_of: Annotated[
        Path | None,
        typer.Option(
            "--emotions-of",
            metavar="MANIFEST",
            help="Manifest whose train split trains the classifier of motion. Default: that of --dataset.",
            rich_help_panel=CLIPS,
        ),
    ] = None,
    head: HeadName = None,
    model: Model = EMBEDDED,
    sigma: Sigma = None,
    actor: Actor = None,
    degraded: Degraded = None,
    per_clip: PerClip = False,
    report: Report = None,
    fail_if: FailIf = None,
    fail_under: FailUnder = None,
    fail_over: FailOver = None,
    junit: Junit = None,
    seed: Seed = 0,
    device: Device = "auto",
    max_minutes: MaxMinutes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure recognition of emotion in speech and in motion, with --emotion, and after a swap.

    talk score emotion --dataset ravdess --model runs/gen

    A folder of sounds (--audio) needs a labels.csv with the columns id, emotion and speaker.
    """
    from talkcli.engine.audio.limits import limit_sound

    limit_sound(max_minutes)
    chosen = chosen_split(split, dataset)
    refuse_rules(model, "emotion")
    check_outputs({"--report": report, "--junit": junit}, [audio, truth, text, emotions_of], dataset)
    verdict = Verdict(
        EMOTION_MEASURES, fail_under=fail_under, fail_over=fail_over, fail_if=fail_if, junit=junit
    )
    with verdict:
        with Console(as_json=as_json, quiet=quiet) as console:
            from talkcli.engine.pipelines.score.emotion.table import EmotionInputs, emotion_table
            from talkcli.engine.pipelines.score.generation import Generation

            generation = Generation(
                model_name=model,
                device_name=device,
                sigma=sigma,
                actor=actor,
                seed=seed,
                degrade=degraded,
            )
            found = emotion_table(
                EmotionInputs(
                    audio=audio,
                    truth=truth,
                    text=text,
                    dataset=dataset,
                    split=chosen,
                    limit=limit,
                    emotions_of=emotions_of,
                    head_name=head,
                ),
                generation=generation,
                thresholds=verdict.thresholds,
                reporter=console,
            )
            found = spoken_reasons(found)
            show = partial(show_emotion, per_clip=per_clip)
        show(console, found)
        if report is not None:
            from talkcli.engine.pipelines.score.sources import Sources

            sources = Sources(
                truth=truth,
                audio=audio,
                dataset=dataset,
                split=chosen,
                text=text,
                limit=limit,
                head_name=head,
            )
            write_page(report, found, show, sources=sources, generation=generation, console=console)
        verdict.give(found)
