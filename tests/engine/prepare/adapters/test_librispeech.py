"""LibriSpeech: transcripts, sex and split of each clip, as published and from a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import write_wav
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.librispeech import (
    REPORTED,
    TUNING,
    UNTRANSCRIBED,
    librispeech_of_corpus,
    librispeech_sources,
)
from talkcli.engine.prepare.adapters.spoken import UntranscribedFile
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Emotion, Silent, Speech
from tests.engine.fakes import Told
from tests.engine.prepare.trees import tree


def published(root: Path) -> Path:
    tree(
        root,
        "dev-clean/84/121123/84-121123-0000.flac",
        "dev-clean/84/121123/84-121123-0001.flac",
        "train-clean-100/19/198/19-198-0010.flac",
        "train-clean-100/19/198/19-198-0009.flac",
        "train-clean-100/19/198/notes.flac",
    )
    (root / "dev-clean/84/121123/84-121123.trans.txt").write_text(
        "84-121123-0000 GO DO YOU HEAR\n84-121123-0001 BUT IN LESS THAN FIVE MINUTES\n"
    )
    (root / "train-clean-100/19/198/19-198.trans.txt").write_text("19-198-0009 NORTHANGER ABBEY\n")
    (root / "SPEAKERS.TXT").write_text(
        ";ID  |SEX| SUBSET           |MINUTES| NAME\n"
        "84   | F | dev-clean        | 8.02  | Christie Nowak\n"
        "19   | F | train-clean-100  | 25.19 | Kara Shallenberg\n"
    )
    return root


def test_as_published(tmp_path: Path) -> None:
    told = Told()
    sources = librispeech_sources(published(tmp_path), told)
    assert [source.id for source in sources] == [
        "librispeech/19-198-0009",
        "librispeech/84-121123-0000",
        "librispeech/84-121123-0001",
    ]
    assert [source.split for source in sources] == ["train", "val", "val"]
    assert sources[0].text == "Northanger abbey."
    assert sources[0].recipe.text == sources[0].text  # type: ignore[attr-defined]
    assert (sources[1].speaker, sources[1].sex) == ("librispeech-84", "female")
    assert "3 clips of LibriSpeech by 2 speakers (2 female)" in told.notes[0]
    assert any("1 clip without a transcript: 19-198-0010.flac" in text for text in told.warnings)
    assert any("notes.flac" in text for text in told.warnings)


def test_a_copy_with_a_table(tmp_path: Path) -> None:
    tree(tmp_path, "84/1/84-1-0000.mp3", "1993/1/1993-1-0000.opus", "5/1/5-1-0000.opus")
    (tmp_path / "index.tsv").write_text(
        "file\tspeaker\tsex\tseconds\ttext\n84/1/84-1-0000.mp3\t84\tF\t3.9\tIT'S LATE\n"
        "1993/1/1993-1-0000.opus\t1993\tF\t2.0\tYES\n5/1/5-1-0000.opus\t5\tM\t2.0\tNO, SAID HE\n"
    )
    sources = librispeech_of_corpus(tmp_path, Silent())
    assert [(source.speaker, source.sex, source.split) for source in sources] == [
        ("librispeech-5", "male", "train"),
        ("librispeech-84", "female", "test"),
        ("librispeech-1993", "female", "val"),
    ]
    assert sources[1].text == "It's late."
    assert all(source.id.startswith("librispeech/") for source in sources)
    (tmp_path / "index.tsv").write_text("file\twords\n")
    with pytest.raises(InputError, match="no column text"):
        librispeech_sources(tmp_path, Silent())


def test_the_corpus_takes_voices_without_a_transcript(tmp_path: Path) -> None:
    told = Told()
    sources = librispeech_of_corpus(published(tmp_path), told)
    unheard = [source for source in sources if source.id.startswith(UNTRANSCRIBED)]
    assert [(source.speaker, source.text, source.emotion.label) for source in unheard] == [
        ("librispeech-19", None, "neutral")
    ]
    assert not any("without a transcript" in text for text in told.warnings)


def test_voices_without_a_transcript_are_for_training_alone(tmp_path: Path) -> None:
    tree(tmp_path, "84/1/84-1-0000.opus", "1993/1/1993-1-0000.opus", "5/1/5-1-0000.opus")
    sources = librispeech_of_corpus(tmp_path, Silent())
    assert [(source.speaker, source.split) for source in sources] == [("librispeech-5", "train")]


def test_a_clip_without_a_transcript_has_motion_and_no_phones(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    loud = np.concatenate([np.zeros(8000), 0.2 * rng.standard_normal(8000), np.zeros(8100)])
    write_wav(tmp_path / "a.wav", Speech(samples=loud.astype(np.float32)))
    source = Source(
        id="a", speaker="b", emotion=Emotion(label="neutral", level=0.5), split="train", licence="CC0-1.0",
        recipe=UntranscribedFile(path=tmp_path / "a.wav"),
    )  # fmt: skip
    made = source.recipe.make(source)
    assert made.alignment is None and made.motion is not None and made.speech is not None
    assert made.motion.num_frames * 640 == len(made.speech.samples)
    opening = made.motion.coeffs[:, made.motion.channels.index("jawPitch")]
    assert opening[13:24].mean() > 0.03 > opening[:8].max()


def test_speakers_of_reports_choose_nothing() -> None:
    assert not set(TUNING) & set(REPORTED)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file named like LibriSpeech"):
        librispeech_sources(tree(tmp_path, "one.flac"), Silent())
