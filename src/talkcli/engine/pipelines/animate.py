"""Speech to motion with a trained model or by rules, written as motion files and videos.

Axis names: `samples` (16 kHz), `frames` (the model's fps), `coeffs` = 53.
Memory grows with the speech alone: a performance is written before the next is drawn, and what lies between
is worked out piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float

from talkcli import __version__
from talkcli.engine.audio.io import read_measured, read_speech
from talkcli.engine.checkpoints.model_file import (
    Header,
    Meta,
    load_model,
    read_header,
)
from talkcli.engine.device import resolve_device, seeded, settle_threads
from talkcli.engine.errors import AssetError, InputError, UsageError, one_by_one
from talkcli.engine.face.channels import CHANNELS
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.files import sha256
from talkcli.engine.layers.stack import Layers, lay_over, within_range
from talkcli.engine.models.deeptalk import Codes, DeepTalk, Heard
from talkcli.engine.origin import generated_by
from talkcli.engine.pipelines.actors import performing, speaker
from talkcli.engine.pipelines.named_model import weights_of
from talkcli.engine.pipelines.render import (
    VIDEO_SUFFIX,
    check_distinct,
    check_output,
    render_to,
    tell_folders,
)
from talkcli.engine.pipelines.rules import RULES, Rules, read_words
from talkcli.engine.pipelines.sampling import Performer, Sampling
from talkcli.engine.render.renderers import check_renderer
from talkcli.engine.types import Emotion, Motion, Reporter, Speech
from talkcli.engine.wording import counted

MOTION_SUFFIX = ".npz"

Precision = Literal["fp32", "bf16"]


class Animator:
    """A loaded model with what is known of its origin; `model_name` is as for `weights_of`.

    `precision` bf16 computes in bfloat16 where torch's autocast does. `layers` are wishes as `Layers.chosen`
    takes them; None stands for the steady ones, which add nothing that is drawn at random.
    """

    def __init__(
        self,
        model_name: str,
        device_name: str,
        *,
        precision: Precision = "fp32",
        layers: Mapping[str, bool | None] | None = None,
    ) -> None:
        path, header = _generator(model_name)
        named = header.head
        # Before the weights, so that a missing head is found at once; contacts have one that never is.
        early = _layers(named, None if layers is None else {**layers, "contacts": False})
        self._head = load_head(named) if replace(early, contacts=False).need_head else None
        self.device = resolve_device(device_name)
        self.precision = precision
        self.model, self.header = load_model(path, self.device)
        settle_threads(self.model)
        if layers is not None and layers.get("contacts") and not self.model.hears_contacts:
            raise UsageError(
                f"--contacts is for models that hear phones, {path} hears none.",
                hint="Leave it out, or train with a recipe whose content is of the kind phones.",
            )
        chosen = _layers(named, layers)
        self.layers = replace(chosen, contacts=chosen.contacts and self.model.hears_contacts)
        if self._head is None and self.layers.need_head:
            self._head = load_head(named)
        self.sha256 = sha256(path)
        self.maker = {
            "origin": generated_by(self.header.method, self.sha256).model_dump(exclude_none=True),
            "method": self.header.method,
            "weights_sha256": self.sha256,
            "weights_licence": self.header.licence,
            "precision": precision,
        }

    def motions(
        self, speech: Speech, sampling: Sampling, emotion_speech: Speech | None = None
    ) -> Iterator[Motion]:
        """One motion per take at the model's rate, layers included; frame k belongs to samples 640 k to
        640 (k + 1).

        Every motion is made when it is asked for. Raises UsageError for an actor or an emotion the model does
        not know, and for slow codes to hold where it has one level of codes.
        """
        self.speaker(sampling.actor)
        levels = len(self.model.prior.levels)
        if sampling.hold_slow and levels < 2:
            raise UsageError(
                f"--hold-slow: this model's motion prior has {counted(levels, 'level')} and no slow codes."
            )
        heard = self.listen(speech, emotion_speech, emotion=sampling.emotion, always_pad=sampling.always_pad)
        return self.takes(heard, speech, sampling)

    def listen(
        self,
        speech: Speech,
        emotion_speech: Speech | None = None,
        *,
        emotion: Emotion | None = None,
        always_pad: bool = False,
    ) -> Heard:
        """`speech` after the encoders; `emotion`, or that of `emotion_speech`, takes the place of its own."""
        emotion_samples = None if emotion_speech is None else self._batch(emotion_speech)
        with self._autocast():
            return self.model.listen(
                self._batch(speech), emotion_samples, emotion=emotion, always_pad=always_pad
            )

    def takes(self, heard: Heard, speech: Speech, sampling: Sampling) -> Iterator[Motion]:
        """As `motions`, from `speech` that was `heard` before."""
        sigma, held = sampling.sigma, None
        for take in range(sampling.takes):
            motion, codes = self._draw(heard, sampling, take, sigma=sigma, held=held)
            if sampling.hold_slow and held is None:
                # The emotion is the first thing a take draws, so this is the first take's once more.
                emotion = self.model.felt(heard, sigma, self._generator(sampling, take))
                heard = heard._replace(emotion=heard.emotion._replace(mean=emotion))
                sigma, held = None, codes
            # Where nothing but layers is drawn, takes are one performance in every respect.
            yield lay_over(
                motion,
                speech,
                self.layers,
                self._head,
                contacts=None if heard.contacts is None else heard.contacts[0].float().cpu().numpy(),
                seed=sampling.seed,
                take=take if sampling.is_random else 0,
                emotion=sampling.emotion,
            )

    def _draw(
        self, heard: Heard, sampling: Sampling, take: int, *, sigma: float | None, held: Codes | None
    ) -> tuple[Motion, Codes]:
        """One take and its slow codes."""
        with self._autocast():
            drawn = self.model.take(
                heard,
                sigma=sigma,
                tau_top=sampling.tau_top,
                tau_bottom=sampling.tau_bottom,
                speaker=self.speaker(sampling.actor),
                generator=self._generator(sampling, take),
                gumbel=sampling.gumbel,
                held=held,
            )
        return self._motion(drawn.coeffs[0].float().cpu().numpy()), drawn.slow

    def speaker(self, actor: str | None) -> int:
        """The model's number for `actor`, as `actors.speaker` has it. Raises UsageError."""
        return speaker(self.model.config, actor)

    def _generator(self, sampling: Sampling, take: int) -> torch.Generator:
        # Distinct streams for neighbouring seeds: take 1 of seed 0 is not take 0 of seed 1.
        return seeded(sampling.seed * 1_000_003 + take, self.device)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def _motion(self, coeffs: Float[np.ndarray, "frames coeffs"]) -> Motion:
        """What the model made, within what channels can hold: it overshoots a little. Raises InputError for
        numbers that are not finite, which weights far too large lead to.
        """
        if not np.isfinite(coeffs).all():
            raise InputError(
                "The model made motion that is not finite numbers.",
                hint="Give another --model, or train it again.",
            )
        return within_range(
            Motion(
                coeffs=coeffs,
                fps=float(self.header.fps),
                head=self.header.head,
                channels=self.header.channels,
            )
        )

    def _batch(self, speech: Speech) -> torch.Tensor:
        return torch.from_numpy(speech.samples)[None].to(self.device)


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
    head = _head_to_draw(head_name, Rules.header if model_name == RULES else _generator(model_name)[1], outs)
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


def _layers(head: str, wishes: Mapping[str, bool | None] | None) -> Layers:
    return Layers.steady(head) if wishes is None else Layers.chosen(head, wishes)


def _generator(model_name: str) -> tuple[Path, Header]:
    """The file of a generator and its header. Raises InputError for a file of anything else."""
    path = weights_of(model_name)
    header = read_header(path)
    if header.method != DeepTalk.method:
        raise InputError(
            f"{path} holds a {header.method} model, which is no generator.",
            hint="Give --model a checkpoint of talk train-gen.",
        )
    if CHANNELS.get(header.head) != header.channels:
        raise InputError(
            f"{path} moves a head {header.head} with channels that no head of that name has.",
            hint="Give --model a checkpoint of talk train-gen, trained for a head of this version.",
        )
    return path, header


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
