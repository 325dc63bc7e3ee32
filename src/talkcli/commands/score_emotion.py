"""`talk score emotion`: whether a model recognises emotion, shows it, and can be directed."""

from __future__ import annotations

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
    FailOver,
    FailUnder,
    HeadName,
    Model,
    PerClip,
    Sigma,
    Split,
    Text,
    Truth,
    chosen_split,
    fail_where_missed,
    limits,
    refuse_rules,
)
from talkcli.commands.score_tables import show_emotion
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
    fail_under: FailUnder = None,
    fail_over: FailOver = None,
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
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.score.emotion.table import EmotionInputs, emotion_table
        from talkcli.engine.pipelines.score.generation import Generation

        report = emotion_table(
            EmotionInputs(
                audio=audio,
                truth=truth,
                text=text,
                dataset=dataset,
                split=chosen,
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
            thresholds=limits(fail_under, fail_over, EMOTION_MEASURES),
            reporter=console,
        )
    report = spoken_reasons(report)
    show_emotion(console, report, per_clip=per_clip)
    fail_where_missed(report)
