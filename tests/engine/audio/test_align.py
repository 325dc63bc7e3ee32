"""Phones lie where they are said, text that was not said is refused, and order does not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.align import Aligner, by_energy
from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.phones import PHONES
from talkcli.engine.audio.spelling import _RULES, Language, guess_phones
from talkcli.engine.audio.words import spoken_words
from talkcli.engine.errors import InputError
from talkcli.engine.types import SILENCE, Silent, Speech


def test_words_of_a_transcript() -> None:
    assert spoken_words("I’m here -- [noise] 'twas <laugh> OK!") == ["i'm", "here", "twas", "ok"]
    with pytest.raises(InputError, match="digits"):
        spoken_words("room 12")
    with pytest.raises(InputError, match="no word of the language en"):
        spoken_words("...")


@pytest.mark.parametrize(
    ("word", "phones"), [("ship", "SH IH P"), ("make", "M EY K"), ("phony", "F AA N IY"), ("zoom", "Z UW M")]
)
def test_guessed_phones(word: str, phones: str) -> None:
    assert guess_phones(word) == phones.split()
    assert guess_phones("ŒŒ") == []
    assert set(guess_phones("quixotically")) <= PHONES


@pytest.mark.parametrize(
    ("language", "word", "phones"),
    [
        ("it", "sciopero", "SH AO P EH R AO"),
        ("it", "gli", "L IY"),
        ("es", "llave", "Y AA B EH"),
        ("es", "guerra", "G EH R AA"),
        ("fr", "conférence", "K AO F EY R AA S"),
        ("fr", "composez", "K AO P AO S EY"),
        ("pl", "człowiek", "CH W AO V Y EH K"),
        ("pl", "dźwięki", "JH V Y EH N K IY"),
        ("pl", "głęboki", "G W EH M B AO K IY"),
        ("pl", "częstotliwości", "CH EH N S T AO T L IY V AO SH CH IY"),
        ("ru", "вызовов", "V IH Z AH V AH V"),
    ],
)
def test_other_languages_in_the_sounds_of_english(language: Language, word: str, phones: str) -> None:
    assert guess_phones(word, language) == phones.split()


def test_every_rule_gives_phones() -> None:
    for rules in _RULES.values():
        assert {symbol for phones in rules.values() for symbol in phones.split()} <= PHONES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A naïve fiancé at the café", "a naive fiance at the cafe"),
        ("nai\u0308ve cafe\u0301", "naive cafe"),
        ("Façade, jalapeño & doppelgänger", "facade jalapeno doppelganger"),
        ("Straße ÜBER ŒUVRE Ærø", "strasse uber oeuvre aero"),
        ("smørrebrød Łódź Đà Þór", "smorrebrod lodz da thor"),
        ("ﬁnd the ﬂow oﬃce", "find the flow office"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("don’t don‘t donʼt don´t don＇t don`t", "don't don't don't don't don't don't"),
        ("‘quoted’ ’tis O’Neil’s", "quoted tis o'neil's"),
        ("co\u00adop zero\u200bwidth left\u200e right", "coop zerowidth left right"),
        ("well-known — yes…no", "well known yes no"),
        ("İstanbul ſong ŉ", "istanbul song n"),
        ("𝐛𝐨𝐥𝐝 ⓒircled", "bold circled"),
        ("résumé RÉSUMÉ Re\u0301sume\u0301", "resume resume resume"),
        ("Ångström", "angstrom"),
        ("Việt Nam", "viet nam"),
    ],
)
def test_english_words_stay_whole(text: str, words: str) -> None:
    assert " ".join(spoken_words(text)) == words


@pytest.mark.parametrize("word", ["привет", "你好", "مرحبا", "Ωmega", "こんにちは", "שלום", "हिन्दी", "сafé"])
def test_words_of_other_scripts_are_named(word: str) -> None:
    for text in (word, f"hello {word} there"):
        with pytest.raises(InputError, match="cannot be spoken as English: ") as caught:
            spoken_words(text)
        assert len(caught.value.problem) < 300
    with pytest.raises(InputError, match="and 97 more words"):
        spoken_words(" ".join([word] * 100))


def test_other_languages_keep_their_letters() -> None:
    assert spoken_words("Où est-ce?", "fr") == ["où", "est", "ce"]
    assert spoken_words("pin\u0303a", "es") == ["piña"]
    assert spoken_words("привет", "ru") == ["привет"]


def test_by_energy_tells_sound_from_silence() -> None:
    samples = np.zeros(16_000, np.float32)
    samples[4000:8000] = 0.3 * np.sin(np.arange(4000) * 0.1)
    phones = by_energy(Speech(samples=samples)).phones
    assert [phone.symbol for phone in phones] == [SILENCE, "AH", SILENCE]
    assert phones[1].start_s == pytest.approx(0.25, abs=0.02)
    assert phones[1].end_s == pytest.approx(0.5, abs=0.02)
    assert phones[-1].end_s == pytest.approx(1.0)
    assert [phone.symbol for phone in by_energy(Speech(samples=np.zeros(800, np.float32))).phones] == [
        SILENCE
    ]


@pytest.mark.data
def test_known_sentences(shared_data: Path) -> None:
    pytest.importorskip("pocketsphinx")
    aligner = Aligner()
    folder = shared_data / "emotion" / "ravdess16k" / "Actor_01"
    kids = read_speech(folder / "03-01-01-01-01-01-01.wav", Silent())
    found = aligner.align(kids, "Kids are talking by the door.")
    assert found.method == "aligned"
    symbols = [phone.symbol for phone in found.phones]
    assert symbols[:4] == [SILENCE, "K", "IH", "D"]
    assert symbols[-1] == SILENCE
    assert "B" in symbols
    # Without gaps from start to end.
    assert found.phones[0].start_s == 0
    assert found.phones[-1].end_s == pytest.approx(kids.duration_s)
    for phone, following in zip(found.phones, found.phones[1:], strict=False):
        assert phone.end_s == pytest.approx(following.start_s)
    # The word was placed by ear: the talker starts 0.97 s into the file.
    assert found.phones[1].start_s == pytest.approx(0.97, abs=0.05)
    assert aligner.align(kids, "Never mind the weather report tomorrow.").method == "energy"
    # Whatever was heard before, the same sound gives the same times.
    dogs = read_speech(folder / "03-01-05-02-02-01-01.wav", Silent())
    aligner.align(dogs, "Dogs are sitting by the door.")
    assert aligner.align(kids, "Kids are talking by the door.") == found
    # A word of no dictionary.
    assert aligner.align(kids, "Kidz are talking by the dooor.").method != "energy"
