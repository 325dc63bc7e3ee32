"""Speech with a transcript that is not in it: refused, or performed by loudness and said to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.data.motion_report import oddities
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA
from talkcli.engine.prepare.adapters.spoken import SpokenFile
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Emotion


def test_words_that_are_not_there(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    hum = 0.2 * np.sin(2 * np.pi * 150 * np.arange(32_000) / 16_000)
    hum[:8000] = 0
    soundfile.write(tmp_path / "hum.wav", hum, 16_000)
    recipe = SpokenFile(path=tmp_path / "hum.wav", text="Dogs are sitting by the door.")
    source = Source(id="a", speaker="s", emotion=Emotion(), split="train", licence="MIT", recipe=recipe)
    with pytest.raises(InputError, match="were not found in the sound"):
        recipe.make(source)
    recording = SpokenFile(path=recipe.path, text=recipe.text, words_needed=False).make(source)
    assert recording.motion is not None and recording.report is not None
    jaw = recording.motion.coeffs[:, ADA.index("jawPitch")]
    assert jaw[:10].max() < 0.01
    assert np.median(jaw[18:45]) > 0.05
    (oddity,) = oddities([("a", recording.report)])
    assert (oddity.kind, oddity.clips) == ("words", ("a",))
