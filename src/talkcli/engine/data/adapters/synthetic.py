"""Synthesised speech: flite and espeak-ng read our own sentences in many voices; the performer supplies
motion.

A part of espeak's clips is spoken with a feeling: rate, pitch, range, level and brightness follow the vocal
correlates of emotion in Murray & Arnott (1993) and Schröder (2001), so that words and feelings mix freely.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.signal import lfilter

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.adapters.spoken import perform_text
from talkcli.engine.data.manifest import Split
from talkcli.engine.data.performer.perform import generator
from talkcli.engine.data.sentences import SENTENCES
from talkcli.engine.data.source import Recording, Source
from talkcli.engine.errors import InputError
from talkcli.engine.types import Emotion, Silent, Speech

LICENCE = "CC0-1.0"
_TIMEOUT_S = 60
# Level of speech itself, and of an ordinary room's noise, in dB re full scale.
_SPEECH_DB = -23.0
_NOISE_DB = (-80.0, -55.0)
_SILENCE_S = (0.15, 0.7)

# flite's built-in English voices; kal (8 kHz) is left out.
_FLITE: Mapping[str, Split] = {"slt": "train", "rms": "train", "awb": "train", "kal16": "val"}
# espeak-ng accents with voice variants: m* are low, f* high.
_ESPEAK: Mapping[str, Split] = {
    "en-us+m1": "train", "en-us+f2": "train", "en-gb+m3": "train", "en-gb-x-rp+f1": "train",
    "en-us+m7": "train", "en-gb-scotland+f3": "train", "en-us+f5": "train", "en-us+m5": "val",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a feeling sounds: factors on rate, pitch and pitch range, level in dB, brightness in [-1, 1]."""

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
    """One sentence by one voice; `rate` is a factor on the engine's usual pace, `pad_s` silence around it."""

    engine: str
    voice: str
    text: str
    rate: float
    pitch: float
    manner: Manner
    pad_s: tuple[float, float]

    @property
    def inputs(self) -> tuple[Path, ...]:
        return ()

    def make(self, source: Source) -> Recording:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            _run(self._command(path))
            spoken = read_speech(path, Silent())
        before, after = (round(seconds * spoken.rate_hz) for seconds in self.pad_s)
        samples = np.pad(_trimmed(spoken.samples), (before, after))
        speech = Speech(samples=_coloured(samples, self.manner, generator("room", source.id, 0)))
        return perform_text(speech, self.text, source)

    def _command(self, path: Path) -> list[str]:
        rate, pitch = self.rate * self.manner.rate, self.pitch * self.manner.pitch
        if self.engine == "flite":
            stretch = f"duration_stretch={1 / rate:.3f}"
            return ["flite", "-voice", self.voice, "--setf", stretch, "-t", self.text, "-o", str(path)]
        # espeak's pitch and range run from 0 to 99 around a usual 50.
        marked = f'<prosody range="{round(100 * self.manner.range)}%">{escape(self.text)}</prosody>'
        options = ["-v", self.voice, "-s", str(round(165 * rate)), "-p", str(min(round(50 * pitch), 99))]
        return ["espeak-ng", *options, "-m", "-w", str(path), marked]


def synthetic_sources(num_readings: int, seed: int = 0) -> tuple[list[Source], list[str]]:
    """Every sentence `num_readings` times, voices and manners drawn; and the names of missing
    synthesisers.
    """
    engines = [name for name in ("flite", "espeak-ng") if shutil.which(name)]
    missing = [name for name in ("flite", "espeak-ng") if name not in engines]
    voices = [("flite", voice, split) for voice, split in _FLITE.items() if "flite" in engines]
    voices += [("espeak-ng", voice, split) for voice, split in _ESPEAK.items() if "espeak-ng" in engines]
    if not voices:
        return [], missing
    sources = []
    for index, text in enumerate(SENTENCES):
        rng = generator("reading", text, seed)
        for choice in rng.permutation(len(voices))[:num_readings]:
            engine, voice, split = voices[choice]
            label = (
                str(rng.choice(list(_MANNERS))) if engine == "espeak-ng" and rng.random() < 0.5 else "neutral"
            )
            recipe = Synthesised(
                engine=engine,
                voice=voice,
                text=text,
                rate=round(float(rng.uniform(0.8, 1.15)), 3),
                pitch=round(float(rng.uniform(0.8, 1.2)), 3),
                manner=_MANNERS[label],
                pad_s=(round(float(rng.uniform(*_SILENCE_S)), 2), round(float(rng.uniform(*_SILENCE_S)), 2)),
            )
            sources.append(
                Source(
                    id=f"synthetic/{engine}-{voice.replace('+', '-')}-{index:03d}",
                    speaker=f"{engine}-{voice}",
                    emotion=Emotion(label=label, level=0.65 if label == "neutral" else 0.85),
                    split=split,
                    licence=LICENCE,
                    recipe=recipe,
                )
            )
    return sources, missing


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError) as error:
        raise InputError(f"{command[0]} could not speak ({error}).") from error


def _trimmed(samples: Float[np.ndarray, "samples"]) -> Float[np.ndarray, "spoken"]:
    """Without the engine's own silence, whose length would tell the engine apart."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max(initial=1e-6))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def _coloured(
    samples: Float[np.ndarray, "samples"], manner: Manner, rng: np.random.Generator
) -> Float[np.ndarray, "samples"]:
    """Brightness by a first-order tilt, the manner's level, a microphone's own level, and a little room
    noise.
    """
    tilt = 0.6 * abs(manner.brightness)
    bright, dull = ([1.0, -tilt], [1.0]), ([1.0], [1.0, -tilt])
    shaped = lfilter(*(bright if manner.brightness > 0 else dull), samples)
    loud = shaped[np.abs(shaped) > 0.02 * np.abs(shaped).max(initial=1e-6)]
    level_db = _SPEECH_DB + manner.level_db + rng.uniform(-3, 3)
    shaped *= 10 ** (level_db / 20) / max(float(np.std(loud)) if len(loud) else 0.0, 1e-9)
    noise = rng.standard_normal(len(samples)) * 10 ** (rng.uniform(*_NOISE_DB) / 20)
    return np.clip(shaped + noise, -1, 1).astype(np.float32)
