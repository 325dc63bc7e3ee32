"""RAVDESS: names are labels, one source a performance, and what is wrong or missing is said."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.prepare.adapters.filmed import FilmedFile, HowToLook
from talkcli.engine.prepare.adapters.ravdess import whole_ravdess_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.names import Unusable
from talkcli.engine.prepare.ravdess_names import (
    ACTORS,
    EMOFACE_SPLIT,
    expected_performances,
    parse_name,
)
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Emotion, Silent
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason, tree

BOTH = ("speech", "song")


def read_path(source: Source) -> str:
    (path,) = source.recipe.inputs
    return f"{path.parent.name}/{path.name}"


def test_a_name_says_everything() -> None:
    name = parse_name("01-02-06-02-01-02-03")
    assert name is not None
    assert (name.modality, name.channel, name.emotion, name.intensity) == ("01", "02", "06", "02")
    assert (name.statement, name.repetition, name.actor, name.sex) == ("01", "02", 3, "male")
    assert name.performance == "02-06-02-01-02-03"
    assert parse_name("notes") is None
    assert parse_name("03-01-06-02-01-02") is None


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        ("04-01-06-02-01-02-03", "modality 04"),
        ("03-03-06-02-01-02-03", "channel 03"),
        ("03-01-09-02-01-02-03", "emotion 09"),
        ("03-02-08-02-01-02-03", "emotion 08 in song"),
        ("03-01-01-02-01-02-03", "intensity 02 for neutral"),
        ("03-01-06-02-03-02-03", "statement 03"),
        ("03-01-06-02-01-03-03", "repetition 03"),
        ("03-01-06-02-01-02-25", "actor 25"),
        ("03-02-06-02-01-02-18", "did not sing"),
    ],
)
def test_numbers_that_are_not_in_the_set(stem: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_name(stem)


def test_the_set_has_the_published_size() -> None:
    spoken = [name for actor in ACTORS for name in expected_performances("01", actor)]
    sung = [name for actor in ACTORS for name in expected_performances("02", actor)]
    assert (len(spoken), len(sung)) == (1440, 1012)
    # Each is there as sound, as picture, and as both.
    assert 3 * len({*spoken, *sung}) == 7356


def test_every_file_of_the_whole_set_is_understood(tmp_path: Path) -> None:
    for actor in ACTORS:
        for key in (*expected_performances("01", actor), *expected_performances("02", actor)):
            tree(tmp_path, f"Actor_{actor:02d}/03-{key}.wav")
    told = Told()
    sources = whole_ravdess_sources(tmp_path, EMOFACE_SPLIT, BOTH, told)
    assert told.warnings == []
    assert len(sources) == 2452
    assert not any(isinstance(source.recipe, Unusable) for source in sources)
    speakers = {split: set[str]() for split in ("train", "val", "test")}
    for source in sources:
        speakers[source.split].add(source.speaker)
    assert len(speakers["train"]) == 20
    assert speakers["val"] == {"ravdess-21", "ravdess-22"}
    assert speakers["test"] == {"ravdess-23", "ravdess-24"}
    spoken = whole_ravdess_sources(tmp_path, EMOFACE_SPLIT, ("speech",), told)
    assert Counter(source.split for source in spoken) == {"train": 1200, "val": 120, "test": 120}
    assert any("song" in note for note in told.notes)


def test_one_source_for_one_performance(tmp_path: Path) -> None:
    a, b, c, d = (
        f"01-06-02-01-{repetition}-{actor}" for repetition in ("01", "02") for actor in ("03", "04")
    )
    tree(
        tmp_path,
        # All three: the sound alone is read.
        f"Actor_03/01-{a}.mp4", f"Actor_03/02-{a}.mp4", f"Actor_03/03-{a}.wav",
        # No sound alone, and an empty one: the video's sound is read.
        f"Actor_04/01-{b}.mp4", f"Actor_04/02-{b}.mp4",
        f"Actor_03/01-{c}.mp4", f"Actor_03/03-{c}.wav.empty",
        # The picture alone has none.
        f"Actor_04/02-{d}.mp4",
    )  # fmt: skip
    told = Told()
    sources = whole_ravdess_sources(tmp_path, EMOFACE_SPLIT, BOTH, told)
    assert len(sources) == 4
    by_id = {source.id: source for source in sources}
    for name in (f"03-{a}", f"01-{b}", f"01-{c}"):
        assert by_id[f"ravdess/{name}"].recipe.inputs[0].stem == name
    assert "without sound" in reason(by_id[f"ravdess/02-{d}"])
    assert by_id[f"ravdess/03-{a}"].emotion == Emotion(label="fear", level=1.0)
    assert by_id[f"ravdess/03-{a}"].recipe.text == "Kids are talking by the door."  # type: ignore[attr-defined]
    assert "2 files of sound, 3 of picture with sound, 3 of picture alone" in told.notes[0]
    assert "actors 3-4 (1 female, 1 male)" in told.notes[0]
    assert any("actors 1-2, 5-24" in text for text in told.warnings)
    assert any("Missing: 116 performances of speech: 01-01-01-01-01-03" in text for text in told.warnings)


def test_odd_trees(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "Actor_05/03-01-03-01-01-01-06.wav",
        "Actor_05/03-01-04-01-01-01-06.wav",
        "Actor_06/03-01-04-01-01-01-06.WAV",
        "copy/Actor_06/03-01-04-01-01-01-06.wav",
        "Actor_06/._03-01-05-01-01-01-06.wav",
        "Actor_06/03-01-09-01-01-01-06.wav",
        "Actor_06/take one.wav",
        "Actor_06/readme.txt",
    )
    (tmp_path / "Actor_06" / "03-01-07-01-01-01-06.wav").symlink_to(tmp_path / "gone.wav")
    told = Told()
    sources = whole_ravdess_sources(tmp_path, {6: "val"}, BOTH, told)
    by_id = {source.id.removeprefix("ravdess/"): source for source in sources}
    assert len(by_id) == len(sources) == 4
    assert "lies in Actor_05, its name says actor 06" in reason(by_id["03-01-03-01-01-01-06"])
    assert read_path(by_id["03-01-04-01-01-01-06"]) == "Actor_06/03-01-04-01-01-01-06.WAV"
    assert "emotion 09" in reason(by_id["03-01-09-01-01-01-06"])
    assert any("not named like RAVDESS" in text and "take one.wav" in text for text in told.warnings)
    assert any("there twice" in text for text in told.warnings)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file named like RAVDESS"):
        whole_ravdess_sources(tree(tmp_path, "a.wav"), EMOFACE_SPLIT, BOTH, Silent())
    with pytest.raises(InputError, match="is not a folder"):
        whole_ravdess_sources(tmp_path / "absent", EMOFACE_SPLIT, BOTH, Silent())


@pytest.mark.data
def test_the_real_names(shared_data: Path) -> None:
    told = Told()
    sources = whole_ravdess_sources(shared_data / "emotion" / "ravdess16k", EMOFACE_SPLIT, BOTH, told)
    assert len(sources) == 720
    assert len({source.speaker for source in sources}) == 12
    counts = Counter(source.emotion.label for source in sources)
    assert counts.pop("neutral") == 48
    assert set(counts.values()) == {96} and len(counts) == 7
    assert Counter(source.emotion.level for source in sources) == {0.65: 384, 1.0: 336}
    assert "actors 1-12 (6 female, 6 male), 720 spoken, 0 sung" in told.notes[0]
    assert told.warnings == ["Missing: all of actors 13-24."]


@pytest.mark.data
def test_originals_equal_their_16_khz_versions(shared_data: Path) -> None:
    originals = sorted((shared_data / "emotion" / "ravdess_original_48k").glob("*.wav"))
    assert len(originals) == 5
    assert {soundfile.info(path).channels for path in originals} == {1, 2}
    for path in originals:
        assert soundfile.info(path).samplerate == 48_000
        (copy,) = (shared_data / "emotion" / "ravdess16k").rglob(path.name)
        original, ready = (read_speech(file, Silent()).samples for file in (path, copy))
        assert abs(len(original) - len(ready)) <= 1
        length = min(len(original), len(ready))
        error = original[:length] - ready[:length]
        # Two resamplers differ just below 8 kHz; half a sample of delay would give 10 % and more.
        assert np.sqrt((error**2).mean() / (ready**2).mean()) < 0.03, path.name


@pytest.mark.data
def test_a_stereo_original_becomes_a_clip_and_a_zero_byte_file_a_line(
    shared_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pocketsphinx")
    folder = tmp_path / "root" / "Actor_01"
    folder.mkdir(parents=True)
    name = "03-01-08-01-02-02-01.wav"
    shutil.copy(shared_data / "emotion" / "ravdess_original_48k" / name, folder)
    (folder / "03-01-08-01-02-01-01.wav").touch()
    sources = whole_ravdess_sources(tmp_path / "root", EMOFACE_SPLIT, BOTH, Silent())
    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0))
    (entry,) = built.entries
    assert (entry.id, entry.emotion, entry.intensity) == ("ravdess/03-01-08-01-02-02-01", "surprise", 0.65)
    assert [(item.id, "0 bytes" in item.reason) for item in built.dropped] == [
        ("ravdess/03-01-08-01-02-01-01", True)
    ]


def test_motion_from_the_films(tmp_path: Path) -> None:
    a, b, c, d, e = (f"0{channel}-06-02-01-01-0{actor}" for channel, actor in ("13", "14", "25", "16", "17"))
    tree(
        tmp_path,
        f"Actor_03/01-{a}.mp4", f"Actor_03/02-{a}.mp4", f"Actor_03/03-{a}.wav",
        f"Actor_04/02-{b}.mp4", f"Actor_04/03-{b}.wav",
        # Song too; an empty film gives way to the one without sound.
        f"Actor_05/01-{c}.mp4.empty", f"Actor_05/02-{c}.mp4", f"Actor_05/03-{c}.wav",
        f"Actor_06/02-{d}.mp4",
        f"Actor_07/03-{e}.wav",
    )  # fmt: skip
    told = Told()
    sources = whole_ravdess_sources(tmp_path, EMOFACE_SPLIT, BOTH, told, motion="video")
    by_id = {source.id.removeprefix("ravdess/"): source for source in sources}
    assert list(by_id) == [f"01-{a}", f"02-{b}", f"02-{d}", f"03-{e}", f"02-{c}"]
    assert by_id[f"01-{a}"].recipe == FilmedFile(video=tmp_path / f"Actor_03/01-{a}.mp4")
    for name, actor in ((b, "04"), (c, "05")):
        folder = tmp_path / f"Actor_{actor}"
        assert by_id[f"02-{name}"].recipe == FilmedFile(
            video=folder / f"02-{name}.mp4", sound=folder / f"03-{name}.wav"
        )
    assert "without sound" in reason(by_id[f"02-{d}"])
    assert "no film" in reason(by_id[f"03-{e}"])
    assert (by_id[f"01-{a}"].sex, by_id[f"02-{b}"].sex) == ("male", "female")
    assert by_id[f"01-{a}"].text == "Kids are talking by the door."
    assert not told.noted("`motion=video`")
    whole_ravdess_sources(tmp_path, EMOFACE_SPLIT, BOTH, told)
    assert told.noted("`motion=video`")
    with pytest.raises(UsageError, match="no film is read"):
        whole_ravdess_sources(tmp_path, EMOFACE_SPLIT, BOTH, Silent(), how=HowToLook(head="flame"))
