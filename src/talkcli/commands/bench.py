"""`talk bench`: measure the speed of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from talkcli.commands.options import AsJson, PictureSize, Quiet
from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.wording import counted
from talkcli.option_names import of_any_command

_JOBS = ("render", "animate", "generator", "preprocess", "score")
_NAMES = f"{', '.join(_JOBS[:-1])} or {_JOBS[-1]}"
# Rounds of the benchmarks on one process and on several.
_ROUNDS = 3


def bench(
    what: Annotated[
        str,
        typer.Argument(help=f"Job to measure: {_NAMES}."),
    ],
    speech: Annotated[
        Path | None, typer.Option("--speech", help="For animate: speech file to animate.")
    ] = None,
    head: Annotated[str, typer.Option("--head", help="For render: head to draw.")] = "ada",
    size: PictureSize = "512",
    frames: Annotated[
        int,
        typer.Option(
            "--frames", min=1, help="For render: number of frames per round; talk measures three rounds."
        ),
    ] = 100,
    method: Annotated[
        str | None,
        typer.Option(
            "--method", help="For generator: a method of talk methods, or all. Default: parts of DEEPTalk."
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds",
            min=1,
            max=600,
            help="For generator: length of the sound, in seconds.",
        ),
    ] = 10.0,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            min=1,
            help="For generator: number of threads. Default: one per core.",
        ),
    ] = None,
    clips: Annotated[
        int | None,
        typer.Option(
            "--clips",
            min=1,
            help="For preprocess and score: number of generated clips. Default: 1000 for preprocess, 120 for "
            "score.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", min=2, help="For preprocess and score: number of processes to compare with one."
        ),
    ] = 2,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write the report to this JSON file.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure the speed of this machine.

    render: all renderers on the same frames, with deforming and drawing, without encoding; also talk render.

    animate: the whole command on --speech, from start to exit, and until its first picture.

    generator: sound to coefficients, by the released network with random weights and by the embedded network.

    generator --method NAME: sound to motion, by a method at its published size with random weights, and what
    the published algorithm takes; all measures every method.

    preprocess: the whole command on generated clips, in one process and in several, also without the start.

    score: the same, with the embedded model's motion of generated sound.

    talk bench render --out benchmarks/render.json
    """
    if what not in _JOBS:
        raise UsageError(f"There is no benchmark {what}.", hint=f"Use: talk bench {_NAMES}.")
    if what == "animate" and speech is None:
        raise UsageError("talk bench animate needs speech to animate.", hint="Add --speech FILE.")
    with Console(as_json=as_json, quiet=quiet) as console:
        if what == "generator" and method is not None:
            from talkcli.engine.pipelines.bench.methods import bench_methods

            report = bench_methods(method, seconds=seconds, threads=threads, out=out, reporter=console)
            _show_methods(console, report)
            return
        if what == "generator":
            from talkcli.engine.pipelines.bench.generator import bench_generator

            report = bench_generator(seconds=seconds, threads=threads, out=out, reporter=console)
            _show_generator(console, report)
            return
        if what in ("preprocess", "score"):
            from talkcli.engine.pipelines.bench.preprocess import bench_preprocess
            from talkcli.engine.pipelines.bench.score import bench_score

            measure, usual = (bench_preprocess, 1000) if what == "preprocess" else (bench_score, 120)
            report = measure(
                num_clips=clips or usual, num_workers=workers, rounds=_ROUNDS, out=out, reporter=console
            )
            one, several = report["workers"]["1"], report["workers"][str(workers)]
            started = report["times_faster_started"]
            console.result(
                report,
                f"{counted(report['clips'], 'clip')} in {one['seconds']:.1f} s on one process "
                f"and {several['seconds']:.1f} s on {workers}: {report['times_faster']:.2f} times as fast"
                + ("" if started is None else f", {started:.2f} times once the processes have started")
                + f" (medians of {_ROUNDS} rounds; {one['cpu_s']:.1f} and {several['cpu_s']:.1f} s of CPU)",
            )
            return
        from talkcli.engine.pipelines.bench.render import bench_animate, bench_render
        from talkcli.engine.render.shot import size_of

        if speech is not None and what == "animate":
            report = bench_animate(speech, size=size_of(size), out=out, reporter=console)
            console.result(
                report,
                f"{report['speech_s']:.1f} s of speech in {report['seconds']:.1f} s, the first picture "
                f"after {report['first_picture_s']:.1f} s (medians of {len(report['rounds_s'])}; the first "
                f"run took {report['first_s']:.1f} s)",
            )
            return
        report = bench_render(
            head_name=head, size=size_of(size), num_frames=frames, out=out, reporter=console
        )
        ours = report["renderers"]["software"]["fps"]
        rows = []
        for name, result in report["renderers"].items():
            fps = result["fps"]
            if fps is None:
                # The reason names an option of other commands that does not work here.
                result["reason"] = of_any_command(result["reason"])
                rows.append([name, "-", "-", "-", "-", result["reason"]])
            else:
                speed = f"{result['times_real_time']:.1f}"
                rows.append([name, f"{fps:.1f}", speed, f"{result['cpu_ms']:.1f}", f"{fps / ours:.2f}", ""])
        machine, command = report["machine"], report["command"]
        console.table(
            report,
            title=f"{report['verts']} vertices, {report['size'][0]} x {report['size'][1]}, "
            f"{counted(machine['cores'], 'core')} of {machine['cpu']}; talk render takes "
            f"{command['seconds']:.1f} s for {counted(report['frames'], 'frame')}, and "
            f"{command['first_picture_s']:.1f} s up to the first picture",
            header=["renderer", "frames/s", "x real time", "CPU ms/frame", "of software", ""],
            rows=rows,
        )


def _show_methods(console: Console, report: dict[str, Any]) -> None:
    rows = []
    for name, result in report["methods"].items():
        compared = result["comparison"]
        rows.append(
            (
                name,
                result["sizes"],
                f"{result['parameters'] / 1e6:.1f} M",
                ", ".join(
                    f"{speed:.1f}" + ("" if way == "default" else f" ({way})")
                    for way, speed in result["times_real_time"].items()
                ),
                ""
                if compared is None
                else f"{compared['what']} takes {compared['seconds']:.2f} s, as published "
                f"{compared['published_seconds']:.2f} s: {compared['times_faster']:.1f} times as fast, "
                f"largest difference {compared['largest_difference']:.1e} of the spread",
            )
        )
    console.table(
        report,
        title=f"{report['speech_s']:g} s of sound, {counted(report['threads'], 'thread')} on "
        f"{report['machine']['cpu']}; {report['weights']} as weights",
        header=("method", "sizes", "parameters", "x real time", "against the published algorithm"),
        rows=rows,
    )


def _show_generator(console: Console, report: dict[str, Any]) -> None:
    parts = ("content", "emotion", "predictors", "decoding")
    console.table(
        report,
        title=f"{report['speech_s']:g} s of sound, {counted(report['threads'], 'thread')} on "
        f"{report['machine']['cpu']}; bf16 {report['bf16_over_fp32']:.2f} times as fast as fp32",
        header=("network", "x real time", *(f"{part}, % of time" for part in parts)),
        rows=[
            (
                name,
                f"{result['times_real_time']:.1f}",
                *(f"{100 * result['parts'][part]:.0f}" for part in parts),
            )
            for name, result in report["results"].items()
        ],
    )
