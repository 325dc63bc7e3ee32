"""Which voices read what, and what a synthesiser is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.words import spoken_words
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters import synthetic
from talkcli.engine.prepare.adapters.synthetic import READINGS, VOICES, Synthesised, Voice, synthetic_sources
from talkcli.engine.prepare.sentences.everyday import EVERYDAY
from talkcli.engine.prepare.sentences.sentences import SENTENCES
from talkcli.engine.prepare.sentences.told import TOLD
from talkcli.engine.prepare.sentences.val import VALIDATION
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import SILENCE, Emotion

TEXTS = (*SENTENCES, *EVERYDAY, *TOLD)


@pytest.fixture
def all_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic.shutil, "which", lambda name: name)


def test_synthesisers_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic.shutil, "which", lambda name: None)
    assert synthetic_sources() == ([], ["flite", "festival", "espeak-ng"])
    monkeypatch.setattr(synthetic.shutil, "which", lambda name: name if name == "espeak-ng" else None)
    sources, missing = synthetic_sources()
    assert missing == ["flite", "festival"]
    assert {source.recipe.voice.engine for source in sources} == {"espeak-ng"}  # type: ignore[attr-defined]
    assert {source.emotion.label for source in sources} == set(synthetic._MANNERS)


@pytest.mark.usefixtures("all_installed")
def test_every_sentence_is_read_and_ids_are_unique() -> None:
    sources, _ = synthetic_sources()
    heard = [source for source in sources if source.split == "train"]
    assert len({source.id for source in sources}) == len(sources)
    assert len(heard) == sum(READINGS.values()) * len(TEXTS)
    assert {source.text for source in heard} == set(TEXTS)
    assert {source.speaker for source in sources} == {voice.speaker for voice in VOICES}


@pytest.mark.usefixtures("all_installed")
def test_validation_shares_neither_voice_nor_text_with_training() -> None:
    assert not set(VALIDATION) & set(TEXTS)
    splits: dict[str, list[Source]] = {"train": [], "val": []}
    for source in synthetic_sources()[0]:
        splits[source.split].append(source)
    for label in ("speaker", "text"):
        values = {split: {getattr(source, label) for source in sources} for split, sources in splits.items()}
        assert not values["train"] & values["val"], label
    engines = {source.recipe.voice.engine for source in splits["val"]}  # type: ignore[attr-defined]
    assert engines == set(READINGS)
    # kal lent his voice to flite and to festival.
    assert all(source.speaker.count("kal") == 0 for source in splits["train"])


def test_sentences_are_words_alone_and_no_two_alike() -> None:
    everything = [*TEXTS, *VALIDATION]
    assert len(set(everything)) == len(everything) > 590
    for text in everything:
        assert 4 <= len(spoken_words(text)) <= 16 or text in SENTENCES, text


def reading(engine: str, name: str, *, size: float = 1.0, rate: float = 1.0) -> tuple[Synthesised, Source]:
    voice = Voice(engine=engine, name=name, size=size)
    recipe = Synthesised(
        voice=voice, text=SENTENCES[1], rate=rate, pitch=1.0, manner=synthetic.Manner(), pad_s=(0.2, 0.3)
    )
    source = Source(
        id="a", speaker=voice.speaker, emotion=Emotion(), split="train", licence="CC0-1.0", recipe=recipe
    )
    return recipe, source


def test_what_is_played_faster_is_spoken_slower() -> None:
    assert "duration_stretch=1.250" in reading("flite", "slt", size=1.25)[0]._command(Path("a.wav"))
    (said,) = (
        part for part in reading("festival", "x", rate=0.5)[0]._command(Path("a.wav")) if "voice_x" in part
    )
    assert "'Duration_Stretch 2.000" in said
    command = reading("espeak-ng", "en-us", size=1.1)[0]._command(Path("a.wav"))
    assert command[command.index("-s") + 1] == "150"


def test_a_synthesiser_that_fails_costs_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, source = reading("flite", "slt")
    monkeypatch.setattr(Synthesised, "_command", lambda self, path: ["false"])
    with pytest.raises(InputError, match="false could not speak"):
        recipe.make(source)


@pytest.mark.parametrize(
    ("engine", "name"), [("flite", "slt"), ("espeak-ng", "en-us+m1"), ("festival", "kal_diphone")]
)
def test_what_is_said_is_found(engine: str, name: str) -> None:
    pytest.importorskip("pocketsphinx")
    if synthetic.shutil.which(synthetic.PROGRAMS[engine]) is None:
        pytest.skip(f"{engine} is not installed")
    recipe, source = reading(engine, name)
    try:
        made = recipe.make(source)
    except InputError as error:
        if "could not speak" in error.problem:
            pytest.skip(error.problem)
        raise
    assert made.speech is not None and made.alignment is not None
    phones = [phone.symbol for phone in made.alignment.phones if phone.symbol != SILENCE]
    assert phones[:4] == ["B", "AA", "B", "P"]
    # Silence is as long as was asked, but for room noise.
    assert np.abs(made.speech.samples[:3000]).max() < 0.02
