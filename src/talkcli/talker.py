"""Speech to motion from Python: a model that is loaded once, and what it takes as speech.

Axis names: `samples`, `channels` (of sound).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.audio.io import read_speech, speech_of
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.resample import resample
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.performers.open import chosen_controls, open_performer
from talkcli.engine.performers.performer import Sampling, parse_emotion
from talkcli.engine.performers.trained import Precision
from talkcli.engine.types import AnyMotion, Reporter, Silent, Speech

_HIGHEST_FPS = 240
# What speech may be: a file, samples (then `rate_hz` says how many there are to a second), or read speech.
Sound = str | Path | Speech | np.ndarray


class Talker:
    """A performer that was loaded once and animates as often as asked; `load` makes it."""

    def __init__(
        self,
        model: str | Path = EMBEDDED,
        *,
        device: str = "auto",
        precision: Precision = "fp32",
        layers: Mapping[str, bool | None] | None = None,
        text: str | None = None,
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
        )

    @property
    def head(self) -> str:
        """The name of the head that the motion moves."""
        return self._performer.header.head

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the columns of the motion's coefficients."""
        return self._performer.header.channels

    @property
    def licence(self) -> str:
        """The terms that the weights are under."""
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
        """Turn speech into one motion; arguments as for `takes`."""
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
        """Turn speech into `count` motions, each made when it is asked for.

        Args:
            speech: a file, samples in [-1, 1] of one or several channels, or `Speech`.
            rate_hz: of samples; needed for these alone.
            emotion: LABEL or LABEL:LEVEL, e.g. "happy" or "angry:0.5"; None takes it from the voice.
            emotion_from: speech whose emotion takes the place of the voice's.
            actor: a speaker of the model, by name or number.
            seed: fixes what is drawn; take k is the same whatever `count` is.
            fps: frames per second; None for the model's own.
            controls: of the method, e.g. `sigma`, `tau_top`, `tau_bottom` of DEEPTalk.

        Raises:
            TalkError: for sound that cannot be used, and for what the model does not understand.
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
    """A reporter that passes warnings on to Python's `warnings` and keeps notes to itself."""

    def warn(self, text: str) -> None:
        """Warn as Python's libraries do, of the line that called this package."""
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
    reporter: Reporter | None = None,
) -> Talker:
    """Load a model once, to animate with it many times.

    Args:
        model: "embedded", a model file or run folder, or "rules", which need `text`.
        device: auto, cpu, cuda or cuda:N.
        precision: "fp32", or "bf16", which is faster on processors that have it.
        layers: what lies over the motion, by name (docs/layers.md); what is left out is on for models of ada.
        text: what the rules say: words, or a file with words or with phones in time.
        reporter: told of notes and warnings; None passes warnings on to Python's `warnings`.

    Raises:
        TalkError: for a model that cannot be loaded.
    """
    return Talker(model, device=device, precision=precision, layers=layers, text=text, reporter=reporter)


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
    """Turn speech into one motion, with a model that is loaded for it.

    The arguments are those of `load` and, as `told`, those of `Talker.animate`. The coefficients are those of
    `talk animate` with the same options.
    """
    talker = load(model, device=device, precision=precision, layers=layers, text=text)
    return talker.animate(speech, **told)


def as_speech(sound: Sound, *, rate_hz: int | None = None, reporter: Reporter | None = None) -> Speech:
    """Read or convert sound to what models hear: one channel at 16 kHz.

    Raises InputError for sound that cannot be used, UsageError for samples without `rate_hz`.
    """
    told = reporter or Warnings()
    if isinstance(sound, str | Path):
        return read_speech(Path(sound), told)
    if isinstance(sound, Speech):
        return as_speech(sound.samples, rate_hz=sound.rate_hz, reporter=told)
    if rate_hz is None:
        raise UsageError("`rate_hz` is missing: nothing else says how many samples a second has.")
    samples = np.asarray(sound)
    if samples.ndim not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
        raise InputError(
            f"Samples of the shape {samples.shape} and the type {samples.dtype} are no sound.",
            hint="Give floats in [-1, 1], of the shape (samples,) or (samples, channels).",
        )
    if int(rate_hz) != rate_hz:
        raise UsageError(f"`rate_hz={rate_hz}` is no whole number.")
    return speech_of(samples if samples.ndim == 2 else samples[:, None], int(rate_hz), told)
