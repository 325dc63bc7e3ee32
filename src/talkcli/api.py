"""The Python interface: `import talkcli as talk`. Its names are exported by `talkcli/__init__.py`.

Axis names: `samples`, `channels` (of sound), `frames`, `height`, `width`.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.audio.io import read_speech, speech_of
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.arkit import arkit_curves
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_motion as read_motion_file
from talkcli.engine.face.motion_file import write_motion as write_motion_file
from talkcli.engine.face.resample import resample
from talkcli.engine.performers.named_model import EMBEDDED
from talkcli.engine.performers.open import chosen_controls, open_performer
from talkcli.engine.performers.performer import Sampling, parse_emotion
from talkcli.engine.performers.rules import read_words
from talkcli.engine.performers.trained import Precision
from talkcli.engine.pipelines.render import render_to
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import VIEWS, studio_scene
from talkcli.engine.types import Motion, Reporter, Silent, Speech
from talkcli.engine.version import __version__

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
        self._model = str(model)
        self._reporter = reporter or Warnings()
        self._performer = open_performer(
            self._model,
            device,
            precision=precision,
            layers=layers or {},
            words=None if text is None else read_words(text),
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
        actor: str | None = None,
        seed: int = 0,
        fps: float | None = None,
        **controls: Any,
    ) -> Motion:
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
        actor: str | None = None,
        seed: int = 0,
        fps: float | None = None,
        **controls: Any,
    ) -> Iterator[Motion]:
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
        if count < 1:
            raise UsageError(f"`count={count}`: there is at least one take.")
        if emotion is not None and emotion_from is not None:
            raise UsageError(
                "`emotion` and `emotion_from` both say what to feel.", hint="Leave one of them out."
            )
        chosen = chosen_controls(self._model, controls)
        told = Sampling(
            takes=count, seed=seed, actor=actor, emotion=None if emotion is None else parse_emotion(emotion)
        )
        chosen.check(told)
        sound = self._sound(speech, rate_hz)
        other = None if emotion_from is None else self._sound(emotion_from, rate_hz)
        told, _ = self._performer.cast(told, self._reporter)
        made = self._performer.perform(sound, told, chosen, other)
        return (motion if fps is None else resample(motion, fps) for motion, _ in made)

    def _sound(self, speech: Sound, rate_hz: int | None) -> Speech:
        return as_speech(speech, rate_hz=rate_hz, reporter=self._reporter)


class Warnings(Silent):
    """A reporter that passes warnings on to Python's `warnings` and keeps notes to itself."""

    def warn(self, text: str) -> None:
        """Warn as Python's libraries do."""
        warnings.warn(text, stacklevel=4)


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


def animate(speech: Sound, *, model: str | Path = EMBEDDED, device: str = "auto", **told: Any) -> Motion:
    """Turn speech into one motion, with a model that is loaded for it; `told` as for `Talker.animate`.

    The motion is that of `talk animate` with the same options.
    """
    return load(model, device=device).animate(speech, **told)


def render(
    motion: Motion,
    out: str | Path,
    *,
    speech: Sound | None = None,
    rate_hz: int | None = None,
    head: str | None = None,
    size: int = 512,
    fps: float | None = None,
    view: str = "front",
    renderer: str = "software",
    overwrite: bool = False,
) -> Path:
    """Draw a motion into a video or a folder of pictures, and give its path.

    Args:
        out: a name that ends in .mp4, else a folder for PNG frames.
        speech: the sound of the video, as for `Talker.takes`.
        head: a name or a FLAME file; None for the motion's own.
        size: side of the picture in pixels.
        fps: frames per second; None for the motion's own.
        overwrite: replace the frames in a folder.

    Raises:
        TalkError: for what cannot be drawn or written; then nothing was.
    """
    told = Warnings()
    target = Path(out)
    sound = None if speech is None else as_speech(speech, rate_hz=rate_hz, reporter=told)
    render_to(
        motion if fps is None else resample(motion, fps),
        load_head(head or motion.head),
        target,
        speech=sound,
        size=size,
        renderer=renderer,
        metadata={"command": "render", "talk": __version__},
        reporter=told,
        view=view,
        overwrite=overwrite,
    )
    return target


def frames(
    motion: Motion,
    *,
    head: str | None = None,
    size: int = 512,
    view: str = "front",
    renderer: str = "software",
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Draw a motion picture by picture: sRGB, 0 to 255; arguments as for `render`."""
    if view not in VIEWS:
        raise UsageError(f"There is no view {view}.", hint=f"Views: {', '.join(VIEWS)}.")
    shown = load_head(head or motion.head)
    if shown.channels != motion.channels:
        raise UsageError(
            f"The motion moves the channels of {motion.head}, the head {shown.name} has others.",
            hint=f"Use `head={motion.head}`.",
        )
    scene = studio_scene(shown, yaw_deg=VIEWS[view])
    with (
        contextlib.closing(open_renderer(renderer, scene, size, size)) as drawer,
        contextlib.closing(pictures(motion, shown, drawer)) as drawn,
    ):
        yield from drawn


def vertices(motion: Motion, *, head: str | None = None) -> Float[np.ndarray, "frames verts 3"]:
    """Give the head's vertices over time, in metres, its pose left out."""
    import torch

    shown = load_head(head or motion.head)
    with torch.inference_mode():
        moved: Float[np.ndarray, "frames verts 3"] = shown(torch.from_numpy(motion.coeffs)).numpy()
    return moved


def curves(motion: Motion) -> dict[str, Float[np.ndarray, "frames"]]:
    """Give ARKit's 52 curves, each from 0 to 1, of a motion of ada. Raises InputError for other heads."""
    return arkit_curves(motion.coeffs, motion.channels)


def read_motion(path: str | Path) -> Motion:
    """Read a motion file (.npz). Raises InputError for any other file."""
    return read_motion_file(Path(path))[0]


def write_motion(path: str | Path, motion: Motion, meta: Mapping[str, Any] | None = None) -> Path:
    """Write a motion file (.npz), whole or not at all; `meta` is anything that JSON holds."""
    target = Path(path)
    if target.suffix.lower() != ".npz":
        raise UsageError(f"{target}: the name of a motion file ends in .npz.")
    write_motion_file(target, motion, dict(meta or {}))
    return target


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
    return speech_of(samples.reshape(len(samples), -1), rate_hz, told)


def score(
    predictions: str | Path | Sequence[str | Path],
    *,
    truth: str | Path | None = None,
    speech: str | Path | None = None,
    text: str | Path | None = None,
    head: str | None = None,
) -> dict[str, Any]:
    """Measure motion files as `talk score` does; the document that it prints with --json.

    Args:
        predictions: a motion file, a folder of them, or several.
        truth: the true motion, a file or a folder with the same names.
        speech: the sound, likewise; `text`: the words or phones, likewise.
        head: whose surface is measured; None for the motion's own.
    """
    from talkcli.engine.pipelines.score.generation import Generation
    from talkcli.engine.pipelines.score.motions import score_motions

    given = [predictions] if isinstance(predictions, str | Path) else list(predictions)
    return score_motions(
        [Path(path) for path in given],
        truth=None if truth is None else Path(truth),
        audio=None if speech is None else Path(speech),
        dataset=None,
        text=None if text is None else Path(text),
        head_name=head,
        generation=Generation(),
        thresholds=[],
        reporter=Warnings(),
    )
