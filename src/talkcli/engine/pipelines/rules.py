"""The performer as a method of its own: speech, its words and an emotion become motion by rules.

No weights, no training: a baseline for trained models, and a way to animate with phones that are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from talkcli.engine.audio.textgrid import read_alignment
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.data.performer.align import Aligner, spoken_words
from talkcli.engine.data.performer.perform import perform
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.layers.stack import Layers, lay_over
from talkcli.engine.origin import PERFORMED
from talkcli.engine.pipelines.sampling import Sampling
from talkcli.engine.types import MODEL_FPS, SILENCE, Alignment, Emotion, Motion, Phone, Reporter, Speech

RULES = "rules"
_TEXT, _TEXTGRID = ".txt", ".textgrid"


class Rules:
    """The rules with the words they say: text, or phones in time as `read_words` gives them.

    Without an emotion they are neutral, for they hear none. Takes differ in manner, in accents and in what
    layers draw; with an `actor`, which may be any name, the manner stays the same. `layers` are wishes as
    `Layers.chosen` takes them; None stands for the steady ones.
    """

    header = Meta(head="ada", channels=ADA, fps=MODEL_FPS, trained_on="nothing", licence="that of talk")

    def __init__(
        self,
        words: str | Alignment,
        *,
        layers: Mapping[str, bool | None] | None = None,
        reporter: Reporter,
    ) -> None:
        self.maker: dict[str, Any] = {
            "origin": PERFORMED.model_dump(exclude_none=True),
            "method": RULES,
            "weights_sha256": None,
            "weights_licence": None,
        }
        if isinstance(words, str):
            self.maker["text"] = " ".join(spoken_words(words))
        self._words = words
        self._reporter = reporter
        self.layers = _layers(layers)
        self._head = load_head(self.header.head) if self.layers.need_head else None

    def motions(
        self, speech: Speech, sampling: Sampling, emotion_speech: Speech | None = None
    ) -> Iterator[Motion]:
        """One motion of ada per take at 25 fps, layers included.

        Raises UsageError for what only models have, ExtraError where text must be aligned and the align extra
        is missing, InputError for phones that lie beyond the sound.
        """
        _refuse(sampling, emotion_speech)
        alignment = self._aligned(speech)
        self.maker["alignment"] = alignment.method
        return self._takes(speech, alignment, sampling)

    def _takes(self, speech: Speech, alignment: Alignment, sampling: Sampling) -> Iterator[Motion]:
        emotion = sampling.emotion or Emotion()
        for take in range(sampling.takes):
            motion = perform(
                speech,
                alignment,
                emotion,
                speaker=sampling.actor or f"take {take}",
                clip_id=f"take {take}",
                seed=sampling.seed,
                eyes=False,
            )
            yield lay_over(
                motion, speech, self.layers, self._head, seed=sampling.seed, take=take, emotion=emotion
            )

    def _aligned(self, speech: Speech) -> Alignment:
        if isinstance(self._words, Alignment):
            return fitted(self._words, speech.duration_s)
        alignment = Aligner().align(speech, self._words)
        if alignment.method == "energy":
            self._reporter.warn(
                "The words were not found in the sound: the mouth follows its loudness. "
                "Check the text, or give --text a TextGrid with its phones."
            )
        return alignment


def read_words(text: str) -> str | Alignment:
    """What --text gives: the words themselves, a .txt with them, or a TextGrid with a tier `phones`.

    Raises InputError for a file that is missing or unreadable.
    """
    path = Path(text)
    suffix = path.suffix.lower()
    if suffix == _TEXTGRID:
        return read_alignment(path)
    if suffix != _TEXT:
        return text
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable text ({error}).") from error


def fitted(alignment: Alignment, duration_s: float) -> Alignment:
    """`alignment` from 0 to `duration_s`, silence wherever it is empty.

    Raises InputError where a phone begins beyond the sound, as in the phones of another sound.
    """
    filled, at = [], 0.0
    for phone in alignment.phones:
        if phone.symbol == SILENCE:
            continue
        if phone.start_s > duration_s:
            raise InputError(
                f"The phone {phone.symbol} begins at {phone.start_s:.2f} s, after the speech, which lasts "
                f"{duration_s:.2f} s.",
                hint="Give the TextGrid of this speech.",
            )
        if phone.start_s > at:
            filled.append(Phone(SILENCE, at, phone.start_s))
        at = min(phone.end_s, duration_s)
        filled.append(Phone(phone.symbol, phone.start_s, at))
    if at < duration_s:
        filled.append(Phone(SILENCE, at, duration_s))
    return Alignment(tuple(filled), alignment.method)


def _layers(wishes: Mapping[str, bool | None] | None) -> Layers:
    if wishes is None:
        return replace(Layers.steady("ada"), contacts=False)
    if wishes.get("contacts"):
        raise UsageError("--contacts: rules hear no contacts.", hint="They reach those of the words.")
    return Layers.chosen("ada", {**wishes, "contacts": False})


def _refuse(sampling: Sampling, emotion_speech: Speech | None) -> None:
    """Raises UsageError for what only trained models can do."""
    if emotion_speech is not None:
        raise UsageError(
            "--emotion-from: rules hear no emotion.", hint="Say it: --emotion happy, or --emotion happy:0.5."
        )
    drawn = ("sigma", "tau_top", "tau_bottom", "gumbel", "hold_slow", "always_pad")
    plain = Sampling()
    for name in drawn:
        if getattr(sampling, name) != getattr(plain, name):
            raise UsageError(
                f"--{name.replace('_', '-')} is for trained models: rules draw no emotion and no codes.",
                hint="Rules perform every take differently; --seed gives others.",
            )
