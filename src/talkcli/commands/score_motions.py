"""`talk score motions` and `talk score dataset`: score motion files, or the motion that a model makes."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from talkcli.commands.options import AsJson, Device, MaxMinutes, Quiet, Seed
from talkcli.commands.score_options import (
    Actor,
    Audio,
    Dataset,
    Degraded,
    FailOver,
    FailUnder,
    HeadName,
    Layers,
    Model,
    PerClip,
    Predictions,
    Reference,
    ScoreWorkers,
    Sigma,
    Split,
    Takes,
    Text,
    Truth,
    chosen_split,
    fail_where_missed,
    limits,
)
from talkcli.commands.score_tables import show_motions
from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.option_names import spoken_reasons

# Parameters of `motions` that are no options of `dataset`, whose argument names the clips.
_OF_FILES = ("predictions", "truth", "audio", "text", "dataset")


def motions(
    predictions: Predictions = None,
    truth: Truth = None,
    audio: Audio = None,
    text: Text = None,
    reference: Reference = None,
    dataset: Dataset = None,
    split: Split = None,
    head: HeadName = None,
    model: Model = EMBEDDED,
    sigma: Sigma = None,
    actor: Actor = None,
    takes: Takes = None,
    degraded: Degraded = None,
    layers: Layers = False,
    per_clip: PerClip = False,
    fail_under: FailUnder = None,
    fail_over: FailOver = None,
    workers: ScoreWorkers = None,
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
    chosen = chosen_split(split, dataset)
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
            split=chosen,
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
            thresholds=limits(fail_under, fail_over, METRICS),
            reporter=console,
            num_workers=workers,
        )
    report = spoken_reasons(report)
    show_motions(console, report, per_clip=per_clip)
    fail_where_missed(report)


def dataset(**given: Any) -> None:
    """Score a model on a prepared data set: the same as talk score --dataset DATASET.

    talk score dataset ravdess --model runs/gen
    """
    motions(**given)


def _declare_dataset() -> None:
    """Give `dataset` the options of `motions`, in the form that typer reads."""
    named = inspect.Parameter(
        "dataset",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[
            str,
            typer.Argument(
                metavar="DATASET",
                help="Set prepared by talk preprocess: its name below $TALK_DATA (else ./data), or its path.",
            ),
        ],
    )
    own = inspect.signature(motions, eval_str=True).parameters
    parameters = [
        named,
        *(each.replace(kind=named.kind) for key, each in own.items() if key not in _OF_FILES),
    ]
    dataset.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    dataset.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


_declare_dataset()
