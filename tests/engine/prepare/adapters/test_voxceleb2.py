"""VoxCeleb2: a million names, read without a look at the files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.prepare.adapters.filmed import FilmedFile, HowToLook
from talkcli.engine.prepare.adapters.sounds import SoundFile
from talkcli.engine.prepare.adapters.voxceleb2 import read_speakers, voxceleb2_sources
from talkcli.engine.types import Silent
from tests.engine.data.mutations import mutations
from tests.engine.fakes import Told
from tests.engine.prepare.trees import tree

# Blanks as in the published table.
TABLE = "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid00012 ,n000012 ,m ,dev \nid00017 ,n000017 ,f ,test \n"


def test_sound_alone(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "dev/aac/id00012/21Uxsk56VDQ/00001.m4a",
        "dev/aac/id00012/21Uxsk56VDQ/00002.m4a",
        # Converted by the user; where both are there, the original.
        "dev/aac/id00012/21Uxsk56VDQ/00002.wav",
        "dev/aac/id00012/-x_yz0123AB/00001.wav",
        "test/aac/id00017/01dfn2spqyE/00001.m4a",
        "test/mp4/id00017/01dfn2spqyE/00001.mp4",
        "dev/aac/id00012/21Uxsk56VDQ/._00001.m4a",
        "dev/aac/id00012/21Uxsk56VDQ/notes.txt",
        "dev/aac/id00012/21Uxsk56VDQ/one.m4a",
        "dev/aac/someone/21Uxsk56VDQ/00001.m4a",
        "dev/aac/readme.txt",
    )
    told = Told()
    sources = {source.id.removeprefix("voxceleb2/"): source for source in voxceleb2_sources(tmp_path, told)}
    assert list(sources) == [
        "id00012/-x_yz0123AB/00001", "id00012/21Uxsk56VDQ/00001", "id00012/21Uxsk56VDQ/00002",
        "id00017/01dfn2spqyE/00001",
    ]  # fmt: skip
    folder = tmp_path / "dev/aac/id00012/21Uxsk56VDQ"
    assert sources["id00012/21Uxsk56VDQ/00002"].recipe == SoundFile(path=folder / "00002.m4a")
    assert [source.split for source in sources.values()] == ["train", "train", "train", "test"]
    first = sources["id00012/-x_yz0123AB/00001"]
    assert (first.speaker, first.sex, first.emotion.level) == ("voxceleb2-id00012", None, 0.0)
    assert told.noted("found: 3 of 1 and 1 of 1") and told.noted("Without vox2_meta.csv")
    assert told.warnings == [
        "Left out 2 files and folders of other names, or that are there twice: "
        "dev/aac/id00012/21Uxsk56VDQ/one.m4a, dev/aac/someone/21Uxsk56VDQ."
    ]


def test_films_with_the_sound_beside_them(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "mp4/id00012/21Uxsk56VDQ/00001.mp4",
        "mp4/id00012/21Uxsk56VDQ/00002.mp4",
        "mp4/id00017/01dfn2spqyE/00001.mp4",
        "aac/id00012/21Uxsk56VDQ/00001.m4a",
        "aac/id00012/21Uxsk56VDQ/00003.m4a",
    )
    (tmp_path / "vox2_meta.csv").write_text(TABLE)
    told = Told()
    sources = voxceleb2_sources(tmp_path, told, motion="video")
    folder = Path("id00012/21Uxsk56VDQ")
    assert [source.recipe for source in sources[:2]] == [
        FilmedFile(
            video=tmp_path / "mp4" / folder / "00001.mp4", sound=tmp_path / "aac" / folder / "00001.m4a"
        ),
        FilmedFile(video=tmp_path / "mp4" / folder / "00002.mp4"),
    ]
    # The table knows who is who, wherever the files lie.
    assert [(source.split, source.sex) for source in sources] == [
        ("train", "male"), ("train", "male"), ("test", "female"),
    ]  # fmt: skip
    assert told.warnings == ["No sound in aac: 2 films, whose own is read."]
    how = HowToLook(head="ada", preview=tmp_path.parent / "seen")
    (first, *_) = voxceleb2_sources(tmp_path, told, motion="video", how=how)
    assert isinstance(first.recipe, FilmedFile)
    assert first.recipe.preview == tmp_path.parent / "seen" / f"{first.id}.mp4"
    with pytest.raises(UsageError, match="no film is read"):
        voxceleb2_sources(tmp_path, told, how=how)


def test_the_same_video_twice_is_read_once(tmp_path: Path) -> None:
    tree(tmp_path, "a/aac/id00012/21Uxsk56VDQ/00001.m4a", "b/aac/id00012/21Uxsk56VDQ/00001.m4a")
    told = Told()
    (source,) = voxceleb2_sources(tmp_path, told)
    assert source.recipe.inputs == (tmp_path / "a/aac/id00012/21Uxsk56VDQ/00001.m4a",)
    assert told.warned("there twice: b/aac/id00012/21Uxsk56VDQ")


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no aac/idNNNNN/VIDEO/NNNNN.m4a"):
        voxceleb2_sources(tree(tmp_path, "mp4/id00012/v/00001.mp4"), Silent())
    with pytest.raises(InputError, match=r"no mp4/idNNNNN/VIDEO/NNNNN.mp4"):
        voxceleb2_sources(tree(tmp_path / "b", "aac/id00012/v/00001.m4a"), Silent(), motion="video")
    with pytest.raises(InputError, match="is not a folder"):
        voxceleb2_sources(tmp_path / "absent", Silent())


def test_files_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(
        tmp_path, *(f"aac/id{speaker:05d}/v/{number:05d}.m4a" for speaker in range(5) for number in range(9))
    )
    looked: list[str] = []
    stat = os.stat

    def counting(path: str, *args: object, **kwargs: object) -> os.stat_result:
        looked.append(str(path))
        return stat(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", counting)
    assert len(voxceleb2_sources(tmp_path, Silent())) == 45
    assert [path for path in looked if path.endswith(".m4a")] == []


def test_an_utterance_becomes_16_khz_sound(tmp_path: Path) -> None:
    path = tmp_path / "aac" / "id00012" / "v" / "00001.wav"
    path.parent.mkdir(parents=True)
    tone = 0.5 * np.sin(np.arange(44_100) * 0.05)
    soundfile.write(path, np.stack([tone, tone], axis=1), 44_100)
    (source,) = voxceleb2_sources(tmp_path, Silent())
    recording = source.recipe.make(source)
    assert recording.motion is None and recording.speech is not None
    assert len(recording.speech.samples) == 16_000
    path.write_bytes(b"")
    with pytest.raises(InputError, match="0 bytes"):
        source.recipe.make(source)


def test_200_damaged_tables(tmp_path: Path) -> None:
    path = tmp_path / "vox2_meta.csv"
    assert read_speakers(path).split == {}
    path.write_text(TABLE.replace(",", "\t"))
    assert read_speakers(path).sex == {"id00012": "male", "id00017": "female"}
    refused = 0
    for content in mutations(TABLE.encode(), 200, seed=3):
        path.write_bytes(content)
        try:
            speakers = read_speakers(path)
        except InputError:
            refused += 1
        else:
            assert set(speakers.split.values()) <= {"train", "test"}
            assert speakers.split.keys() == speakers.sex.keys()
    assert refused > 50
