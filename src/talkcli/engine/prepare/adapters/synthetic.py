"""Synthesised speech: flite, festival and espeak-ng read talk's sentences; the performer makes the motion.

Playing a voice faster or slower makes a smaller or larger speaker, since it scales pitch and formants (Jaitly
& Hinton 2013, on vocal tract lengths). A part of espeak's clips has an emotion: rate, pitch, range, level and
brightness follow the vocal correlates of emotion in Murray & Arnott (1993) and Schröder (2001). Emotions are
drawn independently of the words.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import soxr
from jaxtyping import Float
from scipy.signal import lfilter

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.manifest import Split
from talkcli.engine.errors import InputError
from talkcli.engine.files import temporary_folder
from talkcli.engine.lifetime import run_child
from talkcli.engine.prepare.adapters.spoken import perform_text
from talkcli.engine.prepare.sentences.everyday import EVERYDAY
from talkcli.engine.prepare.sentences.sentences import SENTENCES
from talkcli.engine.prepare.sentences.told import TOLD
from talkcli.engine.prepare.sentences.val import VALIDATION
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.rules.perform import generator
from talkcli.engine.types import SPEECH_RATE_HZ, Emotion, Silent, Speech

LICENCE = "CC0-1.0"
_TIMEOUT_S = 60
# Level of the speech, and range of levels of a room's noise, in dB re full scale.
_SPEECH_DB = -23.0
_NOISE_DB = (-80.0, -55.0)
_SILENCE_S = (0.15, 0.7)
# Program of each engine, and number of its voices that read each sentence.
PROGRAMS: Mapping[str, str] = {"flite": "flite", "festival": "text2wave", "espeak-ng": "espeak-ng"}
READINGS: Mapping[str, int] = {"flite": 1, "festival": 1, "espeak-ng": 1}


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A speaker: a voice of an engine, played `size` times faster."""

    engine: str
    name: str
    size: float = 1.0
    split: Split = "train"

    @property
    def speaker(self) -> str:
        size = "" if self.size == 1.0 else f"-x{self.size:g}"
        return f"{self.engine}-{self.name.replace('+', '-')}{size}"


# English voices. kal of flite and kal of festival are one man, for validation only; his 8 kHz voice is left
# out. So are twelve variants of espeak: in one build of the corpus the aligner found the words in less than
# 77 of 100 of their readings.
VOICES: tuple[Voice, ...] = (
    *(
        Voice(engine="flite", name=name, size=size)
        for name in ("slt", "rms", "awb")
        for size in (0.88, 1.0, 1.14)
    ),
    Voice(engine="flite", name="kal16", split="val"),
    *(
        Voice(engine="festival", name=name, size=size)
        for name in ("cmu_us_slt_arctic_hts", "ked_diphone")
        for size in (0.92, 1.08, 1.2)
    ),
    Voice(engine="festival", name="kal_diphone", split="val"),
    # Accents with voice variants: m* are low, f* high, klatt* use another voice source.
    *(
        Voice(engine="espeak-ng", name=name)
        for name in (
            "en-us+m1", "en-us+f2", "en-us+f5", "en-us+klatt2", "en-us+klatt", "en-us+f3", "en-gb-x-rp+f1",
            "en-gb-x-rp+m6", "en-gb-x-rp+klatt", "en-gb-x-gbclan+f5", "en-us-nyc+f3",
        )
    ),
    Voice(engine="espeak-ng", name="en-us+m5", split="val"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Manner:
    """The sound of an emotion: factors on rate, pitch and pitch range, level in dB, brightness in [-1, 1]."""

    rate: float = 1.0
    pitch: float = 1.0
    range: float = 1.0
    level_db: float = 0.0
    brightness: float = 0.0


_MANNERS: Mapping[str, Manner] = {
    "neutral": Manner(),
    "calm": Manner(rate=0.85, pitch=0.95, range=0.7, level_db=-5.0, brightness=-0.3),
    "happy": Manner(rate=1.15, pitch=1.30, range=1.8, level_db=3.0, brightness=0.3),
    "sad": Manner(rate=0.75, pitch=0.85, range=0.4, level_db=-8.0, brightness=-0.6),
    "angry": Manner(rate=1.25, pitch=1.15, range=1.6, level_db=6.0, brightness=0.7),
    "fear": Manner(rate=1.35, pitch=1.60, range=0.9, level_db=-2.0, brightness=0.0),
    "disgust": Manner(rate=0.80, pitch=0.80, range=1.3, level_db=0.0, brightness=-0.1),
    "surprise": Manner(rate=1.10, pitch=1.50, range=2.2, level_db=2.0, brightness=0.2),
}


@dataclass(frozen=True, kw_only=True)
class Synthesised:
    """The recipe of one sentence by one voice.

    `rate` and `pitch` are factors on the voice's own; `pad_s` are seconds of silence before and after.
    """

    voice: Voice
    text: str
    rate: float
    pitch: float
    manner: Manner
    pad_s: tuple[float, float]

    @property
    def inputs(self) -> tuple[Path, ...]:
        return ()

    def make(self, source: Source) -> Recording:
        with temporary_folder() as folder:
            path = folder / "speech.wav"
            _run(self._command(path), self.text)
            spoken = read_speech(path, Silent()).samples
        if self.voice.size != 1.0:
            spoken = soxr.resample(spoken, SPEECH_RATE_HZ * self.voice.size, SPEECH_RATE_HZ)
        before, after = (round(seconds * SPEECH_RATE_HZ) for seconds in self.pad_s)
        samples = np.pad(_trimmed(spoken), (before, after))
        speech = Speech(samples=_coloured(samples, self.manner, generator("room", source.id, 0)))
        return perform_text(speech, self.text, source, eyes=False)

    def _command(self, path: Path) -> list[str]:
        name = self.voice.name
        # Speech that is played faster must be spoken slower.
        rate, pitch = self.rate * self.manner.rate / self.voice.size, self.pitch * self.manner.pitch
        if self.voice.engine == "flite":
            stretch = f"duration_stretch={1 / rate:.3f}"
            return ["flite", "-voice", name, "--setf", stretch, "-t", self.text, "-o", str(path)]
        if self.voice.engine == "festival":
            # festival's pitch model is of a mean of 170 Hz; the HTS voice ignores both pitch and stretch.
            tune = f"(target_f0_mean {105 * pitch:.0f}) (target_f0_std {15 * self.manner.range:.0f})"
            setting = (
                f"(begin (voice_{name}) (Parameter.set 'Duration_Stretch {1 / rate:.3f}) "
                f"(set! int_lr_params '({tune} (model_f0_mean 170) (model_f0_std 34))))"
            )
            return ["text2wave", "-eval", setting, "-o", str(path)]
        # espeak's pitch and range go from 0 to 99; 50 is the default.
        marked = f'<prosody range="{round(100 * self.manner.range)}%">{escape(self.text)}</prosody>'
        options = ["-v", name, "-s", str(round(165 * rate)), "-p", str(min(round(50 * pitch), 99))]
        return ["espeak-ng", *options, "-m", "-w", str(path), marked]


def synthetic_sources(
    readings: Mapping[str, int] = READINGS, seed: int = 0
) -> tuple[list[Source], list[str]]:
    """Return sources of all sentences, and the names of missing engines.

    `readings` voices of each engine, drawn with `seed`, read each sentence, in drawn manners; the validation
    voices read all of their own sentences.
    """
    missing = [engine for engine in readings if shutil.which(PROGRAMS[engine]) is None]
    texts = (*SENTENCES, *EVERYDAY, *TOLD)
    sources = []
    for engine, num_readings in readings.items():
        if engine in missing:
            continue
        heard, unheard = (
            [voice for voice in VOICES if voice.engine == engine and voice.split == split]
            for split in ("train", "val")
        )
        for index, text in enumerate(texts):
            rng = generator("reading", f"{engine}:{text}", seed)
            chosen = [heard[choice] for choice in rng.permutation(len(heard))[:num_readings]]
            sources += _readings(f"{index:03d}", text, chosen, rng)
        for index, text in enumerate(VALIDATION):
            rng = generator("reading", f"{engine}:{text}", seed)
            sources += _readings(f"val-{index:03d}", text, unheard, rng)
    return sources, missing


def _readings(number: str, text: str, voices: Sequence[Voice], rng: np.random.Generator) -> list[Source]:
    sources = []
    for voice in voices:
        felt = voice.engine == "espeak-ng" and rng.random() < 0.5
        label = str(rng.choice(list(_MANNERS))) if felt else "neutral"
        recipe = Synthesised(
            voice=voice,
            text=text,
            rate=round(float(rng.uniform(0.8, 1.15)), 3),
            pitch=round(float(rng.uniform(0.8, 1.2)), 3),
            manner=_MANNERS[label],
            pad_s=(round(float(rng.uniform(*_SILENCE_S)), 2), round(float(rng.uniform(*_SILENCE_S)), 2)),
        )
        sources.append(
            Source(
                id=f"synthetic/{voice.speaker}-{number}",
                speaker=voice.speaker,
                emotion=Emotion(label=label, level=0.65 if label == "neutral" else 0.85),
                split=voice.split,
                licence=LICENCE,
                recipe=recipe,
                text=text,
            )
        )
    return sources


def _run(command: list[str], text: str) -> None:
    try:
        run_child(command, check=True, input=text.encode(), capture_output=True, timeout=_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError) as error:
        raise InputError(f"{command[0]} could not speak ({error}).") from error


def _trimmed(samples: Float[np.ndarray, "samples"]) -> Float[np.ndarray, "spoken"]:
    """Trim the engine's own silence, whose length would identify the engine."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max(initial=1e-6))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def _coloured(
    samples: Float[np.ndarray, "samples"], manner: Manner, rng: np.random.Generator
) -> Float[np.ndarray, "samples"]:
    """Return `samples` with the manner's brightness, by a first-order tilt, and its level.

    It also applies a random gain of the microphone and a little room noise.
    """
    tilt = 0.6 * abs(manner.brightness)
    bright, dull = ([1.0, -tilt], [1.0]), ([1.0], [1.0, -tilt])
    shaped = lfilter(*(bright if manner.brightness > 0 else dull), samples)
    loud = shaped[np.abs(shaped) > 0.02 * np.abs(shaped).max(initial=1e-6)]
    level_db = _SPEECH_DB + manner.level_db + rng.uniform(-3, 3)
    shaped *= 10 ** (level_db / 20) / max(float(np.std(loud)) if len(loud) else 0.0, 1e-9)
    noise = rng.standard_normal(len(samples)) * 10 ** (rng.uniform(*_NOISE_DB) / 20)
    return np.clip(shaped + noise, -1, 1).astype(np.float32)
