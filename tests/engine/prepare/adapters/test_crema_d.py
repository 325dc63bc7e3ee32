"""CREMA-D: names are labels, one source a clip, and what is wrong or missing is said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.prepare.adapters.crema_d import (
    ACTORS,
    KNOWN_BAD,
    SENTENCES,
    CremaName,
    crema_d_sources,
    parse_name,
    read_sexes,
    split_of_actor,
)
from talkcli.engine.prepare.adapters.filmed import FilmedFile, HowToLook
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.labels import EMOTION_OF_CREMA_D
from talkcli.engine.prepare.names import Unusable
from talkcli.engine.types import Silent
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason, tree


def test_a_name_says_everything() -> None:
    assert parse_name("1001_IEO_ANG_HI") == CremaName(actor=1001, sentence="IEO", emotion="ANG", level="HI")
    # Published with a single X.
    assert parse_name("1040_ITH_SAD_X") == CremaName(actor=1040, sentence="ITH", emotion="SAD", level="XX")
    assert parse_name("notes") is None


@pytest.mark.parametrize(
    ("stem", "said"),
    [
        ("1092_DFA_ANG_XX", "actor 1092"),
        ("1001_ABC_ANG_XX", "sentence ABC"),
        ("1001_DFA_SUR_XX", "emotion SUR"),
        ("1001_DFA_ANG_YY", "level YY"),
    ],
)
def test_codes_that_are_not_in_the_set(stem: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_name(stem)


def test_the_split_parts_actors() -> None:
    assert Counter(split_of_actor(actor) for actor in ACTORS) == {"train": 73, "val": 9, "test": 9}
    assert (split_of_actor(1009), split_of_actor(1010), split_of_actor(1091)) == ("val", "test", "train")


def test_a_whole_set(tmp_path: Path) -> None:
    for actor in ACTORS:
        for sentence in SENTENCES:
            for emotion in EMOTION_OF_CREMA_D:
                levels = ("LO", "MD", "HI") if sentence == "IEO" and emotion != "NEU" else ("XX",)
                tree(tmp_path, *(f"AudioWAV/{actor}_{sentence}_{emotion}_{level}.wav" for level in levels))
    told = Told()
    sources = crema_d_sources(tmp_path, told)
    # Every combination; the published set lacks 20 of them.
    assert len(sources) == 91 * 82 == 7462
    assert told.warnings == []
    dropped = {source.id for source in sources if isinstance(source.recipe, Unusable)}
    assert dropped == {f"crema-d/{name}" for name in KNOWN_BAD}
    assert len({source.speaker for source in sources}) == 91
    counts = Counter(source.emotion.label for source in sources)
    assert counts.pop("neutral") == 91 * 12
    assert dict(counts) == dict.fromkeys(("angry", "disgust", "fear", "happy", "sad"), 91 * 14)
    levels = Counter(source.emotion.level for source in sources)
    assert levels == {1 / 3: 455, 1.0: 455, 2 / 3: 455 + 91 * (11 * 6 + 1)}


def test_odd_trees(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "AudioWAV/1001_DFA_ANG_XX.wav",
        "AudioMP3/1001_DFA_ANG_XX.mp3",
        "VideoFlash/1001_DFA_ANG_XX.flv",
        "VideoFlash/1001_TIE_ANG_XX.flv",
        "AudioMP3/1040_ITH_SAD_X.mp3",
        "AudioWAV/1007_ITH_NEU_XX.wav",
        "AudioWAV/1001_DFA_SUR_XX.wav",
        "AudioWAV/take one.wav",
        "other/1001_DFA_ANG_XX.wav",
    )
    (tmp_path / "AudioWAV" / "1001_TSI_SAD_XX.wav").touch()
    tree(tmp_path, "AudioMP3/1001_TSI_SAD_XX.mp3")
    (tmp_path / "VideoDemographics.csv").write_text(
        "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n1007,39,Female,Caucasian,\n"
    )
    told = Told()
    sources = {source.id.removeprefix("crema-d/"): source for source in crema_d_sources(tmp_path, told)}
    assert len(sources) == 6
    files = {name: [path.parent.name for path in source.recipe.inputs] for name, source in sources.items()}
    assert files["1001_DFA_ANG_XX"] == ["AudioWAV"]
    assert files["1001_TIE_ANG_XX"] == ["VideoFlash"]
    # An empty wav gives way to the mp3.
    assert files["1001_TSI_SAD_XX"] == ["AudioMP3"]
    assert (sources["1040_ITH_SAD_X"].split, sources["1040_ITH_SAD_X"].emotion.label) == ("test", "sad")
    assert sources["1001_TIE_ANG_XX"].recipe.text == "That is exactly what happened."  # type: ignore[attr-defined]
    assert "known bad" in reason(sources["1007_ITH_NEU_XX"])
    assert "emotion SUR" in reason(sources["1001_DFA_SUR_XX"])
    assert "3 actors (1 female, 1 male), 5 clips, in 4 wav, 3 mp3 and 2 flv" in told.notes[0]
    for said in ("take one.wav", "there twice", "1002-1006, 1008-1039, 1041-1091", "1001_DFA_DIS"):
        assert any(said in text for text in told.warnings), said


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file named like CREMA-D .*emotion SUR"):
        crema_d_sources(tree(tmp_path, "1001_DFA_SUR_XX.wav"), Silent())
    with pytest.raises(InputError, match="is not a folder"):
        crema_d_sources(tmp_path / "absent", Silent())


def test_a_table_of_actors_that_is_none(tmp_path: Path) -> None:
    assert read_sexes(tmp_path / "absent.csv") == {}
    table = tmp_path / "VideoDemographics.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="ActorID"):
        read_sexes(table)


def test_200_damaged_tables(tmp_path: Path) -> None:
    path = tmp_path / "VideoDemographics.csv"
    content = b"ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n1007,39,Female,Asian,\n"

    def read(mutant: bytes) -> dict[int, str]:
        path.write_bytes(mutant)
        return dict(read_sexes(path))

    def plausible(sexes: object) -> bool:
        return isinstance(sexes, dict) and set(sexes.values()) <= {"female", "male"}

    assert read(content) == {1001: "male", 1007: "female"}
    assert survives(read, content, plausible=plausible) > 50


def test_files_that_hold_no_sound_go_to_quarantine(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", "AudioWAV/1001_DFA_ANG_XX.wav", "AudioWAV/1064_IEO_DIS_MD.wav")
    (root / "AudioWAV" / "1002_DFA_ANG_XX.wav").touch()
    # Stereo, and too short to be a sentence.
    soundfile.write(root / "AudioWAV" / "1003_DFA_ANG_XX.wav", np.zeros((160, 2)), 16_000)
    with pytest.raises(InputError, match="None of 4 clips"):
        build(crema_d_sources(root, Silent()), tmp_path / "out", Silent(), Plan(num_workers=0))
    lines = (tmp_path / "out" / "quarantine.jsonl").read_text().splitlines()
    for name, said in (("1002", "0 bytes"), ("1003", "40 ms"), ("1064", "known bad"), ("1001", "reason")):
        assert any(name in line and said in line for line in lines), name


def test_motion_from_the_films(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "AudioWAV/1001_DFA_ANG_XX.wav", "AudioMP3/1001_DFA_ANG_XX.mp3", "VideoFlash/1001_DFA_ANG_XX.flv",
        "AudioWAV/1001_TIE_ANG_XX.wav.empty", "VideoFlash/1001_TIE_ANG_XX.flv",
        "AudioWAV/1001_TSI_SAD_XX.wav",
        "AudioWAV/1076_MTI_SAD_XX.wav", "VideoFlash/1076_MTI_SAD_XX.flv",
    )  # fmt: skip
    (tmp_path / "VideoDemographics.csv").write_text("ActorID,Age,Sex\n1001,51,Male\n1076,25,Female\n")
    told = Told()
    sources = {
        source.id.removeprefix("crema-d/"): source
        for source in crema_d_sources(tmp_path, told, motion="video")
    }
    film = tmp_path / "VideoFlash"
    assert sources["1001_DFA_ANG_XX"].recipe == FilmedFile(
        video=film / "1001_DFA_ANG_XX.flv", sound=tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav"
    )
    # The film's own sound, where nothing better is there.
    assert sources["1001_TIE_ANG_XX"].recipe == FilmedFile(video=film / "1001_TIE_ANG_XX.flv")
    assert "no film" in reason(sources["1001_TSI_SAD_XX"])
    assert "known bad" in reason(sources["1076_MTI_SAD_XX"])
    assert (sources["1001_TIE_ANG_XX"].sex, sources["1076_MTI_SAD_XX"].sex) == ("male", "female")
    assert sources["1001_TIE_ANG_XX"].text == "That is exactly what happened."
    assert not told.noted("`motion=video`")
    crema_d_sources(tmp_path, told)
    assert told.noted("`motion=video`")
    with pytest.raises(UsageError, match="no film is read"):
        crema_d_sources(tmp_path, Silent(), how=HowToLook(head="flame"))
