"""RAVDESS: acted emotional speech whose file names tell emotion, intensity, sentence and actor.

Motion is performed from the two known sentences. Source: Livingstone & Russo (2018), PLoS ONE 13(5):
e0196391; names are modality-channel-emotion-intensity-statement-repetition-actor.
"""

from __future__ import annotations

import re
from pathlib import Path

from talkcli.engine.data.adapters.spoken import SpokenFile
from talkcli.engine.data.manifest import Split
from talkcli.engine.data.source import Source
from talkcli.engine.types import Emotion

LICENCE = "CC-BY-NC-SA-4.0"
_NAME = re.compile(r"03-01-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)\.(wav|flac)")
_EMOTIONS = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad",
    "05": "angry", "06": "fear", "07": "disgust", "08": "surprise",
}  # fmt: skip
_LEVELS = {"01": 0.65, "02": 1.0}
_SENTENCES = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}


def ravdess_sources(root: Path, split_of_actor: dict[int, Split]) -> list[Source]:
    """The speech clips below `root` of the actors in `split_of_actor`, in order of their names."""
    sources = []
    for path in sorted(root.rglob("*"), key=lambda path: path.name):
        match = _NAME.fullmatch(path.name)
        if match is None or int(match[5]) not in split_of_actor:
            continue
        emotion, level, statement, _, actor, _ = match.groups()
        sources.append(
            Source(
                id=f"ravdess/{path.stem}",
                speaker=f"ravdess-{actor}",
                emotion=Emotion(label=_EMOTIONS[emotion], level=_LEVELS[level]),
                split=split_of_actor[int(actor)],
                licence=LICENCE,
                recipe=SpokenFile(path=path, text=_SENTENCES[statement]),
            )
        )
    return sources
