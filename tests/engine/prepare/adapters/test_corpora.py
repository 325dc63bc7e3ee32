"""What the names and tables of the corpus's parts mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.prosody import loudness_db
from talkcli.engine.audio.textgrid import Interval, read_tier
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.topology import lip_opening_mm
from talkcli.engine.prepare.adapters.facegood import facegood_sources, read_curves
from talkcli.engine.prepare.adapters.mfa import mfa_sources
from talkcli.engine.prepare.adapters.quiet import quiet_sources
from talkcli.engine.prepare.adapters.ravdess import ravdess_sources
from talkcli.engine.types import SILENCE, Emotion, Silent


def test_ravdess_names(tmp_path: Path) -> None:
    for name in (
        "03-01-06-02-01-02-03.wav",
        "03-01-01-01-02-01-11.wav",
        "03-01-05-01-01-01-12.wav",
        "notes.wav",
    ):
        (tmp_path / name).touch()
    sources = ravdess_sources(tmp_path, {3: "train", 11: "val"})
    assert [source.speaker for source in sources] == ["ravdess-11", "ravdess-03"]
    fear = sources[1]
    assert (fear.emotion, fear.split) == (Emotion(label="fear", level=1.0), "train")
    assert fear.recipe.text == "Kids are talking by the door."  # type: ignore[attr-defined]


LONG = """File type = "ooTextFile"
Object class = "TextGrid"
xmin = 0
xmax = 2.5
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 2.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "this"
        intervals [2]:
            xmin = 0.5
            xmax = 1.5
            text = ""
        intervals [3]:
            xmin = 1.5
            xmax = 2.5
            text = "that"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
2.5
<exists>
1
"IntervalTier"
"words"
0
2.5
3
0
0.5
"this"
0.5
1.5
""
1.5
2.5
"that"
"""


@pytest.mark.parametrize("text", [LONG, SHORT])
def test_textgrids_of_both_forms(tmp_path: Path, text: str) -> None:
    grid = tmp_path / "a.TextGrid"
    grid.write_text(text)
    assert read_tier(grid) == [Interval("this", 0.0, 0.5), Interval("", 0.5, 1.5), Interval("that", 1.5, 2.5)]
    (tmp_path / "a.wav").touch()
    # Cut at the pause; the half-second word is too short to be a clip.
    assert [source.recipe.text for source in mfa_sources(tmp_path)] == ["that"]  # type: ignore[attr-defined]
    grid.write_text(text[: text.index("words") - 10])
    with pytest.raises(InputError):
        read_tier(grid)


def test_quiet_rooms_keep_the_face_at_rest() -> None:
    source = quiet_sources()[3]
    made = source.recipe.make(source)
    speech, motion = made.speech, made.motion
    assert speech is not None and motion is not None
    assert -75 < 20 * np.log10(speech.samples.std()) < -65
    assert np.abs(motion.coeffs[:, ADA.index("jawPitch")]).max() == 0
    # Blinks cannot be heard: they are laid over what a model makes of the corpus.
    assert motion.coeffs[:, ADA.index("eyeBlinkLeft")].max() < 0.2
    assert made.alignment is not None and [phone.symbol for phone in made.alignment.phones] == [SILENCE]


@pytest.mark.data
def test_facegood_moves_with_its_sound(shared_data: Path) -> None:
    folder = shared_data / "paired" / "facegood"
    sounds = sorted(folder.glob("*.wav"))
    assert len(sounds) == 5
    for sound in sounds:
        speech = read_speech(sound, Silent())
        motion = read_curves(folder / f"bs_value_{sound.stem}.npy", speech.duration_s)
        jaw = motion.coeffs[:, ADA.index("jawPitch")]
        assert jaw.min() >= 0 and 0.15 < jaw.max() < JAW_OPEN_RAD
        left, right = (motion.coeffs[:, ADA.index(f"mouthSmile{side}")] for side in ("Left", "Right"))
        np.testing.assert_array_equal(left, right)
        level = loudness_db(speech)[2::4][: len(jaw)]
        jaw = jaw[: len(level)]
        correlations = [np.corrcoef(jaw[late:], level[: len(level) - late])[0, 1] for late in range(3)]
        assert max(correlations) >= 0.6, sound.stem


@pytest.mark.data
def test_facegood_clips_are_short_and_free_of_jumps(shared_data: Path) -> None:
    sources = facegood_sources(shared_data / "paired" / "facegood")
    assert len(sources) > 40
    head = load_head("ada")
    made = sources[2].recipe.make(sources[2])
    without = facegood_sources(shared_data / "paired" / "facegood", eyes=False)[2]
    plain = without.recipe.make(without).motion
    assert plain is not None and plain.coeffs[:, ADA.index("eyeBlinkLeft")].max() < 0.5
    speech, motion = made.speech, made.motion
    assert speech is not None and motion is not None
    assert 4 < speech.duration_s <= 12
    assert abs(motion.duration_s - speech.duration_s) < 0.05
    vertices = head(torch.from_numpy(motion.coeffs))
    lips = vertices[:, torch.from_numpy(head.regions["lips"])]
    assert lips.diff(dim=0).norm(dim=-1).max().item() * 1000 < 5
    opening = lip_opening_mm(head.landmarks(vertices))
    assert opening.max() > 5
    assert opening.min() < 0.5
    # The upper face, which the data lack, is performed.
    assert motion.coeffs[:, ADA.index("eyeBlinkLeft")].max() > 0.5
