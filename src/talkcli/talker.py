"""Speech to motion from Python: a performer that is loaded once, and the forms of speech that it takes.

Axis names: `samples`, `channels` (of sound).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.audio.io import read_speech, speech_of
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.resample import resample
from talkcli.engine.face.template import read_template
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.performers.open import chosen_controls, open_performer
from talkcli.engine.performers.performer import Sampling, parse_emotion
from talkcli.engine.performers.trained import Precision
from talkcli.engine.types import AnyMotion, Reporter, Silent, Speech

# Largest frame rate of the output, in frames per second.
_HIGHEST_FPS = 240
# Forms of speech: a file, samples (they need `rate_hz`, their sampling rate), or speech that was read.
Sound = str | Path | Speech | np.ndarray


class Talker:
    """A performer that is loaded once and animates any number of times. `load` makes it and describes its
    arguments.
    """

    def __init__(
        self,
        model: str | Path = EMBEDDED,
        *,
        device: str = "auto",
        precision: Precision = "fp32",
        layers: Mapping[str, bool | None] | None = None,
        text: str | None = None,
        template: str | Path | Sequence[str | Path] | None = None,
        topology: str | None = None,
        reporter: Reporter | None = None,
    ) -> None:
        self._reporter = reporter or Warnings()
        self._performer = open_performer(
            str(model),
            device,
            precision=precision,
            layers=layers or {},
            text=text,
            reporter=self._reporter,
            template=read_template(files_of(template), topology, self._reporter),
        )

    @property
    def head(self) -> str:
        """Name of the head or topology that the motion moves."""
        return self._performer.header.head

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the columns of the motion's coefficients; empty for a model of vertices."""
        return self._performer.layers.channels(self._performer.header.channels)

    @property
    def licence(self) -> str:
        """Licence of the weights."""
        return self._performer.header.licence

    def animate(
        self,
        speech: Sound,
        *,
        rate_hz: int | None = None,
        emotion: str | None = None,
        emotion_from: Sound | None = None,
        actor: str | int | None = None,
        seed: int = 0,
        fps: float | None = None,
        **controls: Any,
    ) -> AnyMotion:
        """Turn speech into one motion. The arguments are those of `takes`."""
        return next(
            self.takes(
                speech,
                1,
                rate_hz=rate_hz,
                emotion=emotion,
                emotion_from=emotion_from,
                actor=actor,
                seed=seed,
                fps=fps,
                **controls,
            )
        )

    def takes(
        self,
        speech: Sound,
        count: int,
        *,
        rate_hz: int | None = None,
        emotion: str | None = None,
        emotion_from: Sound | None = None,
        actor: str | int | None = None,
        seed: int = 0,
        fps: float | None = None,
        **controls: Any,
    ) -> Iterator[AnyMotion]:
        """Turn speech into `count` motions, each when the caller asks for it.

        Args:
            speech: File, samples in [-1, 1] of one or several channels, or `Speech`.
            count: Number of takes.
            rate_hz: Sampling rate of samples in Hz; needed for samples only.
            emotion: LABEL or LABEL:LEVEL, e.g. "happy" or "angry:0.5"; None keeps the emotion of the voice.
            emotion_from: Speech whose emotion replaces that of the voice.
            actor: Speaker of the model, by name or index.
            seed: Seed of every random choice; take k is the same whatever `count` is.
            fps: Frame rate of the motion in frames per second; None for the model's own.
            controls: Controls of the method, e.g. `sigma`, `tau_top`, `tau_bottom` of DEEPTalk.

        Raises:
            TalkError: For unusable sound, and for arguments that the model does not understand.
        """
        if not (isinstance(count, int) and count >= 1):
            raise UsageError(f"`count={count}` is no whole number from 1.")
        if not (isinstance(seed, int) and 0 <= seed < 1 << 32):
            raise UsageError(f"`seed={seed}` is no whole number from 0 to 2**32 - 1.")
        if fps is not None and not 1 <= fps <= _HIGHEST_FPS:
            raise UsageError(f"`fps={fps}` is no rate from 1 to {_HIGHEST_FPS}.")
        if emotion is not None and emotion_from is not None:
            raise UsageError(
                "`emotion` and `emotion_from` both set the emotion.", hint="Leave one of them out."
            )
        chosen = chosen_controls(self._performer.header, controls)
        told = Sampling(
            takes=count,
            seed=seed,
            actor=None if actor is None else str(actor),
            emotion=None if emotion is None else parse_emotion(emotion),
        )
        chosen.check(told)
        if count > 1 and not chosen.is_random:
            self._reporter.warn("No control draws anything at random: all takes are the same performance.")
        sound = self._sound(speech, rate_hz)
        other = None if emotion_from is None else self._sound(emotion_from, rate_hz)
        told, _ = self._performer.cast(told, self._reporter)
        made = self._performer.perform(sound, told, chosen, other)
        return (
            replace(motion if fps is None else resample(motion, fps), meta={**motion.meta, "take": take})
            for take, motion in enumerate(made)
        )

    def _sound(self, speech: Sound, rate_hz: int | None) -> Speech:
        return as_speech(speech, rate_hz=rate_hz, reporter=self._reporter)


class Warnings(Silent):
    """Reporter that passes warnings on to Python's `warnings`, and drops notes."""

    def warn(self, text: str) -> None:
        """Warn at the line that called this package, as Python's libraries do."""
        level, frame = 1, sys._getframe()
        while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("talkcli"):
            level, frame = level + 1, frame.f_back
        warnings.warn(text, stacklevel=level)


def load(
    model: str | Path = EMBEDDED,
    *,
    device: str = "auto",
    precision: Precision = "fp32",
    layers: Mapping[str, bool | None] | None = None,
    text: str | None = None,
    template: str | Path | Sequence[str | Path] | None = None,
    topology: str | None = None,
    reporter: Reporter | None = None,
) -> Talker:
    """Load a performer once, to animate with it many times.

    Args:
        model: "embedded", "emoface", "faceformer", a model file or run folder, or "rules", which need `text`.
        device: auto, cpu, cuda or cuda:N.
        precision: "fp32", or "bf16", which is faster on processors that support it, and less exact.
        layers: Layers to switch on or off, by name (docs/layers.md); the others are on for models of ada.
        text: Words for the rules: the words themselves, or a file with words or with phones and their times.
        template: Face at rest for a model of vertices: a file, "FILE:SUBJECT" of a dictionary of subjects, or
            one of these and a mesh with the triangles.
        topology: What the template is numbered after, "flame" or "biwi"; None for the model's topology.
        reporter: Receiver of notes and warnings; None passes warnings on to Python's `warnings`.

    Raises:
        TalkError: For a model or a template that cannot be loaded.
    """
    return Talker(
        model,
        device=device,
        precision=precision,
        layers=layers,
        text=text,
        template=template,
        topology=topology,
        reporter=reporter,
    )


def files_of(template: str | Path | Sequence[str | Path] | None) -> list[str]:
    """Return the files of a template, which callers name one by one or as a list."""
    given = [template] if isinstance(template, str | Path) else template or ()
    return [str(file) for file in given]


def animate(
    speech: Sound,
    *,
    model: str | Path = EMBEDDED,
    device: str = "auto",
    precision: Precision = "fp32",
    layers: Mapping[str, bool | None] | None = None,
    text: str | None = None,
    **told: Any,
) -> AnyMotion:
    """Turn speech into one motion, with a performer that is loaded for it.

    The arguments are those of `load` and, as `told`, those of `Talker.animate`. The coefficients are those of
    `talk animate` with the same options.
    """
    talker = load(model, device=device, precision=precision, layers=layers, text=text)
    return talker.animate(speech, **told)


def as_speech(sound: Sound, *, rate_hz: int | None = None, reporter: Reporter | None = None) -> Speech:
    """Read or convert sound to the form that models take: one channel at 16 kHz.

    Args:
        sound: File, samples in [-1, 1] of one or several channels, or `Speech`.
        rate_hz: Sampling rate of samples in Hz; needed for samples only.
        reporter: Receiver of warnings; None passes them on to Python's `warnings`.

    Raises:
        InputError: For unusable sound.
        UsageError: For samples without `rate_hz`, or with one that is no whole number.
    """
    told = reporter or Warnings()
    if isinstance(sound, str | Path):
        return read_speech(Path(sound), told)
    if isinstance(sound, Speech):
        return as_speech(sound.samples, rate_hz=sound.rate_hz, reporter=told)
    if rate_hz is None:
        raise UsageError("`rate_hz` is missing: samples alone do not state their sampling rate.")
    samples = np.asarray(sound)
    if samples.ndim not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
        raise InputError(
            f"Samples of the shape {samples.shape} and the type {samples.dtype} are not sound.",
            hint="Give floats in [-1, 1], of the shape (samples,) or (samples, channels).",
        )
    if int(rate_hz) != rate_hz:
        raise UsageError(f"`rate_hz={rate_hz}` is no whole number.")
    return speech_of(samples if samples.ndim == 2 else samples[:, None], int(rate_hz), told)
