"""Recordings of rooms in which nobody speaks, with the face at rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from talkcli.engine.origin import PERFORMED
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.rules.perform import generator, perform
from talkcli.engine.types import SILENCE, SPEECH_RATE_HZ, Alignment, Emotion, Phone, Speech

LICENCE = "CC0-1.0"
_SECONDS = 6.0


@dataclass(frozen=True, kw_only=True)
class QuietRoom:
    """Noise of `level_db` re full scale; None: digital silence.

    `dullness` in [0, 1) damps high frequencies.
    """

    level_db: float | None
    dullness: float = 0.0

    @property
    def inputs(self) -> tuple[Path, ...]:
        return ()

    def make(self, source: Source) -> Recording:
        rng = generator("room", source.id, 0)
        samples = np.zeros(round(_SECONDS * SPEECH_RATE_HZ))
        if self.level_db is not None:
            samples = lfilter([1.0], [1.0, -self.dullness], rng.standard_normal(len(samples)))
            samples *= 10 ** (self.level_db / 20) / samples.std()
        speech = Speech(samples=samples.astype(np.float32))
        still = Alignment((Phone(SILENCE, 0.0, speech.duration_s),), "aligned")
        motion = perform(speech, still, source.emotion, speaker=source.speaker, clip_id=source.id, eyes=False)
        return Recording(speech=speech, motion=motion, alignment=still, origin=PERFORMED)


def quiet_sources() -> list[Source]:
    """Return clips of eight rooms, from digital silence to a loud one."""
    rooms = [QuietRoom(level_db=None)]
    rooms += [
        QuietRoom(level_db=float(level), dullness=d)
        for level, d in zip(range(-80, -45, 5), np.linspace(0, 0.95, 7).tolist(), strict=True)
    ]
    return [
        Source(
            id=f"quiet/{index}",
            speaker="nobody",
            emotion=Emotion(label="neutral", level=0.65),
            split="train",
            licence=LICENCE,
            recipe=room,
        )
        for index, room in enumerate(rooms)
    ]
