"""A trained generator as a performer: speech in, motion with its layers out.

Axis names: `samples` (16 kHz), `frames` (the model's fps), `coeffs` = 53.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from talkcli.engine.checkpoints.model_file import Header, load_model, read_header
from talkcli.engine.device import resolve_device, seeded, settle_threads
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import CHANNELS
from talkcli.engine.face.heads import load_head
from talkcli.engine.files import sha256
from talkcli.engine.finish.stack import Layers, lay_over, within_range
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.performance import Codes, Heard
from talkcli.engine.origin import generated_by
from talkcli.engine.performers.actors import speaker
from talkcli.engine.performers.named_model import weights_of
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.types import Emotion, Motion, Speech
from talkcli.engine.wording import counted

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
        path, header = generator_file(model_name)
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


def generator_file(model_name: str) -> tuple[Path, Header]:
    """Find the file of a generator, `model_name` as for `weights_of`, and read its header. Raises InputError
    for a file of anything else.
    """
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


def _layers(head: str, wishes: Mapping[str, bool | None] | None) -> Layers:
    return Layers.steady(head) if wishes is None else Layers.chosen(head, wishes)
