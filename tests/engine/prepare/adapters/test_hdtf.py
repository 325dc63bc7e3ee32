"""HDTF: clips against the set's lists, in both ways of naming them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.filmed import FilmedFile
from talkcli.engine.prepare.adapters.hdtf import HdtfName, hdtf_sources, parse_name, split_of_speaker
from talkcli.engine.types import Silent
from tests.engine.data.mutations import mutations
from tests.engine.fakes import Told
from tests.engine.prepare.trees import tree

TIMES = {
    "RD": "Radio11.mp4 00:30-01:00 01:30-02:30\nRadio2.mp4 00:22-01:45\n",
    "WDA": "JamesClyburn1.mp4 00:05-04:40\nWhipJimClyburn.mp4 00:05-04:40\n"
    "LucilleRoybal-Allard.mp4 00:10-02:05",
    # As published, with a blank at the end of a line.
    "WRA": "AdamKinzinger2.mp4 00:40-01:20 02:00-02:40 03:30-03:50 \n",
}
CROPS = {
    "RD": "Radio11_0.mp4 412 599 0 599\nRadio11_1.mp4 557 478 0 478\n",
    "WDA": "LucilleRoybal-Allard_0.mp4 591 806 37 806\n",
    "WRA": "AdamKinzinger2_0.mp4 397 513 0 513\n",
}
# One as published with two: nobody knows which of them the crop is for.
HEIGHTS = {
    "RD": "Radio11.mp4 720\n",
    "WDA": "LucilleRoybal-Allard.mp4 1080\n",
    "WRA": "AdamKinzinger2.mp4 720 1080\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "HDTF_dataset"
    folder.mkdir()
    for subset, times in TIMES.items():
        (folder / f"{subset}_annotion_time.txt").write_text(times)
        (folder / f"{subset}_crop_wh.txt").write_text(CROPS[subset])
        (folder / f"{subset}_video_url.txt").write_text("Radio11 https://www.youtube.com/watch?v=XtySvT\n")
        (folder / f"{subset}_resolution.txt").write_text(HEIGHTS[subset])
    return tmp_path


@pytest.mark.parametrize(
    ("stem", "video", "index", "speaker"),
    [
        ("Radio11_0", "Radio11", 0, "Radio"),
        ("RD_Radio11_001", "Radio11", 1, "Radio"),
        ("WRA_AdamKinzinger2_002", "AdamKinzinger2", 2, "AdamKinzinger"),
        ("LucilleRoybal-Allard_0", "LucilleRoybal-Allard", 0, "LucilleRoybal-Allard"),
        ("WhipJimClyburn_0", "WhipJimClyburn", 0, "JamesClyburn"),
        ("JamesClyburn1_0", "JamesClyburn1", 0, "JamesClyburn"),
    ],
)
def test_a_name_says_video_and_clip(stem: str, video: str, index: int, speaker: str) -> None:
    name = parse_name(stem)
    assert name == HdtfName(video=video, index=index)
    assert name.speaker == speaker


def test_clips_against_the_lists(root: Path) -> None:
    tree(
        root,
        "clips/RD_Radio11_000.mp4", "clips/RD_Radio11_000.wav", "clips/RD_Radio11_000.mp3",
        "clips/Radio11_1.mp4",
        "clips/LucilleRoybal-Allard_0.mp4",
        "clips/WhipJimClyburn_0.mp4", "clips/JamesClyburn1_0.mp4", "copy/JamesClyburn1_0.mp4",
        # In no list: another clip of a video, and another video.
        "clips/Radio2_1.mp4", "clips/Somebody_0.mp4",
        # Videos before they were cut.
        "_videos_raw/RD_Radio11.mp4",
    )  # fmt: skip
    told = Told()
    sources = {source.id.removeprefix("hdtf/"): source for source in hdtf_sources(root, told)}
    assert list(sources) == [
        "JamesClyburn1_0", "LucilleRoybal-Allard_0", "Radio11_0", "Radio11_1", "WhipJimClyburn_0",
    ]  # fmt: skip
    assert sources["Radio11_0"].recipe == FilmedFile(
        video=root / "clips/RD_Radio11_000.mp4",
        sound=root / "clips/RD_Radio11_000.wav",
        crop=(412 / 720, 0.0, 599 / 720, 599 / 720),
    )
    assert sources["LucilleRoybal-Allard_0"].recipe == FilmedFile(
        video=root / "clips/LucilleRoybal-Allard_0.mp4", crop=(591 / 1080, 37 / 1080, 806 / 1080, 806 / 1080)
    )
    assert sources["WhipJimClyburn_0"].recipe == FilmedFile(video=root / "clips/WhipJimClyburn_0.mp4")
    assert sources["WhipJimClyburn_0"].speaker == sources["JamesClyburn1_0"].speaker == "hdtf-JamesClyburn"
    # There is no label, and the level says so.
    assert {(source.emotion.label, source.emotion.level) for source in sources.values()} == {("neutral", 0.0)}
    assert told.noted("9 clips of 6 videos; found: 7 clips of 4 speakers")
    assert told.warned("Left out 2 clips that are in no list: Radio2_1.mp4, Somebody_0.mp4")
    assert told.warned("there twice, the first path is read: JamesClyburn1_0.mp4")
    assert told.warned("Missing: 4 of the listed clips: AdamKinzinger2_0, AdamKinzinger2_1, AdamKinzinger2_2")
    assert told.noted("No crop is known of 4 clips, whose whole pictures are seen: JamesClyburn1_0.mp4")
    assert told.warned("not named like HDTF") and told.warned("RD_Radio11.mp4")


def test_the_split_parts_speakers_and_not_what_is_there() -> None:
    splits = Counter(
        split_of_speaker(f"Person{chr(65 + a)}{chr(65 + b)}") for a in range(26) for b in range(26)
    )
    assert splits.total() == 676
    assert 40 < splits["val"] < 95 and 40 < splits["test"] < 95
    # So that nobody moves it by accident.
    assert [split_of_speaker(name) for name in ("Radio", "JamesClyburn", "AdamKinzinger", "RandPaul")] == [
        "train", "train", "train", "train",
    ]  # fmt: skip


def test_without_lists_all_clips_are_taken(tmp_path: Path) -> None:
    told = Told()
    sources = hdtf_sources(tree(tmp_path, "Anybody_0.mp4"), told)
    assert sources[0].recipe == FilmedFile(video=tmp_path / "Anybody_0.mp4")
    assert told.warned("without the lists")


def test_a_folder_of_something_else(root: Path) -> None:
    with pytest.raises(InputError, match="no file named like HDTF"):
        hdtf_sources(root, Silent())
    with pytest.raises(InputError, match="None of 1 clip "):
        hdtf_sources(tree(root, "Somebody_0.mp4"), Silent())
    with pytest.raises(InputError, match="is not a folder"):
        hdtf_sources(root / "absent", Silent())


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("RD_annotion_time.txt", "Radio1.mp4 00:20\n", "line 1"),
        ("RD_crop_wh.txt", "\nRadio1_0.mp4 1 2 3\n", "line 2"),
        ("RD_crop_wh.txt", "Radio1_0.mp4 1 2 3 -4\n", "min_width"),
        ("RD_crop_wh.txt", "Radio1.mp4 1 2 3 4\n", "line 1"),
    ],
)
def test_lists_of_another_form(root: Path, file: str, text: str, said: str) -> None:
    (root / "HDTF_dataset" / file).write_text(text)
    with pytest.raises(InputError, match=said):
        hdtf_sources(tree(root, "Radio11_0.mp4"), Silent())


def test_200_damaged_lists(root: Path) -> None:
    tree(root, "Radio11_0.mp4")
    path = root / "HDTF_dataset" / "RD_crop_wh.txt"
    refused = 0
    for content in mutations(path.read_bytes(), 200, seed=5):
        path.write_bytes(content)
        try:
            (source,) = hdtf_sources(root, Silent())
        except InputError as error:
            assert "RD_crop_wh.txt" in error.problem
            refused += 1
        else:
            assert isinstance(source.recipe, FilmedFile)
    assert refused > 50
