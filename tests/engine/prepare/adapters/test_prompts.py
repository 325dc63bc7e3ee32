"""Which of the telephone prompts become clips, and that joined ones are said one after the other."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import InputError
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.prepare.adapters import prompts
from talkcli.engine.prepare.adapters.prompts import prompt_sources
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Emotion, Speech

LIST = """; Core sounds

agent-pass: Please enter your password followed by the pound key.
beep: [this is a simple beep tone]
conf-menu: Press 1 or 2 ...
digits/20: twenty
spy-dahdi: DAHDI
spy-nbs: N B S
year: in 2026
vm-goodbye: Goodbye
../secret: Not below the folder
absent: There is no such recording
vm-nobody: I am a caller
too-long: This one goes on and on
silence/1: (1 second of silence)
"""


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    (tmp_path / "secret.g722").write_bytes(bytes(8000))
    folder = tmp_path / "sounds" / "en_US_f_Allison"
    for line in LIST.splitlines():
        name = line.partition(":")[0]
        if name and not re.match(r"[;.]|absent", name):
            path = folder / f"{name}.g722"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(8000 * (100 if name == "too-long" else 2)))
    (folder / "core-sounds-en.txt").write_text(LIST)
    return folder.parent


def test_only_plain_words_become_clips_and_short_ones_are_joined(sounds: Path) -> None:
    sources = prompt_sources(sounds)
    assert [source.text for source in sources] == [
        "Please enter your password followed by the pound key. Press one or two.",
        "twenty. Goodbye.",
        "I am a caller.",
    ]
    assert {(source.split, source.emotion.label, source.licence) for source in sources} == {
        ("train", "neutral", "CC-BY-SA-3.0")
    }
    recipe = sources[0].recipe
    assert [path.stem for path in recipe.inputs] == ["agent-pass", "conf-menu"]
    assert len(recipe.pauses_s) == 3  # type: ignore[attr-defined]
    assert prompt_sources(sounds) == sources


def test_the_list_may_be_packed_and_must_be_a_list(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = prompt_sources(sounds)
    packed = tmp_path / "list.txt.gz"
    packed.write_bytes(gzip.compress(LIST.encode()))
    monkeypatch.setattr(prompts, "_TEXTS", (str(packed),))
    assert prompt_sources(sounds) == wanted
    packed.write_bytes(b"no gzip")
    with pytest.raises(InputError, match="not a readable list"):
        prompt_sources(sounds)


def test_digits_are_read_in_english_alone_and_lost_letters_cost_the_phrase(sounds: Path) -> None:
    russian = sounds / "ru_RU_f_IvrvoiceRU"
    russian.mkdir()
    for name in ("a", "b", "c"):
        (russian / f"{name}.g722").write_bytes(bytes(8000 * 4))
    lines = "a: нажмите 1\nb: спасибо за звонок\nc: спас?бо\n"
    (russian / "core-sounds-ru.txt").write_text(lines, encoding="utf-8")
    (source,) = [source for source in prompt_sources(sounds) if source.speaker == "ivrvoice"]
    assert (source.id, source.text) == ("prompts/ru-000", "спасибо за звонок.")
    assert source.licence == "CC-BY-3.0"


def test_without_sounds_or_words_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "_TEXTS", ("core-sounds-{0}.txt",))
    assert prompt_sources(tmp_path / "absent") == []
    assert prompt_sources(tmp_path) == []


def test_recordings_follow_each_other_with_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The aligner aside: what it is given."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        sound = np.zeros(16_000)
        sound[4000:12_000] = 0.1 * rng.standard_normal(8000)
        soundfile.write(tmp_path / f"{name}.wav", sound, 16_000)
        # Raw, as Debian's packages hold them.
        raw = ["-i", tmp_path / f"{name}.wav", "-c:a", "g722", "-f", "g722", tmp_path / f"{name}.g722"]
        subprocess.run([ffmpeg_binary(), "-v", "error", *raw], check=True)
    heard = []

    def performed(speech: Speech, text: str, source: Source, *, language: str, eyes: bool) -> Recording:
        heard.append((speech, text, language, eyes))
        return Recording(speech=speech)

    monkeypatch.setattr(prompts, "perform_text", performed)
    recipe = prompts.Joined(
        paths=(tmp_path / "a.g722", tmp_path / "b.g722"),
        texts=("Good.", "Bye."),
        pauses_s=(0.1, 0.5, 0.2),
        language="en",
    )
    recipe.make(
        Source(id="a", speaker="s", emotion=Emotion(), split="train", licence="CC0-1.0", recipe=recipe)
    )
    ((speech, *others),) = heard
    assert others == ["Good. Bye.", "en", False]
    assert speech.duration_s == pytest.approx(0.1 + 0.5 + 0.5 + 0.5 + 0.2, abs=0.05)
    loud = np.abs(speech.samples) > 0.01
    assert (
        not loud[: round(0.09 * 16_000)].any() and not loud[round(0.65 * 16_000) : round(1.05 * 16_000)].any()
    )
