"""The rules as a method: what is said, what is felt, what is drawn, and what a motion file tells of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.audio import align
from talkcli.engine.audio.io import write_wav
from talkcli.engine.audio.textgrid import write_alignment
from talkcli.engine.errors import ExtraError, InputError, UsageError
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.performers.deeptalk import DeepTalkControls
from talkcli.engine.performers.open import chosen_controls
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.performers.rules import RULES, Rules, fitted, read_words
from talkcli.engine.pipelines.animate import animate_file
from talkcli.engine.pipelines.score.motions import Generation, score_motions
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import SILENCE, SPEECH_RATE_HZ, Alignment, Emotion, Phone, Silent, Speech
from tests.engine.fakes import Told

_PHONES = Alignment(
    (
        Phone(SILENCE, 0.0, 0.2),
        Phone("B", 0.2, 0.28),
        Phone("AA", 0.28, 0.5),
        Phone("M", 0.5, 0.6),
        Phone(SILENCE, 0.6, 0.8),
    ),
    "aligned",
)
_SPEECH = Speech(samples=(0.1 * np.sin(np.arange(round(0.8 * SPEECH_RATE_HZ)) / 9)).astype(np.float32))


def performed(sampling: Sampling, **options: Any) -> list[np.ndarray]:
    rules = Rules(_PHONES, reporter=Silent(), **options)
    return [motion.coeffs for motion in rules.perform(_SPEECH, sampling)]


def test_words_are_words_or_a_file(tmp_path: Path) -> None:
    assert read_words("Hello there.") == "Hello there."
    (tmp_path / "said.txt").write_text("Good day.", encoding="utf-8")
    assert read_words(str(tmp_path / "said.txt")) == "Good day."
    write_alignment(tmp_path / "said.TextGrid", _PHONES)
    read = read_words(str(tmp_path / "said.TextGrid"))
    assert isinstance(read, Alignment)
    assert [phone.symbol for phone in read.phones] == [SILENCE, "B", "AA", "M", SILENCE]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    "name", ["speech.lab", "speech", "my speech.txt", "speech.csv", "speech.TXT", "hello"]
)
def test_a_file_is_read_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, encoding: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("In being café.", encoding=encoding)
    assert read_words(name) == "In being café."
    write_alignment(Path(name), _PHONES)
    assert isinstance(read_words(str(tmp_path / name)), Alignment)


@pytest.mark.parametrize(
    "text", [ "none.txt", "none.TextGrid", "speech.lab", "folder/speech", "folder\\speech.lab",
    "/tmp/no such file", "~/speech", "./speech", "../speech", "my speech.txt", "C:\\my speech.lab", "C:/a",
    "speech.words", "a.docx", "speech.wav", "file:///tmp/a", "https://example.org/a", "a/b.c/d",
    "speech.v2.lab", "data/said.x", "speech.Lab", " speech.lab ", "speech.srt", "two words.json", ],
)  # fmt: skip
def test_a_path_to_nothing_is_not_performed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="names a file that is not there"):
        read_words(text)


@pytest.mark.parametrize(
    "text", [ "Hello there.", "hello", "Well...", "Wait...what", "Either and/or both.", "Is it 5 p.m.?",
    "e.g.", "a.m.", "U.S.A.", "One. Two. Three.", "He said: go.", "Mr. Smith went home.", "folder", "x" *
    5000, "a\0b", "Yes.\nNo.", "", "The end.", ],
)  # fmt: skip
def test_words_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    assert read_words(text) == text


def test_what_is_no_text_is_not_performed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "sound.lab").write_bytes(b"RIFF\0\0")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "sound.lab", Path("/dev/zero")):
        with pytest.raises(InputError):
            read_words(str(path))


def test_phones_are_fitted_to_the_sound() -> None:
    loose = Alignment((Phone("B", 0.1, 0.2), Phone("AA", 0.3, 0.5)), "aligned")
    longer = fitted(loose, 0.8)
    assert [(phone.symbol, phone.start_s, phone.end_s) for phone in longer.phones] == [
        (SILENCE, 0.0, 0.1), ("B", 0.1, 0.2), (SILENCE, 0.2, 0.3), ("AA", 0.3, 0.5), (SILENCE, 0.5, 0.8),
    ]  # fmt: skip
    assert fitted(loose, 0.4).phones[-1] == Phone("AA", 0.3, 0.4)
    with pytest.raises(InputError, match="AA begins at 0"):
        fitted(loose, 0.25)


def test_takes_differ_and_a_seed_fixes_them() -> None:
    two = performed(Sampling(takes=2))
    assert two[0].shape == (20, len(ADA))
    spoken = performed(Sampling(), layers={})
    assert spoken[0].shape == (20, len(ADA) + len(TONGUE))
    assert np.abs(two[0] - two[1]).max() > 0.01
    again, other = performed(Sampling(takes=2)), performed(Sampling(takes=2, seed=1))
    assert [take.tobytes() for take in again] == [take.tobytes() for take in two]
    assert other[0].tobytes() != two[0].tobytes()
    # An actor's manner, here the gain of the jaw, is the same in all takes.
    jaw = ADA.index("jawPitch")
    one, same = (take[:, jaw] for take in performed(Sampling(takes=2, actor="Ann")))
    np.testing.assert_allclose(one, same, atol=1e-6)
    assert np.abs(two[0][:, jaw] - two[1][:, jaw]).max() > 1e-4


def test_the_tongue_follows_the_phones() -> None:
    symbols = (SILENCE, "L", "AA", "TH", "AA", "K", "AA", SILENCE)
    phones = tuple(Phone(symbol, 0.1 * at, 0.1 * at + 0.1) for at, symbol in enumerate(symbols))
    rules = Rules(Alignment(phones, "aligned"), layers={}, reporter=Silent())
    first, again = (next(rules.perform(_SPEECH, Sampling(seed=3))) for _ in range(2))
    assert first.coeffs.tobytes() == again.coeffs.tobytes()
    assert first.channels == ADA + TONGUE and "tongue" in rules.layers.on
    # Frame k shows the time from 40 k ms: 3 lies in the l, 8 in the th, 13 in the k, 18 and 19 in the pause.
    assert first.coeffs[[3, 8, 13], 53:] == pytest.approx(np.eye(3), abs=0.05)
    assert first.coeffs[18:, 53:].max() == 0
    plain = Rules(Alignment(phones, "aligned"), layers={"tongue": False}, reporter=Silent())
    assert next(plain.perform(_SPEECH, Sampling())).channels == ADA


def test_the_emotion_is_the_one_that_is_asked_for() -> None:
    neutral, angry = performed(Sampling()), performed(Sampling(emotion=Emotion(label="angry", level=0.8)))
    brow = ADA.index("browDownLeft")
    assert angry[0][:, brow].mean() > neutral[0][:, brow].mean() + 0.4
    with pytest.raises(UsageError, match="recognise no emotion"):
        Rules(_PHONES, reporter=Silent()).perform(_SPEECH, Sampling(), None, _SPEECH)


@pytest.mark.parametrize("wish", [{"sigma": 0.1}, {"tau_top": 0.0}, {"gumbel": True}, {"hold_slow": True}])
def test_what_only_models_draw_is_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"`{next(iter(wish))}` is no control of the rules"):
        chosen_controls(Rules.header, wish)
    assert chosen_controls(Rules.header, dict.fromkeys(wish)).is_random
    with pytest.raises(TypeError, match="DeepTalkControls"):
        Rules(_PHONES, reporter=Silent()).perform(_SPEECH, Sampling(), DeepTalkControls())


def test_words_that_are_not_found_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(align.Aligner, "_attempt", lambda *_: None)
    listener = Told()
    rules = Rules("No such words.", reporter=listener)
    (motion,) = rules.perform(_SPEECH, Sampling())
    assert "did not find the words" in listener.warnings[0]
    assert motion.meta["alignment"] == "energy"
    assert motion.coeffs[:, ADA.index("jawPitch")].max() > 0.02
    with pytest.raises(InputError, match="holds no"):
        Rules("...", reporter=listener)


def test_text_without_the_aligner_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("not here")

    monkeypatch.setattr("talkcli.engine.optional.importlib.import_module", missing)
    with pytest.raises(ExtraError, match="pocketsphinx"):
        Rules("Hello.", reporter=Silent()).perform(_SPEECH, Sampling())
    # Phones in time need nothing.
    assert len(performed(Sampling())) == 1


def test_rules_are_scored_like_a_model(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", _SPEECH)
    write_alignment(tmp_path / "a.TextGrid", _PHONES)

    def scored(**options: Any) -> dict[str, Any]:
        return score_motions(
            [], truth=None, audio=tmp_path / "a.wav", dataset=None, head_name=None, thresholds=[],
            generation=Generation(model_name=RULES, takes=2), reporter=Silent(), **options,
        )  # fmt: skip

    report = scored(text=tmp_path / "a.TextGrid")
    assert report["clips"][0]["takes"] == 2
    assert report["overall"]["bilabial_closure"]["value"] == 1
    with pytest.raises(UsageError, match="needs the words"):
        scored()


def test_a_motion_file_says_that_rules_made_it(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", _SPEECH)
    write_alignment(tmp_path / "a.TextGrid", _PHONES)
    options: dict[str, Any] = {
        "emotion_from": None, "head_name": None, "fps": None, "shot": Shot(), "renderer": "software",
        "device_name": "cpu", "layers": {"head_motion": False}, "reporter": Silent(),
    }  # fmt: skip

    def animated(**more: Any) -> dict[str, Any]:
        asked = {"model_name": RULES, "sampling": Sampling(), "precision": "fp32", **options, **more}
        return animate_file(tmp_path / "a.wav", [tmp_path / "a.npz"], **asked)

    emotion = Emotion(label="happy", level=0.5)
    report = animated(text=str(tmp_path / "a.TextGrid"), sampling=Sampling(emotion=emotion))
    motion, meta = read_motion(tmp_path / "a.npz")
    assert (motion.head, motion.fps, len(motion.coeffs)) == ("ada", 25, 20)
    assert (meta["method"], meta["alignment"], meta["weights_sha256"]) == (RULES, "aligned", None)
    assert meta["emotion"] == {"label": "happy", "level": 0.5}
    assert report["layers"] == ["smooth", "limit_lips", "tongue", "idle", "blink"]
    with pytest.raises(UsageError, match="needs the words"):
        animated()
    with pytest.raises(UsageError, match="`precision`"):
        animated(text="Bam.", precision="bf16")
    with pytest.raises(UsageError, match="`contacts`"):
        animated(text="Bam.", layers={"contacts": True})
    with pytest.raises(UsageError, match="`text` is for"):
        animated(text="Bam.", model_name="embedded")
