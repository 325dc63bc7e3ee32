"""`talk animate`: a speech file becomes a talking face."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from talkcli.commands.options import AsJson, Device, Fps, Quiet, Seed
from talkcli.console import Console


def animate(
    speech: Annotated[Path, typer.Argument(help="Speech: wav, flac, ogg, mp3, or m4a, mp4, webm.")],
    out: Annotated[
        list[Path],
        typer.Option(
            "--out",
            "-o",
            help="Where to write: .mp4 (video), .npz (motion), or a folder (PNG frames). "
            "May be given several times.",
        ),
    ],
    sigma: Annotated[
        float | None,
        typer.Option(
            "--sigma",
            help="Sample the emotion: multiplies its predicted log-variance. 1 as trained, 0.1 more diverse; "
            "absent: the mean.",
        ),
    ] = None,
    tau: Annotated[
        float | None,
        typer.Option("--tau", min=0, help="Temperature of both code levels; 0 takes the likeliest."),
    ] = None,
    tau_top: Annotated[
        float | None, typer.Option("--tau-top", min=0, help="Temperature of the slow codes; wins over --tau.")
    ] = None,
    tau_bottom: Annotated[
        float | None,
        typer.Option("--tau-bottom", min=0, help="Temperature of the fast codes; wins over --tau."),
    ] = None,
    gumbel: Annotated[
        bool,
        typer.Option("--gumbel", help="Draw codes as the released inference does, whatever --tau says."),
    ] = False,
    takes: Annotated[
        int, typer.Option("--takes", min=1, help="How many performances; files get .take01 and so on.")
    ] = 1,
    hold_slow: Annotated[
        bool,
        typer.Option(
            "--hold-slow",
            help="All takes keep the emotion and the slow codes of the first; only fast codes are redrawn.",
        ),
    ] = False,
    actor: Annotated[
        str | None,
        typer.Option(
            "--actor",
            metavar="NAME|INDEX",
            help="Whose way of moving: a speaker of the model; absent: nobody in particular.",
        ),
    ] = None,
    emotion_from: Annotated[
        Path | None, typer.Option("--emotion-from", help="Take the emotion from this speech instead.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="embedded, or a run folder or model file of train-gen.")
    ] = "embedded",
    head: Annotated[
        str | None,
        typer.Option(
            "--head", help="The head to draw: ada, flame, or a FLAME file; absent: the model's own."
        ),
    ] = None,
    limit_lips: Annotated[
        bool | None,
        typer.Option(
            "--limit-lips/--no-limit-lips",
            help="Keep lips below a top speed; absent: only where the model's head is ada.",
        ),
    ] = None,
    always_pad: Annotated[
        bool,
        typer.Option("--always-pad", help="Add one to four silent frames, as the released demo always does."),
    ] = False,
    fps: Fps = None,
    size: Annotated[
        int, typer.Option("--size", min=64, max=4096, help="Side of the video, in pixels.")
    ] = 512,
    renderer: Annotated[str, typer.Option("--renderer", help="software or pyrender.")] = "software",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Annotated[
        Literal["fp32", "bf16"],
        typer.Option("--precision", help="bf16 is faster on processors that have it, and less exact."),
    ] = "fp32",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Turn speech into a talking face.

    talk animate speech.wav --sigma 0.1 --out face.mp4
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.animate import Sampling, animate_file

        both = tau or 0.0
        report = animate_file(
            speech,
            out,
            sampling=Sampling(
                sigma=sigma,
                tau_top=both if tau_top is None else tau_top,
                tau_bottom=both if tau_bottom is None else tau_bottom,
                gumbel=gumbel,
                takes=takes,
                hold_slow=hold_slow,
                actor=actor,
                always_pad=always_pad,
                seed=seed,
            ),
            emotion_from=emotion_from,
            model_name=model,
            head_name=head,
            fps=fps,
            size=size,
            renderer=renderer,
            device_name=device,
            precision=precision,
            limit_lips=limit_lips,
            reporter=console,
        )
        console.result(report, "\n".join(report["outputs"]))
