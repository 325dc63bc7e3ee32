"""Speech to motion with a trained model or by rules, written as motion files and videos.

Memory grows with the speech alone: a performance is written before the next is drawn, and what lies between
is worked out piece by piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from talkcli import __version__
from talkcli.engine.audio.io import read_measured, read_speech
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import AssetError, InputError, UsageError, one_by_one
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.files import sha256
from talkcli.engine.performers.actors import performing
from talkcli.engine.performers.performer import Performer, Sampling
from talkcli.engine.performers.rules import RULES, Rules, read_words
from talkcli.engine.performers.trained import Animator, Precision, generator_file
from talkcli.engine.pipelines.render import (
    VIDEO_SUFFIX,
    check_distinct,
    check_output,
    render_to,
    tell_folders,
)
from talkcli.engine.render.renderers import check_renderer
from talkcli.engine.types import Reporter

MOTION_SUFFIX = ".npz"


def animate_file(
    speech_path: Path,
    outs: Sequence[Path],
    *,
    sampling: Sampling,
    emotion_from: Path | None,
    model_name: str,
    head_name: str | None,
    fps: float | None,
    size: int,
    renderer: str,
    device_name: str,
    precision: Precision,
    layers: Mapping[str, bool | None],
    reporter: Reporter,
    text: str | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Animate one file into every path of `outs`, for every take: motion for .npz, else what `render_to`
    writes.

    `model_name` is as for `Animator`, or `RULES`, which need `text` as `read_words` takes it. `head_name`
    None draws the model's own head; `overwrite` replaces the frames of a folder; `layers` are wishes as
    `Layers.chosen` takes them. Returns what was done, ready for JSON. Unusable input raises a TalkError
    before anything is written.
    """
    if str(speech_path) == "-":
        raise UsageError("Speech is not read from stdin.", hint="Write it to a file first: cat > speech.wav")
    if speech_path.is_dir():
        hint = one_by_one(f"{speech_path}/*.wav")
        raise InputError(f"{speech_path} is a folder, a sound file is needed.", hint=hint)
    paths = [[_take_path(out, take, sampling.takes) for out in outs] for take in range(sampling.takes)]
    every_path = [path for take in paths for path in take]
    check_distinct(every_path, [speech_path, emotion_from, *([Path(head_name)] if head_name else [])])
    for path in every_path:
        check_output(path, size=size, overwrite=overwrite, suffixes=(VIDEO_SUFFIX, MOTION_SUFFIX))
    check_renderer(renderer)
    tell_folders(outs, reporter)
    drawn = not all(map(_is_motion, outs))
    header = Rules.header if model_name == RULES else generator_file(model_name)[1]
    head = _head_to_draw(head_name, header, outs)
    if sampling.emotion is not None and emotion_from is not None:
        raise UsageError("--emotion and --emotion-from both say what to feel.", hint="Leave one of them out.")
    speech, quality = read_measured(speech_path, reporter)
    emotion_speech = read_speech(emotion_from, reporter) if emotion_from else None
    performer: Performer
    actor_by_default = False
    if model_name == RULES:
        performer = _rules(text, precision=precision, layers=layers, reporter=reporter)
    elif text is not None:
        raise UsageError(
            "--text is for --model rules: a trained model hears the words.", hint="Leave --text out."
        )
    else:
        performer = Animator(model_name, device_name, precision=precision, layers=layers)
        _warn(performer, sampling, reporter)
        actor, actor_by_default = performing(performer.model.config, sampling.actor, reporter)
        sampling = replace(sampling, actor=actor)

    motions = performer.motions(speech, sampling, emotion_speech)
    meta: dict[str, Any] = {
        "command": "animate",
        "talk": __version__,
        "speech_sha256": sha256(speech_path),
        "emotion_sha256": sha256(emotion_from) if emotion_from else None,
        **performer.maker,
        "layers": list(performer.layers.on),
        **asdict(sampling),
        "actor_by_default": actor_by_default,
    }
    report: dict[str, Any] = {
        "outputs": [],
        "duration_s": speech.duration_s,
        "sound": asdict(quality),
        **meta,
    }
    # Heard by now; only videos need the sound once more.
    sound = speech if drawn else None
    del speech, emotion_speech
    for take, motion in enumerate(motions):
        shown = motion if fps is None else resample(motion, fps)
        for path in paths[take]:
            stored = {**meta, "take": take}
            if _is_motion(path):
                write_motion(path, shown, stored)
            else:
                assert head is not None
                render_to(
                    shown,
                    head,
                    path,
                    speech=sound,
                    size=size,
                    renderer=renderer,
                    metadata=stored,
                    reporter=reporter,
                    overwrite=overwrite,
                )
            report["outputs"].append(str(path))
        report |= {"frames": len(shown.coeffs), "fps": shown.fps, "head": head.name if head else shown.head}
    return report


def _rules(
    text: str | None, *, precision: Precision, layers: Mapping[str, bool | None], reporter: Reporter
) -> Rules:
    if text is None:
        raise UsageError(
            "--model rules performs words, and there are none.",
            hint='Add --text "what is said", or --text with a .txt file or a TextGrid.',
        )
    if precision != "fp32":
        raise UsageError("--precision is for trained models: rules compute nothing worth it.")
    return Rules(read_words(text), layers=layers, reporter=reporter)


def _warn(animator: Animator, sampling: Sampling, reporter: Reporter) -> None:
    if animator.precision == "bf16" and not _has_bf16(animator.device):
        reporter.warn("This processor has no bfloat16 arithmetic: --precision bf16 will be slower than fp32.")
    if sampling.takes > 1 and not sampling.is_random:
        reporter.warn("Without --sigma, --tau or --gumbel every take is the same performance.")


def _head_to_draw(named: str | None, header: Meta, outs: Sequence[Path]) -> Head | None:
    """The head called `named`, else the model's own where anything of `outs` is drawn.

    Raises UsageError for other channels, AssetError where it is missing.
    """
    if named is not None:
        head = load_head(named)
        if head.channels != header.channels:
            raise UsageError(
                f"The model moves the channels of {header.head}, --head {head.name} has others.",
                hint=f"Use --head {header.head}, or a model trained for {head.name}.",
            )
        return head
    pictures = [out for out in outs if not _is_motion(out)]
    if not pictures:
        return None
    try:
        return load_head(header.head)
    except AssetError as error:
        motion = pictures[0].with_suffix(MOTION_SUFFIX)
        raise AssetError(
            error.problem, hint=f"Motion needs no head: --out {motion}. To draw it: {error.hint}"
        ) from error


def _has_bf16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 natively (x86: AVX512-BF16 or AMX; ARM: its bf16 extension)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _is_motion(out: Path) -> bool:
    return out.suffix.lower() == MOTION_SUFFIX


def _take_path(out: Path, take: int, takes: int) -> Path:
    if takes == 1:
        return out
    # As many digits as sort the files by take.
    digits = max(2, len(str(takes)))
    return out.with_name(f"{out.stem}.take{take + 1:0{digits}d}{out.suffix}")
