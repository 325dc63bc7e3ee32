"""Scores that need to know what is said: words and phones found by name, and measured on ada."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from talkcli.engine.audio.align import Aligner
from talkcli.engine.audio.io import read_speech, write_wav
from talkcli.engine.audio.textgrid import write_alignment
from talkcli.engine.data.manifest import Digests, Entry, write_manifest
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import lip_opening_mm
from talkcli.engine.files import sha256
from talkcli.engine.metrics.labiodental_contact import contact
from talkcli.engine.pipelines.score import phones as score_phones
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.pipelines.score.measured import Measured, indices, upper_teeth
from talkcli.engine.pipelines.score.motions import Generation, score_motions
from talkcli.engine.pipelines.score.overall import Threshold
from talkcli.engine.pipelines.score.phones import find_phones
from talkcli.engine.pipelines.score.words import Words, read_words
from talkcli.engine.rules.perform import perform
from talkcli.engine.types import Alignment, Emotion, Motion, Phone, Silent, Speech
from tests.engine.fakes import LinearHead

SAID = ("SIL", "AA", "B", "AE", "F", "EH", "S", "IH", "M", "IY", "W", "UW", "SIL")
# Opening of the jaw, rounding and whether lips or teeth touch, for each of these at 160 ms.
JAW = {"AA": 0.2, "AE": 0.16, "EH": 0.12, "IH": 0.08, "S": 0.03, "IY": 0.05, "UW": 0.05, "W": 0.05}
PHONE_MS = 160
# A lower lip that is rolled in under the incisors.
TEETH_CONTACT = {
    "jawPitch": 0.012, "mouthRollLower": 0.85, "mouthUpperUpLeft": 0.35, "mouthUpperUpRight": 0.35,
}  # fmt: skip


def alignment() -> Alignment:
    at = np.arange(len(SAID) + 1) * PHONE_MS / 1000
    phones = tuple(Phone(symbol, *map(float, at[k : k + 2])) for k, symbol in enumerate(SAID))
    return Alignment(phones, "aligned")


def saying(path: Path, fps: float = 25.0, **missed: bool) -> Path:
    """Motion of ada that says `SAID`, every frame in its phone's shape; `missed` symbols stay open."""
    middles = (np.arange(round(len(SAID) * PHONE_MS / 1000 * fps)) + 0.5) / fps
    coeffs = np.zeros((len(middles), 53), np.float32)
    for frame, at in zip(coeffs, middles, strict=True):
        symbol = SAID[int(at * 1000 // PHONE_MS)]
        frame[ADA.index("jawPitch")] = 0.1 if missed.get(symbol) else JAW.get(symbol, 0.0)
        frame[ADA.index("mouthPucker")] = 0.8 if symbol in ("UW", "W") else 0.0
        if symbol == "F" and not missed.get("F"):
            for name, value in TEETH_CONTACT.items():
                frame[ADA.index(name)] = value
    write_motion(path, Motion(coeffs=coeffs, fps=fps, head="ada", channels=ADA))
    return path


@pytest.fixture
def grids(tmp_path: Path) -> Path:
    """Phones of the clips a and b."""
    for name in ("a", "b"):
        (tmp_path / "text").mkdir(exist_ok=True)
        write_alignment(tmp_path / "text" / f"{name}.TextGrid", alignment())
    return tmp_path / "text"


def score(*predictions: Path, **options: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {"truth": None, "audio": None, "dataset": None, "head_name": None}
    given = defaults | {"generation": Generation(), "thresholds": (), "reporter": Silent()} | options
    return score_motions(predictions, **given)


def test_a_mouth_that_does_all_of_it_has_full_marks(tmp_path: Path, grids: Path) -> None:
    report = score(saying(tmp_path / "a.npz"), text=grids)
    found = {name: entry["value"] for name, entry in report["overall"].items()}
    assert found["bilabial_closure"] == found["labiodental_contact"] == found["openness_order"] == 1
    assert found["false_closure"] == 0
    assert found["rounding_mm"] > 5
    classes = report["overall"]["openness_order"]["classes"]
    assert [classes[symbol]["count"] for symbol in ("AA", "S")] == [1, 1]
    assert classes["AA"]["mean"] > classes["AE"]["mean"] > classes["S"]["mean"] > 1
    clip = report["clips"][0]["metrics"]
    assert clip["bilabial_closure"]["value"] == 1
    assert clip["rounding_mm"] == {"value": None, "reason": "pooled over clips"}


def test_what_is_missed_is_seen_and_clips_are_weighted_by_phones(tmp_path: Path, grids: Path) -> None:
    saying(tmp_path / "motion" / "a.npz", B=True, F=True)
    saying(tmp_path / "motion" / "b.npz")
    limits = [Threshold.parse("bilabial_closure=0.9", is_floor=True)]
    report = score(tmp_path / "motion", text=grids, thresholds=limits)
    assert report["overall"]["bilabial_closure"]["value"] == pytest.approx(3 / 4)
    assert report["overall"]["labiodental_contact"]["value"] == pytest.approx(1 / 2)
    assert report["overall"]["openness_order"]["classes"]["AA"]["count"] == 2
    assert report["missed"] == ["bilabial_closure is 0.75, under 0.9"]


def test_lips_that_stay_shut_close_falsely(tmp_path: Path, grids: Path) -> None:
    write_motion(
        tmp_path / "a.npz",
        Motion(coeffs=np.zeros((52, 53), np.float32), fps=25.0, head="ada", channels=ADA),
    )
    report = score(tmp_path / "a.npz", text=grids)
    assert report["overall"]["bilabial_closure"]["value"] == 1
    assert report["overall"]["false_closure"]["value"] == 1
    # Closed lips are no contact with the teeth.
    assert report["overall"]["labiodental_contact"]["value"] == 0
    assert "alike" in report["overall"]["openness_order"]["reason"]


def test_the_rate_of_the_motion_does_not_matter(tmp_path: Path, grids: Path) -> None:
    found = score(saying(tmp_path / "a.npz", fps=60.0), text=grids)["overall"]
    assert found["bilabial_closure"]["value"] == found["labiodental_contact"]["value"] == 1
    assert found["false_closure"]["value"] == 0
    # Steps are smaller at 60 fps.
    assert found["jump_25fps_mm"]["value"] >= found["jump_mm"]["value"]


def test_jerk_is_one_for_the_reference_itself(tmp_path: Path) -> None:
    saying(tmp_path / "real" / "deep" / "a.npz", fps=25.0)
    found = score(tmp_path / "real" / "deep" / "a.npz", reference=tmp_path / "real")["overall"]
    assert found["jerk_ratio_lips"]["value"] == pytest.approx(1)
    assert found["jerk_ratio_face"]["value"] == pytest.approx(1)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no motion"):
        score(tmp_path / "real" / "deep" / "a.npz", reference=empty)


def test_a_dataset_brings_its_phones(tmp_path: Path, grids: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "tiny"
    saying(folder / "a.npz")
    write_wav(folder / "a.wav", Speech(samples=np.zeros(33_280, np.float32)))
    (grids / "a.TextGrid").rename(folder / "a.TextGrid")
    files = {"audio": "a.wav", "motion": "a.npz", "phones": "a.TextGrid"}
    entry = Entry(
        id="a", fps=25.0, speaker="s", text="no matter", emotion="happy", intensity=1.0, split="test",
        sha256=Digests(**{kind: sha256(folder / name) for kind, name in files.items()}), licence="MIT",
        **files,
    )  # fmt: skip
    write_manifest(folder / "manifest.jsonl", [entry])
    monkeypatch.setenv("TALK_DATA", str(tmp_path / "data"))
    found = score(folder / "a.npz", dataset="tiny")["overall"]
    assert found["bilabial_closure"]["value"] == 1
    with pytest.raises(UsageError, match="`text`"):
        score(folder / "a.npz", dataset="tiny", text=grids)


def test_contacts_of_ada() -> None:
    head = load_head("ada")
    teeth = upper_teeth(head)
    # The lower row hangs on the jaw.
    assert teeth[:, 1].min() > -0.073
    poses = np.zeros((4, 53), np.float32)
    for name, value in TEETH_CONTACT.items():
        poses[0, ADA.index(name)] = value
    poses[2, ADA.index("jawPitch")] = 0.1
    poses[3, [ADA.index("jawPitch"), ADA.index("lipSeal")]] = 0.05, 1.0
    chosen = indices(head, "lower_lip")
    moved = head(torch.from_numpy(poses), only=torch.from_numpy(chosen)).numpy()
    assert contact(moved, head.template[chosen], teeth).tolist() == [True, False, False, False]


def test_landmarks_are_those_of_the_whole_head() -> None:
    head = load_head("ada")
    coeffs = np.random.default_rng(0).uniform(0, 0.3, (70, 53)).astype(np.float32)
    surface = Measured(Surface(Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA), head))
    marks = head.landmarks(head(torch.from_numpy(coeffs)))
    np.testing.assert_allclose(surface.gap_mm(), lip_opening_mm(marks), atol=1e-3)
    np.testing.assert_allclose(
        surface.width_mm(), (marks[:, 48] - marks[:, 54]).norm(dim=-1) * 1000, atol=1e-3
    )


def test_a_head_without_teeth_says_so() -> None:
    with pytest.raises(AssetError, match="no teeth"):
        upper_teeth(LinearHead())


def test_words_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("from a file\n")
    (tmp_path / "b.txt").write_text("a TextGrid wins")
    (tmp_path / "b.TextGrid").write_text("")
    (tmp_path / "metadata.csv").write_text("a|never|read\nc|1 way|one way\nz|not asked for\n")
    found = read_words(tmp_path, ["a", "b", "c", "d"])
    assert found == {
        "a": Words(text="from a file"),
        "b": Words(phones=tmp_path / "b.TextGrid"),
        "c": Words(text="one way"),
    }
    assert read_words(tmp_path / "metadata.csv", ["z"]) == {"z": Words(text="not asked for")}
    assert read_words(tmp_path / "a.txt", ["other"]) == {"other": Words(text="from a file")}


def test_words_that_fit_nothing_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(InputError, match="one file for 2 clips"):
        read_words(tmp_path / "a.txt", ["a", "b"])
    with pytest.raises(InputError, match="no words of any"):
        read_words(tmp_path, ["b"])
    with pytest.raises(InputError, match="does not exist"):
        read_words(tmp_path / "b.txt", ["b"])
    (tmp_path / "metadata.csv").write_text("a,b\n")
    with pytest.raises(InputError, match="line 1"):
        read_words(tmp_path / "metadata.csv", ["a"])


def test_reasons_why_phones_are_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = tmp_path / "a.wav"
    cases = [
        Case(id="silent", words=Words(text="hello")),
        Case(id="wordless", audio=sound),
        Case(id="digits", audio=sound, words=Words(text="route 66")),
    ]
    found = find_phones(cases, Silent())
    assert "no sound" in str(found["silent"])
    assert "no words" in str(found["wordless"])
    assert "digits" in str(found["digits"])
    monkeypatch.setattr(score_phones, "is_installed", lambda package: False)
    found = find_phones([Case(id="a", audio=sound, words=Words(text="hello"))], Silent())
    assert "align" in str(found["a"])


def test_words_that_are_not_in_the_sound_are_told(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    write_wav(tmp_path / "a.wav", Speech(samples=np.zeros(16_000, np.float32)))
    job = score_phones._Job("a", tmp_path / "a.wav", "nobody says this")
    assert "did not find the words" in str(score_phones._align(job))


@pytest.mark.data
def test_a_performed_reading_is_aligned_and_scored(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx")
    folder, name = shared_data / "speech" / "ljspeech", "LJ001-0013"
    speech = read_speech(folder / f"{name}.wav", Silent())
    text = read_words(folder, [name])[name].text
    assert text is not None
    motion = perform(speech, Aligner().align(speech, text), Emotion(), speaker="lj", clip_id=name, eyes=False)
    write_motion(tmp_path / f"{name}.npz", motion)
    found = score(tmp_path / f"{name}.npz", audio=folder, text=folder)["overall"]
    assert found["bilabial_closure"]["value"] == 1
    assert found["false_closure"]["value"] == 0
    assert found["jump_mm"]["value"] < 5
