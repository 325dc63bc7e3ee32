"""`talk animate`: turn a speech file into a talking face."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from talkcli.commands.animate_many import (
    Cluster,
    ContactSheet,
    FormatNames,
    ManyWorkers,
    OutDir,
    Plot,
    animate_many,
    is_many,
)
from talkcli.commands.control_options import AlwaysPad, Feedback, Level, Logits, Sampler, Steps, Temperature
from talkcli.commands.layer_options import (
    Blink,
    Brows,
    Contacts,
    HeadMotion,
    Idle,
    LimitLips,
    Smooth,
    Tongue,
)
from talkcli.commands.options import (
    AsJson,
    Background,
    Device,
    Fps,
    Framing,
    HeadToDraw,
    Look,
    MaxMinutes,
    OverwriteFrames,
    PictureSize,
    Quiet,
    RendererName,
    Seed,
    Template,
    TopologyName,
    View,
    Zoom,
)
from talkcli.console import Console
from talkcli.engine.methods import EMBEDDED


def animate(
    speech: Annotated[
        list[Path],
        typer.Argument(
            help="Speech file: wav, flac, ogg, mp3, m4a, mp4 or webm. With --out-dir: files, and "
            "folders of them.",
        ),
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            help="Output: .mp4 (video), .npz (motion), a folder (PNG frames), or any other format of talk "
            "export by its suffix. You may give the option several times.",
        ),
    ] = None,
    out_dir: OutDir = None,
    formats: FormatNames = None,
    plot: Plot = None,
    contact_sheet: ContactSheet = None,
    sigma: Annotated[
        float | None,
        typer.Option(
            "--sigma",
            help="Sample the emotion embedding; the value multiplies its predicted log-variance. 1: as "
            "trained; 0.1: more diverse. Default: take the mean.",
        ),
    ] = None,
    tau: Annotated[
        float | None,
        typer.Option(
            "--tau", min=0, help="Sampling temperature of both code levels; 0 takes the most likely code."
        ),
    ] = None,
    tau_top: Annotated[
        float | None,
        typer.Option("--tau-top", min=0, help="Sampling temperature of the slow codes; overrides --tau."),
    ] = None,
    tau_bottom: Annotated[
        float | None,
        typer.Option("--tau-bottom", min=0, help="Sampling temperature of the fast codes; overrides --tau."),
    ] = None,
    gumbel: Annotated[
        bool,
        typer.Option(
            "--gumbel",
            help="Sample codes with Gumbel noise, as the released inference does, whatever --tau says.",
        ),
    ] = False,
    takes: Annotated[
        int,
        typer.Option(
            "--takes", min=1, max=10_000, help="Number of performances; the file names get .take01 and so on."
        ),
    ] = 1,
    hold_slow: Annotated[
        bool,
        typer.Option(
            "--hold-slow",
            help="Keep the emotion and the slow codes of the first take in all takes; sample only the fast "
            "codes again.",
        ),
    ] = False,
    actor: Annotated[
        str | None,
        typer.Option(
            "--actor",
            metavar="NAME|INDEX",
            help="Speaker of the model whose speaking style to use. Default: no particular speaker; for a "
            "model that always needs one, its first speaker (M003 of DEEPTalk's).",
        ),
    ] = None,
    level: Level = None,
    emotion_from: Annotated[
        Path | None, typer.Option("--emotion-from", help="Take the emotion from this recording instead.")
    ] = None,
    emotion: Annotated[
        str | None,
        typer.Option(
            "--emotion",
            metavar="LABEL[:LEVEL]",
            help="Show this emotion, whatever the voice says. The embedded model knows neutral, calm, "
            "happy, sad, angry, fear, disgust and surprise. LEVEL goes from 0 to 1; default: 1.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="Model: embedded, emoface or faceformer, which come with talk; a run folder or model file; "
            "or rules, which need --text.",
        ),
    ] = EMBEDDED,
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="WORDS|FILE",
            help="Words of the speech, for --model rules: the words themselves, a text file, or a TextGrid "
            "with a tier phones.",
        ),
    ] = None,
    head: HeadToDraw = None,
    template: Template = None,
    topology: TopologyName = None,
    smooth: Smooth = None,
    contacts: Contacts = None,
    tongue: Tongue = None,
    limit_lips: LimitLips = None,
    idle: Idle = None,
    blink: Blink = None,
    head_motion: HeadMotion = None,
    brows: Brows = None,
    always_pad: AlwaysPad = False,
    feedback: Feedback = None,
    sampler: Sampler = None,
    steps: Steps = None,
    logits: Logits = None,
    temperature: Temperature = None,
    overwrite: OverwriteFrames = False,
    fps: Fps = None,
    look: Look = "skin",
    size: PictureSize = "512",
    background: Background = None,
    camera: Framing = "portrait",
    view: View = "front",
    zoom: Zoom = 1.0,
    renderer: RendererName = "software",
    seed: Seed = 0,
    device: Device = "auto",
    precision: Annotated[
        Literal["fp32", "bf16"],
        typer.Option(
            "--precision",
            help="Number format of the network. bf16 is faster on processors that support it, and less "
            "exact.",
        ),
    ] = "fp32",
    max_minutes: MaxMinutes = None,
    workers: ManyWorkers = None,
    cluster: Cluster = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Also print the licence of the weights, the layers, the seed, and the quality of the sound.",
        ),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Turn speech into a talking face.

    talk animate speech.wav --sigma 0.1 --out face.mp4

    If the model's head is ada, talk adds layers such as blinks to the motion (docs/layers.md). For other
    heads it adds only the layers that you ask for.
    """
    outs = out or []
    with Console(as_json=as_json, quiet=quiet) as console, contextlib.ExitStack() as started:
        only_many = {"format": formats, "workers": workers, "cluster": cluster}
        many = is_many(speech, outs, out_dir, overwrite=overwrite, only_many=only_many)
        # Importing the libraries of networks takes seconds, in which another process loads those of drawing.
        with console.loading():
            from talkcli.engine.exports.drawing import drawing_apart
            from talkcli.engine.render.shot import shot_of

            shot = shot_of(size=size, look=look, background=background, camera=camera, view=view, zoom=zoom)
            drawn = contact_sheet is not None and not many
            drawer = started.enter_context(
                drawing_apart(outs, head_name=head, shot=shot, renderer=renderer, drawn=drawn)
            )
            from talkcli.engine.audio.limits import limit_sound
            from talkcli.engine.performers.performer import Sampling, parse_emotion
            from talkcli.engine.pipelines.animate import animate_file

        limit_sound(max_minutes)
        options: dict[str, Any] = {
            "sampling": Sampling(
                takes=takes,
                seed=seed,
                actor=actor,
                emotion=None if emotion is None else parse_emotion(emotion),
            ),
            "controls": {
                "sigma": sigma,
                "tau_top": tau if tau_top is None else tau_top,
                "tau_bottom": tau if tau_bottom is None else tau_bottom,
                "gumbel": gumbel or None,
                "hold_slow": hold_slow or None,
                "always_pad": always_pad or None,
                "level": level,
                "feedback": feedback,
                "sampler": sampler,
                "steps": steps,
                "logits": logits,
                "temperature": temperature,
            },
            "emotion_from": emotion_from,
            "model_name": model,
            "text": text,
            "head_name": head,
            "fps": fps,
            "shot": shot,
            "renderer": renderer,
            "device_name": device,
            "precision": precision,
            "layers": {
                "smooth": smooth,
                "contacts": contacts,
                "tongue": tongue,
                "limit_lips": limit_lips,
                "idle": idle,
                "blink": blink,
                "head_motion": head_motion,
                "brows": brows,
            },
            "template": tuple(template or ()),
            "topology": topology,
        }
        if out_dir is not None:
            code = animate_many(
                console,
                speech,
                out_dir,
                formats=formats,
                plot=plot,
                contact_sheet=contact_sheet,
                workers=workers,
                cluster=cluster,
                options=options,
            )
            raise typer.Exit(code)
        report = animate_file(
            speech[0],
            outs,
            **options,
            plot=plot,
            contact_sheet=contact_sheet,
            overwrite=overwrite,
            reporter=console,
            drawer=drawer,
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
