"""MEAD as published: folders are labels, one clip a film, and what is missing on either side is said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.prepare.adapters.filmed import FilmedFile
from talkcli.engine.prepare.adapters.mead_raw import VIEWS, mead_raw_sources
from talkcli.engine.prepare.labels import EMOTION_OF_MEAD
from talkcli.engine.prepare.mead_splits import SPLIT_OF_ACTOR
from talkcli.engine.types import Silent
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason, tree


def pair(clip: str) -> tuple[str, str]:
    """ACTOR/EMOTION/N/NNN as film from the front and sound."""
    actor, emotion, level, number = clip.split("/")
    place = f"{emotion}/level_{level}/{number}"
    return f"{actor}/video/front/{place}.mp4", f"{actor}/audio/{place}.m4a"


def test_a_whole_set(tmp_path: Path) -> None:
    for actor in SPLIT_OF_ACTOR:
        for emotion in EMOTION_OF_MEAD:
            for level in (1,) if emotion == "neutral" else (1, 2, 3):
                tree(tmp_path, *pair(f"{actor}/{emotion}/{level}/001"))
    told = Told()
    sources = mead_raw_sources(tmp_path, told)
    assert told.warnings == []
    assert len(sources) == 47 * 22
    assert Counter(source.split for source in sources) == {"train": 32 * 22, "val": 7 * 22, "test": 8 * 22}
    assert Counter(source.sex for source in sources) == {"male": 27 * 22, "female": 20 * 22}
    counts = Counter(source.emotion.label for source in sources)
    assert counts.pop("neutral") == 47
    labels = ("angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
    assert dict(counts) == dict.fromkeys(labels, 47 * 3)
    assert [source.id for source in sources] == sorted(source.id for source in sources)
    (source,) = (source for source in sources if source.id == "mead/W009_surprised_3_001")
    assert (source.speaker, source.split, source.emotion.level) == ("mead-W009", "train", 1.0)
    assert source.recipe == FilmedFile(
        video=tmp_path / "W009/video/front/surprised/level_3/001.mp4",
        sound=tmp_path / "W009/audio/surprised/level_3/001.m4a",
        rest=tmp_path / "W009/video/front/neutral/level_1/001.mp4",
    )
    assert told.noted("47 actors, 1034 films from the front, 1034 sounds")


def test_odd_trees(tmp_path: Path) -> None:
    tree(
        tmp_path / "MEAD",
        *pair("M009/sad/2/001"),
        *pair("M009/sad/2/004"),
        # Only one of the two, or one of them empty.
        pair("M024/angry/3/001")[0],
        pair("W026/fear/1/001")[1],
        pair("M024/angry/3/002")[0], f"{pair('M024/angry/3/002')[1]}.empty",
        # What MEAD does not have.
        *pair("M009/calm/1/001"),
        *pair("M009/neutral/2/001"),
        *pair("M009/sad/4/001"),
        "M009/video/front/sad/level_2/take.mp4",
        "M009/video/behind/sad/level_2/001.mp4",
        "M009/video/front/sad/001.mp4",
        "M009/001.mp4",
        "M009/audio/sad/level_2/001.mp4",
        # Other sides, an actor in no split, and files that are none.
        "M009/video/left_30/sad/level_2/001.mp4",
        "M009/video/top/sad/level_2/001.mp4",
        *pair("M001/sad/2/001"),
        "M009/video/front/sad/level_2/._001.mp4",
        "readme/M009.mp4",
    )  # fmt: skip
    told = Told()
    sources = {source.id.removeprefix("mead/"): source for source in mead_raw_sources(tmp_path, told)}
    assert sorted(sources) == [
        "M009_sad_2_001", "M009_sad_2_004", "M024_angry_3_001", "M024_angry_3_002", "W026_fear_1_001",
    ]  # fmt: skip
    assert "no film" in reason(sources["W026_fear_1_001"])
    for name in ("M024_angry_3_001", "M024_angry_3_002"):
        recipe = sources[name].recipe
        assert isinstance(recipe, FilmedFile) and recipe.sound is None
    assert told.warned("Left out 11 files that MEAD does not have")
    assert told.warned("Left out 1 actor who is in no split: M001 (1 clip).")
    assert told.warned("Missing: 44 of 47 actors: M003")
    assert told.warned("No m4a: 1 film, whose own sound is read: M024_angry_3_001")
    assert told.warned("Missing: 1 film from the front, of which there is sound: W026_fear_1_001")
    assert told.warned("Missing: 2 numbers below the highest of their folder: M009_sad_2_002, M009_sad_2_003")
    assert told.noted("left out: left_30 1, top 1")


def test_other_views_on_request(tmp_path: Path) -> None:
    tree(tmp_path, *pair("M003/happy/1/001"), "M003/video/left_30/happy/level_1/001.mp4")
    sources = mead_raw_sources(tmp_path, Silent(), views=("left_30", "front"))
    assert [source.id for source in sources] == ["mead/M003_happy_1_001", "mead/M003_happy_1_001_left_30"]
    recipe = sources[1].recipe
    assert isinstance(recipe, FilmedFile)
    assert "left_30" in recipe.video.as_posix() and recipe.sound is not None
    only = mead_raw_sources(tmp_path, Silent(), views=("left_30",))
    assert [source.id for source in only] == ["mead/M003_happy_1_001_left_30"]
    assert len(VIEWS) == 7
    with pytest.raises(UsageError, match="no view behind"):
        mead_raw_sources(tmp_path, Silent(), views=("behind",))


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        mead_raw_sources(tmp_path / "absent", Silent())
    with pytest.raises(InputError, match="no film or sound of MEAD") as caught:
        mead_raw_sources(tree(tmp_path, "M003/video/front/001.mp4"), Silent())
    assert "level_3/001.mp4" in (caught.value.hint or "")
