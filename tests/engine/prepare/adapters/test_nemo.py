"""nEMO: names tell speaker and emotion, the table tells words and sex."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.nemo import TEST_SPEAKERS, nemo_sources
from talkcli.engine.types import Emotion, Silent
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason, tree

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"


def test_labels_words_and_splits(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "WR0/WR0_surprised_64.opus",
        "KD0/KD0_anger_1.wav",
        "KD0/KD0_joy_1.wav",
        "KD0/KD0_fear_2.wav",
    )
    (tmp_path / "data.tsv").write_text(
        HEADER
        + "WR0_surprised_64.opus\tsurprised\tUcho wykrywa dźwięki.\tucho\tWR0\tmale\t23\n"
        + "KD0_anger_1.opus\tanger\tTo jest dom.\tto jest dom\tKD0\tfemale\t28\n",
        encoding="utf-8",
    )
    told = Told()
    sources = {source.id: source for source in nemo_sources(tmp_path, told)}
    surprised, angry = sources["nemo/WR0_surprised_64"], sources["nemo/KD0_anger_1"]
    assert (surprised.emotion, surprised.sex) == (Emotion(label="surprise", level=2 / 3), "male")
    assert surprised.text == "Ucho wykrywa dźwięki."
    assert (surprised.split, angry.split, angry.emotion.label) == ("train", "test", "angry")
    assert "no words" in reason(sources["nemo/KD0_fear_2"])
    assert "emotion joy" in reason(sources["nemo/KD0_joy_1"])
    assert "4 clips of nEMO by 2 speakers" in told.notes[0]


def test_a_woman_and_a_man_are_kept_for_tests() -> None:
    assert len(TEST_SPEAKERS) == 2


def test_what_is_not_nemo(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file named like nEMO"):
        nemo_sources(tree(tmp_path, "one.wav"), Silent())
    tree(tmp_path, "KD0_anger_1.wav")
    with pytest.raises(InputError, match=r"data\.tsv"):
        nemo_sources(tmp_path, Silent())
    (tmp_path / "data.tsv").write_text("file_id\traw_text\n")
    with pytest.raises(InputError, match="no column speaker_id and no column gender"):
        nemo_sources(tmp_path, Silent())
