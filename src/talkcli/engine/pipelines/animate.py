"""Speech to motion with a trained model or by rules, written as motion files and videos.

Memory grows with the speech alone: a performance is written before the next is drawn, and what lies between
is worked out piece by piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from talkcli.engine.audio.io import read_measured, read_speech
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import AssetError, InputError, UsageError, one_by_one
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.face.surface import Surface, surface_of
from talkcli.engine.files import sha256
from talkcli.engine.performers.open import chosen_controls, head_for, header_of, open_performer
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.performers.trained import Precision
from talkcli.engine.pipelines.render import (
    VIDEO_SUFFIX,
    check_distinct,
    check_output,
    render_to,
    tell_folders,
)
from talkcli.engine.render.renderers import check_renderer
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__

MOTION_SUFFIX = ".npz"


def animate_file(
    speech_path: Path,
    outs: Sequence[Path],
    *,
    sampling: Sampling,
    controls: Mapping[str, Any] | None = None,
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
    """Animate one file into every path of `outs`, for every take.

    Args:
        outs: motion for .npz, else what `render_to` writes.
        controls: wishes as `chosen_controls` takes them.
        model_name: as for `open_performer`; the rules need `text`, as `read_words` takes it.
        head_name: the head to draw; None for the model's own.
        overwrite: replace the frames of a folder.
        layers: wishes as `Layers.chosen` takes them.

    Returns:
        What was done, ready for JSON.

    Raises:
        TalkError: for unusable input, before anything is written.
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
    header = header_of(model_name)
    chosen = chosen_controls(header, controls or {})
    chosen.check(sampling)
    head = _head_to_draw(head_name, header, outs)
    if sampling.emotion is not None and emotion_from is not None:
        raise UsageError("`emotion` and `emotion_from` both set the emotion.", hint="Leave one of them out.")
    speech, quality = read_measured(speech_path, reporter)
    emotion_speech = read_speech(emotion_from, reporter) if emotion_from else None
    performer = open_performer(
        model_name,
        device_name,
        precision=precision,
        layers=layers,
        text=text,
        reporter=reporter,
    )
    if sampling.takes > 1 and not chosen.is_random:
        without = f"Without {chosen.draws} every" if chosen.draws else "Every"
        reporter.warn(f"{without} take is the same performance.")
    sampling, actor_by_default = performer.cast(sampling, reporter)

    performances = performer.perform(speech, sampling, chosen, emotion_speech)
    asked: dict[str, Any] = {
        "command": "animate",
        "talk": __version__,
        "speech_sha256": sha256(speech_path),
        "emotion_sha256": sha256(emotion_from) if emotion_from else None,
        "layers": list(performer.layers.on),
        **asdict(sampling),
        **asdict(chosen),
        "actor_by_default": actor_by_default,
    }
    report: dict[str, Any] = {
        "outputs": [],
        "duration_s": speech.duration_s,
        "sound": asdict(quality),
        **asked,
    }
    # Heard by now; only videos need the sound once more.
    sound = speech if drawn else None
    del speech, emotion_speech
    for take, (motion, made_by) in enumerate(performances):
        shown = motion if fps is None else resample(motion, fps)
        for path in paths[take]:
            stored = {**asked, **made_by, "take": take}
            if _is_motion(path):
                write_motion(path, shown, stored)
            else:
                render_to(
                    surface_of(shown, head_name, turned=True)
                    if head is None
                    else Surface(shown, head, turned=True),
                    path,
                    speech=sound,
                    size=size,
                    renderer=renderer,
                    metadata=stored,
                    reporter=reporter,
                    overwrite=overwrite,
                )
            report["outputs"].append(str(path))
        report |= {**made_by, "frames": shown.num_frames, "fps": shown.fps}
        report["head"] = head.name if head else shown.space.name
    return report


def _head_to_draw(named: str | None, header: Meta, outs: Sequence[Path]) -> Head | None:
    """The head called `named`, else the model's own where anything of `outs` is drawn.

    Raises UsageError for other channels, AssetError where it is missing.
    """
    if header.num_verts is not None:
        # Vertices are drawn on the mesh that they move.
        if named is not None:
            load_head(named)
        return None
    if named is not None:
        return head_for(header, named)
    pictures = [out for out in outs if not _is_motion(out)]
    if not pictures:
        return None
    try:
        return load_head(header.head)
    except AssetError as error:
        motion = pictures[0].with_suffix(MOTION_SUFFIX)
        raise AssetError(
            error.problem, hint=f"Motion needs no head: `out={motion}`. To draw it: {error.hint}"
        ) from error


def _is_motion(out: Path) -> bool:
    return out.suffix.lower() == MOTION_SUFFIX


def _take_path(out: Path, take: int, takes: int) -> Path:
    if takes == 1:
        return out
    # As many digits as sort the files by take.
    digits = max(2, len(str(takes)))
    return out.with_name(f"{out.stem}.take{take + 1:0{digits}d}{out.suffix}")
