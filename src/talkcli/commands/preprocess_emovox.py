"""`talk preprocess emovox`: choose emotional speech from many candidates, by similarity to anchors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from talkcli.commands.options import AsJson, Device, Quiet, Workers
from talkcli.console import Console
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.wording import counted


def emovox(
    candidates: Annotated[
        Path,
        typer.Argument(help="Candidates: a manifest, or a folder of sound files such as VoxCeleb2."),
    ],
    *,
    anchors: Annotated[
        Path, typer.Option("--anchors", help="Manifest of emotional clips to compare with, such as MEAD's.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Folder to write: emovox.jsonl, manifest.jsonl, audio/.")
    ],
    dee: Annotated[
        str,
        typer.Option(
            "--dee",
            metavar="MODEL",
            help="Emotion embedding: embedded, or a model of train-dee or train-gen.",
        ),
    ] = EMBEDDED,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", help="Choose every clip whose cosine similarity is at least this threshold."
        ),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            "--hours",
            help="Choose the best clips up to this total length, in hours. Default without --threshold: 1.3.",
        ),
    ] = None,
    per_emotion: Annotated[
        bool, typer.Option("--per-emotion", help="Give every emotion an equal part of the hours.")
    ] = False,
    compare_with: Annotated[
        Literal["both", "speech", "motion"],
        typer.Option("--compare-with", help="Sides of the anchors to compare with."),
    ] = "both",
    anchor_level: Annotated[
        float, typer.Option("--anchor-level", help="Lowest emotion level of an anchor, 0 to 1.")
    ] = 1.0,
    anchor_emotions: Annotated[
        str | None,
        typer.Option(
            "--anchor-emotions",
            metavar="LABEL,...",
            help="Emotions of the anchors. Default: all except neutral and calm.",
        ),
    ] = None,
    min_seconds: Annotated[
        float,
        typer.Option(
            "--min-seconds", help="Shortest clip to choose, in seconds; shorter clips only get a score."
        ),
    ] = 1.0,
    max_seconds: Annotated[
        float | None,
        typer.Option(
            "--max-seconds", help="Longest clip to choose, in seconds; longer clips only get a score."
        ),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list-only", help="Write emovox.jsonl, and make no clips.")
    ] = False,
    workers: Workers = 2,
    device: Device = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Choose emotional speech by similarity to emotional anchors, as for Emo-Vox (docs/datasets.md)."""
    from talkcli.engine.pipelines.emovox.emovox import Wanted, curate_emovox
    from talkcli.engine.pipelines.emovox.scores import Anchoring

    chosen = {} if anchor_emotions is None else {"emotions": tuple(anchor_emotions.split(","))}
    with Console(as_json=as_json, quiet=quiet) as console:
        document = curate_emovox(
            candidates,
            out,
            anchoring=Anchoring(
                manifest=anchors,
                level=anchor_level,
                sides=("speech", "motion") if compare_with == "both" else (compare_with,),
                **chosen,
            ),
            wanted=Wanted(
                threshold=threshold,
                hours=hours,
                per_emotion=per_emotion,
                shortest_s=min_seconds,
                longest_s=float("inf") if max_seconds is None else max_seconds,
            ),
            dee=dee,
            list_only=list_only,
            device_name=device,
            num_workers=workers,
            reporter=console,
        )
        sides = document["anchors"]
        rows = [
            ["candidates", f"{document['candidates']}, of which {document['scored']} have a score"],
            ["not fit", f"{document['not_fit']} (doubles, anchors, too short or too long)"],
            ["anchors", f"{sides['speech']} of speech, {sides['motion']} of motion"],
            ["scores", " ".join(f"{value:.3f}" for value in document["score_quartiles"])],
            ["chosen", f"{counted(document['chosen'], 'clip')}, {document['hours']:.3f} h"],
            ["lowest chosen score", f"{document['threshold']:.6f}"],
            ["emotions", ", ".join(f"{label} {count}" for label, count in document["emotions"].items())],
            ["clips", document["manifest"] or "not made (--list-only)"],
        ]
        console.table(document, title=document["list"], header=["", ""], rows=rows)
