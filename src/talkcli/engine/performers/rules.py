"""The rules as a performer: they turn speech, its words and an emotion into motion.

The rules need no weights and no training. They are a baseline for trained models, and a way to animate phones
with known times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from talkcli.engine.audio.align import Aligner
from talkcli.engine.audio.textgrid import is_textgrid, read_alignment
from talkcli.engine.audio.words import spoken_words
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.finish.stack import Layers, lay_over
from talkcli.engine.finish.tongue import tongue_of_phones
from talkcli.engine.finish.tracks import digest_of
from talkcli.engine.origin import PERFORMED
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.readers.text import read_text
from talkcli.engine.rules.perform import perform
from talkcli.engine.types import MODEL_FPS, SILENCE, Alignment, Emotion, Motion, Phone, Reporter, Speech

# Name of the rules, in place of a model's.
RULES = "rules"
_TEXTGRID = ".textgrid"
# Patterns that distinguish names of files from words: a beginning and a suffix that only a path has, and a
# text without a blank that ends in a suffix.
_PATH_BEGINS = re.compile(r"[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|\w{2,10}://")
_PATH_ENDS = re.compile(
    r"\.(?:txt|lab|text|textgrid|trn|trans|stm|ctm|mlf|csv|tsv|json|jsonl|srt|vtt|sbv|ass|md|rtf|docx?|odt|"
    r"pdf|xml|eaf|log|wav|flac|mp3|ogg|opus|m4a|mp4|mov|mkv|npz|npy)",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(r"(?!.*\.\.)[^\s.][^\s]*\.[A-Za-z][A-Za-z0-9]{1,9}")


class RulesControls(Controls):
    """Controls of the rules: none. The rules draw a manner of their own for each take."""

    @property
    def is_random(self) -> bool:
        """See `Controls`."""
        return True


class Rules:
    """The rules with the words of the speech: text, or phones with their times, as `read_words` returns them.

    Without an emotion the performance is neutral, for the rules do not recognise the emotion of a voice.
    Takes differ in manner, in accents and in what random layers add. With an `actor`, which may be any name,
    the manner stays the same in all takes.
    """

    header = Meta(head="ada", channels=ADA, fps=MODEL_FPS, trained_on="nothing", licence="that of talk")

    controls = RulesControls

    def __init__(
        self,
        words: str | Alignment,
        *,
        layers: Mapping[str, bool | None] | None = None,
        reporter: Reporter,
    ) -> None:
        """Load the head if the layers need it.

        Args:
            words: Text or phones of the speech.
            layers: Layers to switch on or off, as `Layers.chosen` takes them; None for those that draw
                nothing at random.
            reporter: Receiver of warnings.

        Raises:
            UsageError: For contacts.
            InputError: For text with digits, with words of another script, or without words.
        """
        self._made_by: dict[str, Any] = {
            "origin": PERFORMED.model_dump(exclude_none=True),
            "method": RULES,
            "weights_sha256": None,
            "weights_licence": None,
        }
        if isinstance(words, str):
            self._made_by["text"] = " ".join(spoken_words(words))
        self._words = words
        self._reporter = reporter
        self.layers = _layers(layers)
        self._head = load_head(self.header.head) if self.layers.need_head else None

    def cast(self, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:  # noqa: ARG002  others tell
        """See `Performer`. Any name is an actor, so the rules choose none by default."""
        return sampling, False

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[Motion]:
        """Make one motion of ada per take at 25 fps, with its layers.

        Raises UsageError for an emotion from speech, ExtraError when text must be aligned and the extra
        `align` is missing, and InputError for phones that begin after the end of the sound.
        """
        if controls is not None and not isinstance(controls, RulesControls):
            raise TypeError(f"{type(controls).__name__} are no controls of the rules")
        if emotion_speech is not None:
            raise UsageError(
                "`emotion_from`: the rules recognise no emotion in speech.",
                hint="Name the emotion: `emotion=happy`, or `emotion=happy:0.5`.",
            )
        alignment = self._aligned(speech)
        made_by = {**self._made_by, "alignment": alignment.method}
        # Where the mouth follows the loudness, what stands for phones is none.
        said = None if alignment.method == "energy" else alignment
        return (
            replace(motion, alignment=said, meta=made_by)
            for motion in self._takes(speech, alignment, sampling)
        )

    def _takes(self, speech: Speech, alignment: Alignment, sampling: Sampling) -> Iterator[Motion]:
        emotion = sampling.emotion or Emotion()
        for take in range(sampling.takes):
            motion = perform(
                speech,
                alignment,
                emotion,
                speaker=sampling.actor or f"take {take}",
                clip_id=f"take {take} of {digest_of(speech)}",
                seed=sampling.seed,
                eyes=False,
            )
            yield lay_over(
                motion,
                speech,
                self.layers,
                self._head,
                tongue=tongue_of_phones(alignment.phones, motion.num_frames, motion.fps),
                seed=sampling.seed,
                take=take,
                emotion=emotion,
            )

    def _aligned(self, speech: Speech) -> Alignment:
        if isinstance(self._words, Alignment):
            return fitted(self._words, speech.duration_s)
        alignment = Aligner().align(speech, self._words)
        if alignment.method == "energy":
            self._reporter.warn(
                "The aligner did not find the words in the sound, so the mouth follows the loudness. "
                "Check the text, or give `text` a TextGrid with its phones."
            )
        return alignment


def read_words(text: str) -> str | Alignment:
    """Return the words or phones that `text` gives: the words themselves, or the content of a file.

    The file may have any name: its content tells whether it is plain text or a TextGrid with a tier `phones`.
    Raises InputError for a file that cannot be read, and for the name of a file that does not exist.
    """
    path = _file(text)
    if path is None:
        return text
    if path.suffix.lower() == _TEXTGRID:
        return read_alignment(path)
    words = read_text(path)
    return read_alignment(path) if is_textgrid(words) else words


def _file(text: str) -> Path | None:
    """Return the file that `text` names; None if `text` is the words themselves."""
    name = text.strip()
    path = Path(text)
    try:
        exists = bool(name) and path.exists()
    except (OSError, ValueError):
        # The text is too long for a name, or contains a zero byte.
        exists = False
    looks = bool(_PATH_BEGINS.match(name)) or bool(_PATH_ENDS.fullmatch(path.suffix))
    looks = looks or (" " not in name and ("/" in name or "\\" in name))
    looks = looks or bool(_FILE_NAME.fullmatch(name))
    # A folder may have a word as its name.
    if exists and (looks or not path.is_dir()):
        return path
    if looks and "\n" not in name:
        raise InputError(
            f"`text={name[:200]}` names a file that is not there.",
            hint="Check the path; if these are words and no file, put a blank between them.",
        )
    return None


def fitted(alignment: Alignment, duration_s: float) -> Alignment:
    """Return `alignment` from 0 to `duration_s` seconds, with silence wherever it has no phone.

    Raises InputError when a phone begins after the end of the sound: the phones are then those of another
    sound.
    """
    filled, at = [], 0.0
    for phone in alignment.phones:
        if phone.symbol == SILENCE:
            continue
        if phone.start_s > duration_s:
            raise InputError(
                f"The phone {phone.symbol} begins at {phone.start_s:.2f} s, but the speech lasts only "
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
        raise UsageError(
            "`contacts`: the rules already close the lips in the phones that need it.",
            hint="Leave `contacts` out.",
        )
    # The rules perform brows of their own.
    return Layers.chosen("ada", {**wishes, "contacts": False, "brows": bool(wishes.get("brows"))})
