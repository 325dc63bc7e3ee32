"""`talk score motions` and `talk score dataset`: score motion files, or the motion that a model makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer

from talkcli.commands.options import AsJson, Device, MaxMinutes, Quiet, Seed
from talkcli.commands.score_options import (
    Actor,
    Audio,
    Cache,
    Cluster,
    Dataset,
    Degraded,
    FailIf,
    FailOver,
    FailUnder,
    Films,
    HeadName,
    Junit,
    Layers,
    Limit,
    Metric,
    Models,
    Motions,
    NoCache,
    PaperTable,
    PerClip,
    Predictions,
    Prepare,
    Reference,
    Report,
    ScoreWorkers,
    Seeds,
    Sigma,
    Split,
    Takes,
    Text,
    Truth,
    VertexSetFile,
    Videos,
    chosen_split,
)
from talkcli.commands.score_paper_tables import show_models, show_paper_table
from talkcli.commands.score_report import write_page
from talkcli.commands.score_tables import show_motions
from talkcli.commands.score_verdict import Verdict, check_outputs
from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.metrics.catalogue import METRICS, chosen_metrics
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
    motions: Motions = None,
    videos: Videos = None,
    films: Films = None,
    prepare: Prepare = None,
    split: Split = None,
    limit: Limit = None,
    head: HeadName = None,
    vertex_sets: VertexSetFile = None,
    model: Models = None,
    sigma: Sigma = None,
    actor: Actor = None,
    takes: Takes = None,
    degraded: Degraded = None,
    layers: Layers = False,
    cache: Cache = None,
    no_cache: NoCache = False,
    metric: Metric = None,
    table: PaperTable = None,
    per_clip: PerClip = False,
    report: Report = None,
    fail_if: FailIf = None,
    fail_under: FailUnder = None,
    fail_over: FailOver = None,
    junit: Junit = None,
    workers: ScoreWorkers = None,
    cluster: Cluster = None,
    seed: Seed = 0,
    seeds: Seeds = 1,
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
    given = [*(predictions or []), *([] if motions is None else [motions])]
    asked = {
        "--degrade": degraded is not None, "--layers": layers, "--cache": cache is not None,
        "--no-cache": no_cache, "--seeds": seeds > 1,
    }  # fmt: skip
    files = "motion files" if given else "videos"
    if (given or videos) and (options := [option for option, is_asked in asked.items() if is_asked]):
        raise UsageError(f"{options[0]} is about motion that --model makes, but {files} are given.")
    if cache is not None and no_cache:
        raise UsageError("--cache and --no-cache exclude each other.", hint="Give one of them.")
    if prepare is not None and dataset is None:
        raise UsageError("--prepare prepares --dataset, and there is none.", hint="Add --dataset.")
    check_outputs(
        {"--report": report, "--junit": junit},
        [*given, truth, audio, text, reference, vertex_sets, videos, films],
        dataset,
    )
    names = model or [EMBEDDED]
    if len(names) > 1:
        _check_several(
            table,
            files=given or videos,
            verdicts=[report, fail_if, fail_under, fail_over, junit],
            of_one={"--sigma": sigma, "--actor": actor},
        )
    verdict = Verdict(METRICS, fail_under=fail_under, fail_over=fail_over, fail_if=fail_if, junit=junit)
    with verdict:
        with Console(as_json=as_json, quiet=quiet) as console:
            from talkcli.engine.pipelines.score.generation import Generation
            from talkcli.engine.pipelines.score.motions import score_motions

            if prepare is not None and dataset is not None:
                from talkcli.engine.pipelines.score.prepare import prepare as prepare_set

                prepare_set(dataset, prepare, console, workers)
            generation = Generation(
                model_name=names[0],
                device_name=device,
                sigma=sigma,
                actor=actor,
                takes=takes or 1,
                seed=seed,
                degrade=degraded,
                layers=layers,
            )
            score = partial(
                score_motions,
                given,
                truth=truth,
                audio=audio,
                dataset=dataset,
                split=chosen,
                text=text,
                reference=reference,
                head_name=head,
                thresholds=verdict.thresholds,
                reporter=console,
                num_workers=workers,
                metrics=_metrics(metric, table),
                limit=limit,
                keep=not no_cache,
                cache=cache,
                vertex_sets=vertex_sets,
                videos=videos,
                films=films,
                failed=verdict.failed,
                num_seeds=seeds,
                cluster=cluster,
            )
            code = 0
            if table is not None and len(names) > 1:
                from talkcli.engine.pipelines.score.models import score_models

                found, code = score_models(
                    names,
                    table,
                    score=lambda each: score(generation=each),
                    generation=generation,
                    reporter=console,
                )
                show: Callable[[Console, dict[str, Any]], None] = show_models
            else:
                found = score(generation=generation)
                show = partial(show_motions, per_clip=per_clip)
                if table is not None:
                    from talkcli.engine.pipelines.score.paper_table import paper_table

                    found["paper_table"] = paper_table(table, found)
                    show = show_paper_table
            found = spoken_reasons(found)
        show(console, found)
        if code:
            raise typer.Exit(code)
        if report is not None:
            from talkcli.engine.pipelines.score.sources import Sources
            from talkcli.engine.types import Silent

            sources = Sources(
                predictions=given,
                truth=truth,
                audio=audio,
                dataset=dataset,
                split=chosen,
                text=text,
                limit=limit,
                head_name=head,
                vertex_sets=vertex_sets,
                videos=videos,
                films=films,
            )
            if not given and videos is None and not no_cache:
                # The page shows motion that the score has just put there.
                generation = generation.cached(cache, generation.described(Silent()))
            write_page(report, found, show, sources=sources, generation=generation, console=console)
        verdict.give(found)


def _check_several(
    table: str | None, *, files: object, verdicts: list[object], of_one: dict[str, object]
) -> None:
    """Raise UsageError for several models without a table of the papers, with what is about one motion, or
    with an option that not every model has.
    """
    if table is None:
        raise UsageError(
            "Several --model stand side by side in a table of the papers.",
            hint="Add --table, or score each with --json and compare two with talk score compare.",
        )
    if files:
        raise UsageError("Several --model make motion, but files are given.", hint="Leave one of them out.")
    if any(verdicts):
        raise UsageError(
            "--report, --junit and limits are about one model.", hint="Score each model by itself for these."
        )
    for option, value in of_one.items():
        if value is not None:
            raise UsageError(
                f"{option} is an option of one model, but there are several.", hint="Leave it out."
            )


def _metrics(patterns: list[str] | None, table: str | None) -> list[str] | None:
    """Return the metrics to measure; None for those that talk measures by default."""
    if table is None:
        return chosen_metrics(patterns) if patterns else None
    from talkcli.engine.pipelines.score.paper_table import table_metrics

    return [*chosen_metrics(patterns or []), *table_metrics(table)]


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
