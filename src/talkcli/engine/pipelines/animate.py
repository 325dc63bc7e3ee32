"""Speech to motion with a trained model, written as motion files and videos.

Axis names: `samples` (16 kHz), `frames` (the model's fps), `coeffs` = 53.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from talkcli import __version__
from talkcli.engine.audio.io import read_speech
from talkcli.engine.checkpoints.model_file import default_weights, load_model, model_file
from talkcli.engine.device import resolve_device, seeded
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.lip_speed import limit_lip_speed
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.files import check_file, sha256
from talkcli.engine.models.deeptalk import DeepTalk
from talkcli.engine.pipelines.render import check_distinct, check_output, render_to
from talkcli.engine.render.renderers import check_renderer
from talkcli.engine.types import Motion, Reporter, Speech

EMBEDDED = "embedded"
MOTION_SUFFIX = ".npz"


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How performances are drawn (DEEPTalk, section 3.3 and table 3).

    `sigma` multiplies the predicted log-variance of the emotion embedding, None takes its mean; `tau_top`
    and `tau_bottom` are temperatures of the slow and the fast codes, 0 takes the likeliest; `takes`
    performances are drawn from `seed`, take k being the same whatever the number of takes.
    """

    sigma: float | None = None
    tau_top: float = 0.0
    tau_bottom: float = 0.0
    takes: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for option, value in (
            ("--sigma", self.sigma),
            ("--tau-top", self.tau_top),
            ("--tau-bottom", self.tau_bottom),
        ):
            if value is not None and not math.isfinite(value):
                raise UsageError(f"{option} {value} is not a finite number.")

    @property
    def is_random(self) -> bool:
        return self.sigma is not None or self.tau_top > 0 or self.tau_bottom > 0


class Animator:
    """A loaded model with what is known of its origin; `model_name` is `EMBEDDED`, a model file or a run
    folder."""

    def __init__(self, model_name: str, device_name: str) -> None:
        path = default_weights() if model_name == EMBEDDED else model_file(Path(model_name))
        self.device = resolve_device(device_name)
        self.model, self.header = load_model(path, self.device)
        if not isinstance(self.model, DeepTalk):
            raise InputError(
                f"{path} holds a {self.header.method} model, which is no generator.",
                hint="Give --model a checkpoint of talk train-gen.",
            )
        self.head = load_head(self.header.head)
        self.sha256 = sha256(path)

    def motions(
        self, speech: Speech, sampling: Sampling, emotion_speech: Speech | None = None
    ) -> list[Motion]:
        """One motion per take at the model's rate; frame k belongs to samples 640 k to 640 (k + 1)."""
        emotion_samples = None if emotion_speech is None else self._batch(emotion_speech)
        heard = self.model.listen(self._batch(speech), emotion_samples)
        draws = [
            self.model.take(
                heard,
                sigma=sampling.sigma,
                tau_top=sampling.tau_top,
                tau_bottom=sampling.tau_bottom,
                generator=seeded(_take_seed(sampling.seed, take), self.device),
            )
            for take in range(sampling.takes)
        ]
        return [self._motion(draw[0].float().cpu().numpy()) for draw in draws]

    def _motion(self, coeffs: Float[np.ndarray, "frames coeffs"]) -> Motion:
        """The drawn coefficients with lips that keep below their top speed: codes are drawn one by one, and
        two that follow each other need not fit."""
        calm = limit_lip_speed(coeffs, self.head, held=np.zeros(len(coeffs), dtype=bool))
        fps, channels = float(self.header.fps), self.header.channels
        return Motion(coeffs=calm, fps=fps, head=self.header.head, channels=channels)

    def _batch(self, speech: Speech) -> torch.Tensor:
        return torch.from_numpy(speech.samples)[None].to(self.device)


def animate_file(
    speech_path: Path,
    outs: Sequence[Path],
    *,
    sampling: Sampling,
    emotion_from: Path | None,
    model_name: str,
    head_name: str,
    fps: float | None,
    size: int,
    renderer: str,
    device_name: str,
    reporter: Reporter,
) -> dict[str, Any]:
    """Animate one file into every path of `outs`, for every take: motion for .npz, else what `render_to`
    writes.

    Returns what was done, ready for JSON. Unusable input raises a TalkError before anything is written.
    """
    paths = [[_take_path(out, take, sampling.takes) for out in outs] for take in range(sampling.takes)]
    every_path = [path for take in paths for path in take]
    check_distinct(every_path, [speech_path, emotion_from, Path(head_name)])
    for path in every_path:
        if path.suffix == MOTION_SUFFIX:
            check_file(path)
        else:
            check_output(path, size=size)
    check_renderer(renderer)
    speech = read_speech(speech_path, reporter)
    emotion_speech = read_speech(emotion_from, reporter) if emotion_from else None
    head = load_head(head_name)
    animator = Animator(model_name, device_name)
    if head.channels != animator.header.channels:
        raise UsageError(
            f"The model moves the channels of {animator.header.head}, --head {head_name} has others.",
            hint=f"Use --head {animator.header.head}, or a model trained for {head.name}.",
        )
    if sampling.takes > 1 and not sampling.is_random:
        reporter.warn("Without --sigma or --tau every take is the same performance.")
    motions = animator.motions(speech, sampling, emotion_speech)
    if fps is not None:
        motions = [resample(motion, fps) for motion in motions]

    meta: dict[str, Any] = {
        "command": "animate",
        "talk": __version__,
        "speech_sha256": sha256(speech_path),
        "emotion_sha256": sha256(emotion_from) if emotion_from else None,
        "weights_sha256": animator.sha256,
        "weights_licence": animator.header.licence,
        **asdict(sampling),
    }
    written = []
    for take, motion in enumerate(motions):
        for path in paths[take]:
            _write(
                path,
                motion,
                head,
                speech,
                {**meta, "take": take},
                size=size,
                renderer=renderer,
                reporter=reporter,
            )
            written.append(str(path))
    return {
        "outputs": written,
        "frames": len(motions[0].coeffs),
        "fps": motions[0].fps,
        "duration_s": speech.duration_s,
        "head": head.name,
        **meta,
    }


def _write(
    path: Path,
    motion: Motion,
    head: Head,
    speech: Speech,
    meta: dict[str, Any],
    *,
    size: int,
    renderer: str,
    reporter: Reporter,
) -> None:
    if path.suffix == MOTION_SUFFIX:
        write_motion(path, motion, meta)
    else:
        render_to(
            motion, head, path, speech=speech, size=size, renderer=renderer, metadata=meta, reporter=reporter
        )


def _take_seed(seed: int, take: int) -> int:
    # Distinct streams for neighbouring seeds: take 1 of seed 0 is not take 0 of seed 1.
    return seed * 1_000_003 + take


def _take_path(out: Path, take: int, takes: int) -> Path:
    if takes == 1:
        return out
    # As many digits as sort the files by take.
    digits = max(2, len(str(takes)))
    return out.with_name(f"{out.stem}.take{take + 1:0{digits}d}{out.suffix}")
