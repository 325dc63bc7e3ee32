"""Forced alignment: the place in the sound of each phone of a known transcript.

Axis names: `steps` (100 Hz).
The aligner is pocketsphinx (Huggins-Daines et al. 2006). Run it in a worker process, because its decoder is
C code whose crash ends the process. The aligner makes up to three attempts: it aligns the sound; it aligns
the sound played 1.3 times slower, with wide beams; it uses the loudness alone. The first two count only if
they pass a gate, because the decoder also "aligns" a text that nobody said.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from jaxtyping import Float

from talkcli.engine.audio.prosody import STEP_HZ, loudness_db
from talkcli.engine.audio.spelling import Language, guess_phones
from talkcli.engine.audio.words import spoken_words
from talkcli.engine.masks import runs
from talkcli.engine.optional import require
from talkcli.engine.types import SILENCE, SPEECH_RATE_HZ, Alignment, Phone, Speech

# Factor by which the second attempt plays the sound slower.
_SLOWER = 1.3
# Settings of the decoder: one pass over the words. With more passes the best path through the lattice may end
# before the sound does, and then the pass over the phones fails.
_ONE_PASS = {"bestpath": False, "fwdflat": False}
# Settings of the second attempt: beams of the search (ratios of likelihoods), wider than the defaults.
_WIDE = {"beam": 1e-100, "pbeam": 1e-100, "wbeam": 1e-80}

# Gate: lowest mean score of the spoken phones. A score is the acoustic model's log-likelihood per step.
_LOWEST_SCORE = -28.0
# Gate: shortest duration of a phone in the decoder's models, in steps of 10 ms, and the share of such phones
# from which on an alignment is refused.
_MINIMUM_STEPS = 3
_MOST_AT_MINIMUM = 0.25
# Gate: longest duration of a spoken phone, and of a silence as loud as speech, in seconds.
_LONGEST_PHONE_S = 0.6
_LONGEST_LOUD_SILENCE_S = 0.4
# Threshold of speech, in dB below the loudest step of the sound.
_SPEECH_BELOW_PEAK_DB = 30.0


class Aligner:
    """Aligner that keeps the decoders of one process."""

    def __init__(self) -> None:
        self._decoders: dict[bool, Any] = {}

    def align(self, speech: Speech, text: str, language: Language = "en") -> Alignment:
        """Return the alignment of `text` with `speech`.

        Args:
            speech: Speech at 16 kHz.
            text: Transcript of the speech.
            language: Language of the transcript. The acoustic model knows only English, so spelling rules
                write the words of another language in English phones.

        Returns:
            The phones in time; an `energy` alignment (see `by_energy`) if neither attempt passes the gate.

        Raises:
            InputError: for a text without words, with digits, or with words that cannot be spoken.
            ExtraError: when pocketsphinx is not installed.
        """
        words = spoken_words(text, language)
        level = loudness_db(speech)
        for slowed in (False, True):
            found = self._attempt(speech, words, slowed, language)
            if found is None:
                continue
            phones, score = found
            phones = _trim_releases(phones, level)
            if _passes(phones, score, level):
                return Alignment(_fill(phones, speech.duration_s), "slowed" if slowed else "aligned")
        return by_energy(speech)

    def _attempt(
        self, speech: Speech, words: list[str], slowed: bool, language: Language
    ) -> tuple[list[Phone], float] | None:
        """Return the phones and the mean score of the spoken ones; None if the decoder finds no alignment."""
        decoder = self._decoder(slowed)
        # A prefix keeps words of another language apart from English words of the same spelling.
        entries = words if language == "en" else [f"{language}:{word}" for word in words]
        for word, entry in zip(words, entries, strict=True):
            if decoder.lookup_word(entry) is None:
                # False: do not update the existing searches, which takes 0.1 s a word. `set_align_text` makes
                # a new search.
                decoder.add_word(entry, " ".join(guess_phones(word, language)), False)
        samples = speech.samples
        if slowed:
            samples = soxr.resample(samples, SPEECH_RATE_HZ, SPEECH_RATE_HZ * _SLOWER)
        sound = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        # The decoder's front-end adapts to each sound; without a reset, results depend on the order of clips.
        decoder.reinit_feat()
        try:
            decoder.set_align_text(" ".join(entries))
            _decode(decoder, sound)
            # The second pass finds the phones of the words. A call of hyp() after it crashes the process.
            decoder.set_alignment()
            _decode(decoder, sound)
            alignment = decoder.get_alignment()
        except RuntimeError:
            return None
        if alignment is None:
            return None
        # Steps of the decoder in a second of the original sound.
        second = STEP_HZ * (_SLOWER if slowed else 1.0)
        items = [item for word in alignment for item in word]
        phones = [
            _phone(item.name, item.start / second, (item.start + item.duration) / second) for item in items
        ]
        spoken = [item for item, phone in zip(items, phones, strict=True) if phone.symbol != SILENCE]
        if not spoken:
            return None
        return phones, sum(item.score for item in spoken) / sum(item.duration for item in spoken)

    def _decoder(self, slowed: bool) -> Any:
        if slowed not in self._decoders:
            pocketsphinx = require("pocketsphinx", purpose="Phone alignment")
            self._decoders[slowed] = pocketsphinx.Decoder(
                samprate=SPEECH_RATE_HZ, loglevel="FATAL", **_ONE_PASS, **(_WIDE if slowed else {})
            )
        return self._decoders[slowed]


def by_energy(speech: Speech) -> Alignment:
    """Return an alignment without phones: silence, and one neutral vowel (AH) for each stretch of sound.

    The mouth then follows the loudness alone. A step counts as sound if it is louder than -60 dB of full
    scale, and less than 30 dB below the loudest step.
    """
    level = loudness_db(speech)
    loud = _fill_short_gaps(level > max(level.max(initial=-80.0) - _SPEECH_BELOW_PEAK_DB, -60.0))
    phones = [Phone("AH", start / STEP_HZ, end / STEP_HZ) for start, end in runs(loud)]
    return Alignment(_fill(phones, speech.duration_s), "energy")


def _decode(decoder: Any, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


def _phone(name: str, start_s: float, end_s: float) -> Phone:
    # Fillers such as +NSN+ (noise) say nothing about the shape of the mouth.
    return Phone(name if name.isalpha() else SILENCE, start_s, end_s)


def _trim_releases(phones: list[Phone], level: Float[np.ndarray, "steps"]) -> list[Phone]:
    """End the last phone before each silence where its sound ends, but 60 ms after its start at the earliest.

    The decoder extends that phone beyond its sound.
    """
    trimmed = []
    for index, phone in enumerate(phones):
        last = index + 1 == len(phones) or phones[index + 1].symbol == SILENCE
        if phone.symbol != SILENCE and last:
            start, end = round(phone.start_s * STEP_HZ), round(phone.end_s * STEP_HZ)
            loud = np.flatnonzero(level[start:end] > level.max() - _SPEECH_BELOW_PEAK_DB)
            kept = max(loud[-1] + 1 if len(loud) else 0, 2 * _MINIMUM_STEPS)
            trimmed.append(Phone(phone.symbol, phone.start_s, min(phone.end_s, (start + kept) / STEP_HZ)))
        else:
            trimmed.append(phone)
    return trimmed


def _passes(phones: list[Phone], score: float, level: Float[np.ndarray, "steps"]) -> bool:
    """Return whether an alignment passes the gate.

    Args:
        phones: Phones in time.
        score: Mean log-likelihood of the spoken phones per step.
        level: Loudness of the sound in dB of full scale.
    """
    spoken = [phone for phone in phones if phone.symbol != SILENCE]
    steps = np.array([round(phone.duration_s * STEP_HZ) for phone in spoken])
    return bool(
        score >= _LOWEST_SCORE
        and np.mean(steps <= _MINIMUM_STEPS) < _MOST_AT_MINIMUM
        and steps.max() <= _LONGEST_PHONE_S * STEP_HZ
        and not any(_is_loud_silence(phone, level) for phone in phones[1:-1])
    )


def _is_loud_silence(phone: Phone, level: Float[np.ndarray, "steps"]) -> bool:
    """Return whether `phone` is a long silence as loud as speech: then the text does not fit the sound."""
    if phone.symbol != SILENCE or phone.duration_s <= _LONGEST_LOUD_SILENCE_S:
        return False
    inside = level[round(phone.start_s * STEP_HZ) : round(phone.end_s * STEP_HZ)]
    return bool(np.median(inside) > level.max() - _SPEECH_BELOW_PEAK_DB)


def _fill(phones: list[Phone], duration_s: float) -> tuple[Phone, ...]:
    """Return `phones` with silence in every gap and up to `duration_s`; adjacent silences are merged."""
    filled: list[Phone] = []
    at = 0.0
    for phone in [
        *(phone for phone in phones if phone.symbol != SILENCE),
        Phone(SILENCE, duration_s, duration_s),
    ]:
        if phone.start_s - at > 1e-6:
            filled.append(Phone(SILENCE, at, phone.start_s))
        if phone.symbol != SILENCE:
            filled.append(phone)
        at = phone.end_s
    return tuple(filled)


def _fill_short_gaps(loud: np.ndarray) -> np.ndarray:
    """Return `loud` with gaps under 100 ms set to true: they are closures of stop consonants, not pauses."""
    filled = loud.copy()
    edges = np.flatnonzero(np.diff(loud.astype(np.int8)))
    for start, end in zip(edges[:-1] + 1, edges[1:] + 1, strict=True):
        if not loud[start] and end - start < STEP_HZ // 10:
            filled[start:end] = True
    return filled
