"""`talk score`: how good is a motion, and how different are a model's performances?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from talkcli.commands.options import AsJson, Device, Quiet, Seed
from talkcli.console import Console, print_error
from talkcli.engine.errors import ThresholdError, UsageError
from talkcli.engine.metrics.catalogue import METRICS

_FEW = 1e-2


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
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help="Test split of a set prepared by talk preprocess."),
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
        Literal["diversity"] | None,
        typer.Option(
            "--table",
            help="Instead: diversity and lips of --model on --audio or --dataset under every setting of "
            "DEEPTalk's table 3.",
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
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Score motion against true motion and against the speech.

    talk score face.npz --truth true.npz --audio speech.wav
    """
    if table is not None:
        given = {
            "PRED": predictions, "--truth": truth, "--text": text, "--sigma": sigma is not None,
            "--per-clip": per_clip, "--fail-under": fail_under, "--fail-over": fail_over,
        }  # fmt: skip
        if unused := [name for name, value in given.items() if value]:
            raise UsageError(
                f"--table diversity has no use for {', '.join(unused)}: it animates by settings of its own.",
                hint="Give it speech: --audio or --dataset.",
            )
        with Console(as_json=as_json, quiet=quiet) as console:
            from talkcli.engine.pipelines.score import Generation
            from talkcli.engine.pipelines.score_table import diversity_table

            report = diversity_table(
                audio=audio,
                dataset=dataset,
                head_name=head,
                generation=Generation(
                    model_name=model, device_name=device, actor=actor, takes=takes or 10, seed=seed
                ),
                reporter=console,
            )
        _show_table(console, report)
        return
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.score import Generation, score_motions
        from talkcli.engine.pipelines.score_overall import Threshold

        thresholds = [
            *(Threshold.parse(text, is_floor=True) for text in fail_under or []),
            *(Threshold.parse(text, is_floor=False) for text in fail_over or []),
        ]
        report = score_motions(
            predictions or [],
            truth=truth,
            audio=audio,
            dataset=dataset,
            text=text,
            head_name=head,
            generation=Generation(
                model_name=model, device_name=device, sigma=sigma, actor=actor, takes=takes or 1, seed=seed
            ),
            thresholds=thresholds,
            reporter=console,
        )
    if per_clip and not as_json:
        _show_clips(console, report)
    _show_overall(console, report)
    if report["missed"]:
        # Not raised: with --json the one document on stdout is the report, which lists what was missed.
        print_error(
            f"Thresholds not met: {'; '.join(report['missed'])}.",
            None,
            ThresholdError.exit_code,
            as_json=False,
        )
        raise typer.Exit(ThresholdError.exit_code)


def _show_overall(console: Console, report: dict[str, Any]) -> None:
    rows = []
    for name, info in METRICS.items():
        found = report["overall"][name]
        size = report["vertex_sets"][info.vertices]
        rows.append(
            (
                name,
                f"{_number(found['value'])} {info.unit}".strip() if found["clips"] else "-",
                f"{info.vertices} ({'-' if size is None else size})",
                f"{info.over_clips} of {found['clips']}" if found["clips"] else "-",
                info.meaning if found["value"] is not None else found["reason"],
            )
        )
    console.table(
        report,
        title=f"head {report['head']}, mean identity; {len(report['clips'])} clips",
        header=("metric", "value", "vertices", "over clips", "meaning, or why there is no value"),
        rows=rows,
    )


def _show_clips(console: Console, report: dict[str, Any]) -> None:
    known = [name for name in METRICS if report["overall"][name]["value"] is not None]
    console.table(
        report,
        title="every clip",
        header=("clip", "frames", "fps", "takes", *known),
        rows=[
            (
                clip["id"],
                str(clip["frames"]),
                f"{clip['fps']:g}",
                str(clip["takes"]),
                *(_number(clip["metrics"][name]["value"]) for name in known),
            )
            for clip in report["clips"]
        ],
    )


def _show_table(console: Console, report: dict[str, Any]) -> None:
    space = report["head"]
    columns = {
        "diversity_mm": f"diversity, mm (vertices of {space})",
        "diversity_l2": f"diversity, L2 (coefficient sequences of {space})",
        "sync_r": "sync_r",
        "lse_d": "LSE-D",
    }
    rows = []
    for row in report["rows"]:
        drawn = "argmax" if row["tau_top"] == 0 else f"tau {row['tau_top']:g}, {row['tau_bottom']:g}"
        sigma = "mean" if row["sigma"] is None else f"sigma {row['sigma']:g}"
        rows.append((sigma, drawn, *(_number(row[name]["value"]) for name in columns)))
    console.table(
        report,
        title=f"{len(report['clips'])} clips, {report['takes']} takes each",
        header=("emotion", "slow and fast codes", *columns.values()),
        rows=rows,
    )
    for name, found in report["rows"][0].items():
        if name in columns and found["value"] is None:
            console.note(f"{columns[name]}: {found['reason']}.")
    console.note("The temperatures are ours: those of the paper's table are not known.")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2e}" if 0 < abs(value) < _FEW else f"{value:.3f}"
