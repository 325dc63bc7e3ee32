"""`talk animate`: a speech file becomes a talking face."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from talkcli.commands.options import AsJson, Device, Fps, MaxMinutes, Quiet, Seed
from talkcli.console import Console

_LAYERS = "Layers over the motion (absent: on for models of ada)"


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
        int,
        typer.Option(
            "--takes", min=1, max=10_000, help="How many performances; files get .take01 and so on."
        ),
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
            help="Whose way of moving: a speaker of the model; absent: nobody in particular, or the first "
            "speaker (M003 of DEEPTalk's) of a model that knows no such thing.",
        ),
    ] = None,
    emotion_from: Annotated[
        Path | None, typer.Option("--emotion-from", help="Take the emotion from this speech instead.")
    ] = None,
    emotion: Annotated[
        str | None,
        typer.Option(
            "--emotion",
            metavar="LABEL[:LEVEL]",
            help="Perform this emotion, whatever the voice says. The embedded model knows neutral, calm, "
            "happy, sad, angry, fear, disgust and surprise; the level goes from 0 to 1.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="embedded, or a run folder or model file of train-gen, or rules, which need --text.",
        ),
    ] = "embedded",
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="WORDS|FILE",
            help="What is said, for --model rules: the words, a text file, or a TextGrid with a tier phones.",
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", help="The head to draw: ada, flame, or a FLAME file; absent: the model's own."
        ),
    ] = None,
    smooth: Annotated[
        bool | None,
        typer.Option(
            "--smooth/--no-smooth",
            help="Smooth the face lightly; closures are kept.",
            rich_help_panel=_LAYERS,
        ),
    ] = None,
    contacts: Annotated[
        bool | None,
        typer.Option(
            "--contacts/--no-contacts",
            help="Lips, and lower lip and teeth, meet where the model hears it.",
            rich_help_panel=_LAYERS,
        ),
    ] = None,
    limit_lips: Annotated[
        bool | None,
        typer.Option(
            "--limit-lips/--no-limit-lips", help="Keep lips below a top speed.", rich_help_panel=_LAYERS
        ),
    ] = None,
    idle: Annotated[
        bool | None,
        typer.Option(
            "--idle/--no-idle", help="Breathing and small movements in silences.", rich_help_panel=_LAYERS
        ),
    ] = None,
    blink: Annotated[
        bool | None,
        typer.Option(
            "--blink/--no-blink",
            help="Blinks and gaze, in place of those of the model.",
            rich_help_panel=_LAYERS,
        ),
    ] = None,
    head_motion: Annotated[
        bool | None,
        typer.Option(
            "--head-motion/--no-head-motion",
            help="Turn the head with the speech; stored as the motion's pose.",
            rich_help_panel=_LAYERS,
        ),
    ] = None,
    always_pad: Annotated[
        bool,
        typer.Option("--always-pad", help="Add one to four silent frames, as the released demo always does."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace frame_*.png in a folder that is not empty.")
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
    max_minutes: MaxMinutes = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Also say whose weights, which layers and seed were used, and how good the sound is.",
        ),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Turn speech into a talking face.

    talk animate speech.wav --sigma 0.1 --out face.mp4

    Layers lie over the motion where the model's head is ada, or where they are asked for: docs/layers.md.
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        # The libraries of networks take seconds.
        console.progress("loading", 0, None)
        from talkcli.engine.audio.limits import limit_sound
        from talkcli.engine.performers.performer import Sampling, parse_emotion
        from talkcli.engine.pipelines.animate import animate_file

        limit_sound(max_minutes)
        report = animate_file(
            speech,
            out,
            sampling=Sampling(
                takes=takes,
                seed=seed,
                actor=actor,
                emotion=None if emotion is None else parse_emotion(emotion),
            ),
            controls={
                "sigma": sigma,
                "tau_top": tau if tau_top is None else tau_top,
                "tau_bottom": tau if tau_bottom is None else tau_bottom,
                "gumbel": gumbel or None,
                "hold_slow": hold_slow or None,
                "always_pad": always_pad or None,
            },
            emotion_from=emotion_from,
            model_name=model,
            text=text,
            head_name=head,
            fps=fps,
            size=size,
            renderer=renderer,
            device_name=device,
            precision=precision,
            layers={
                "smooth": smooth,
                "contacts": contacts,
                "limit_lips": limit_lips,
                "idle": idle,
                "blink": blink,
                "head_motion": head_motion,
            },
            overwrite=overwrite,
            reporter=console,
        )
        if verbose:
            console.note(f"Licence of the weights: {report['weights_licence'] or 'there are none'}")
            console.note(f"Layers: {', '.join(report['layers']) or 'none'}")
            console.note(f"Seed: {report['seed']}")
            console.note(f"Sound: {_sound(report['sound'])}")
        console.result(report, "\n".join(report["outputs"]))


def _sound(quality: dict[str, float | None]) -> str:
    noise = "no speech to tell from noise" if quality["snr_db"] is None else "{snr_db:.0f} dB above the noise"
    return (
        "{level_dbfs:.0f} dB of full scale, {clipped:.2%} clipped, up to {bandwidth_hz:.0f} Hz, " + noise
    ).format(**quality)
