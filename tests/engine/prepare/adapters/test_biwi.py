"""A small BIWI with the real names, shapes and types, and everything that may be wrong with one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.biwi import ABSENT, SEEN, UNSEEN, biwi_sources
from talkcli.engine.prepare.adapters.vertex_files import VertexFiles
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.types import Silent
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told
from tests.engine.prepare.adapters.vertex_trees import (
    moving,
    template,
    touch_files,
    write_files,
    write_pickle,
)

VERTS = 23_370
FRAMES = 6


@pytest.fixture(scope="module")
def at_rest() -> np.ndarray:
    """About 1 high, as trainers scale the corpus."""
    return template(VERTS, 0, height=1.0)


def whole(root: Path, at_rest: np.ndarray) -> Path:
    """The corpus as it is: 536 clips of 560, since 24 were not recorded."""
    absent = {"F1_e20", "F3_e02", "F3_e03", "M2_e20", *(f"M1_e{number:02d}" for number in range(1, 21))}
    for subject in (*SEEN, *UNSEEN):
        for number in range(1, 41):
            if f"{subject}_e{number:02d}" not in absent:
                touch_files(root, f"{subject}_e{number:02d}")
    write_pickle(root / "templates.pkl", dict.fromkeys((*SEEN, *UNSEEN), at_rest), 4)
    return root


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_a_clip(tmp_path: Path, at_rest: np.ndarray, dtype: str) -> None:
    root, out = tmp_path / "root" / "BIWI", tmp_path / "out"
    vertices = moving(at_rest, FRAMES)
    write_files(root, "F2_e01", vertices.astype(dtype), 25, rate_hz=16_000)
    write_pickle(root / "templates.pkl", {"F2": at_rest}, None)
    assert not build(biwi_sources(root.parent, Silent()), out, Silent(), Plan(num_workers=0)).dropped
    (entry,) = read_manifest(out / "manifest.jsonl")
    assert (entry.id, entry.speaker, entry.sex, entry.split) == ("biwi/F2_e01", "biwi-F2", "female", "train")
    assert (entry.fps, entry.num_frames, entry.emotion, entry.intensity) == (25.0, FRAMES, "neutral", 0.0)
    assert entry.mesh is not None
    assert entry.mesh.topology == "biwi"
    np.testing.assert_array_equal(np.load(out / entry.mesh.vertices), vertices)
    np.testing.assert_array_equal(np.load(out / entry.mesh.neutral), at_rest.astype(np.float32))
    assert soundfile.info(out / str(entry.audio)).frames == FRAMES * 640


def test_counts_of_the_whole_corpus(tmp_path: Path, at_rest: np.ndarray) -> None:
    told = Told()
    sources = biwi_sources(whole(tmp_path, at_rest), told)
    # 190, not 192, as users of the corpus count too.
    assert Counter(source.split for source in sources) == {"train": 190, "val": 24, "test": 24}
    assert {source.speaker for source in sources} == {f"biwi-{subject}" for subject in SEEN}
    assert Counter(source.sex for source in sources) == {"female": 118, "male": 120}
    assert [source.id for source in sources] == sorted(source.id for source in sources)
    assert all(isinstance(source.recipe, VertexFiles) for source in sources)
    assert not told.warnings
    assert told.noted("F3_e02, F3_e03")
    assert told.noted("has 240 sentences of 6 speakers; found: 238 of 6, and 298 that it does not use")
    unseen = biwi_sources(tmp_path, Silent(), test="b")
    assert Counter(source.split for source in unseen) == {"train": 190, "val": 24, "test": 32}
    test = [source for source in unseen if source.split == "test"]
    assert {source.speaker for source in test} == {f"biwi-{subject}" for subject in UNSEEN}
    assert {source.id[-2:] for source in test} == {"37", "38", "39", "40"}
    assert len(ABSENT) == 2


def test_names_without_e(tmp_path: Path, at_rest: np.ndarray) -> None:
    write_pickle(tmp_path / "templates.pkl", {"F2": at_rest, "M3": at_rest}, 2)
    for stem in ("F2_01", "M3_37"):
        touch_files(tmp_path, stem)
    told = Told()
    assert [source.id for source in biwi_sources(tmp_path, told)] == ["biwi/F2_01", "biwi/M3_37"]
    assert told.warned("No name has the e of the emotional recordings: all 2 are taken for them")
    touch_files(tmp_path, "F2_e02")
    told = Told()
    assert [source.id for source in biwi_sources(tmp_path, told)] == ["biwi/F2_e02"]
    assert told.noted("Left out 2 neutral recordings")
    assert told.warned("of 240 sentences: ")


def test_what_is_left_out(tmp_path: Path, at_rest: np.ndarray) -> None:
    write_pickle(tmp_path / "templates.pkl", {"F2": at_rest, "F4": at_rest}, 2)
    for stem in ("F2_e00", "F2_e41", "F9_e01", "M7_e01", "test", "F2_e1", "F2_e001"):
        touch_files(tmp_path, stem)
    with pytest.raises(InputError, match="None of 7 clips"):
        biwi_sources(tmp_path, Silent())
    vertices = moving(at_rest, FRAMES)
    for number in range(1, 6):
        write_files(tmp_path, f"F2_e{number:02d}", vertices, 25)
    write_files(tmp_path, "F3_e04", vertices, 25)
    far = moving(at_rest, FRAMES) + 2
    write_files(tmp_path, "F4_e01", far, 25)
    (tmp_path / "wav" / "F2_e01.wav").unlink()
    (tmp_path / "vertices_npy" / "F2_e02.npy").unlink()
    np.save(tmp_path / "vertices_npy" / "F2_e03.npy", vertices[:, :5023].reshape(FRAMES, -1))
    write_files(tmp_path, "F2_e04", vertices.repeat(3, axis=0), 75)
    told = Told()
    result = build(biwi_sources(tmp_path, told), tmp_path / "out", Silent(), Plan(num_workers=0))
    assert told.warned("Left out 7 clips that BIWI does not have: F2_e00, F2_e001, F2_e1 and 4 more")
    assert [entry.id for entry in result.entries] == ["biwi/F2_e05"]
    reasons = {item.id: item.reason for item in result.dropped}
    expected = {
        "biwi/F2_e01": "wav/F2_e01.wav is missing.",
        "biwi/F2_e02": "vertices_npy/F2_e02.npy is missing.",
        "biwi/F2_e03": "(6, 15069), floats of (frames, 70110)",
        "biwi/F2_e04": "Sound has 0.24 s, motion 0.72 s",
        "biwi/F3_e04": "no template of its subject",
        "biwi/F4_e01": "another subject's template",
    }
    assert reasons.keys() == expected.keys()
    assert not {stem: reasons[stem] for stem, words in expected.items() if words not in reasons[stem]}


def test_what_is_not_biwi(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vertices_npy and wav are not both in it"):
        biwi_sources(tmp_path, Silent())
    touch_files(tmp_path, "F2_e01")
    with pytest.raises(InputError, match=r"templates\.pkl is missing"):
        biwi_sources(tmp_path, Silent())
    for content, words in (
        ([1], "a dictionary of subjects"),
        ({"F2": [1.0]}, "other than the vertices of F2"),
    ):
        write_pickle(tmp_path / "templates.pkl", content, 2)
        with pytest.raises(InputError, match=words):
            biwi_sources(tmp_path, Silent())
    (tmp_path / "templates.pkl").write_bytes(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.")
    with pytest.raises(InputError, match=r"builtins\.eval"):
        biwi_sources(tmp_path, Silent())


def test_regions_are_the_published_lists(tmp_path: Path, at_rest: np.ndarray) -> None:
    touch_files(tmp_path, "F2_e01")
    write_pickle(tmp_path / "templates.pkl", {"F2": at_rest}, 2)
    folder = tmp_path / "regions"
    folder.mkdir()

    def warned(text: str) -> bool:
        (folder / "lve.txt").write_text(text)
        told = Told()
        biwi_sources(tmp_path, told)
        return told.warned("lve.txt is no list of 4996 of 23370 vertices")

    indices = list(range(4_996))
    assert not warned(", ".join(map(str, indices)))
    assert warned(", ".join(map(str, indices[:-1])))
    assert warned(", ".join(map(str, [*indices[:-1], 23_370])))
    assert warned(", ".join(map(str, [*indices[:-1], -1])))
    assert warned("")
    assert warned("1, " * 1_000_000)
    (folder / "fdd.txt").write_text(", ".join(map(str, range(7_784))))
    assert not warned(", ".join(map(str, indices)))


@pytest.mark.parametrize("name", ["templates.pkl", "vertices_npy/F2_e01.npy"])
def test_mutations(tmp_path: Path, at_rest: np.ndarray, name: str) -> None:
    """Refused, or a face that stays near where it rests."""
    write_files(tmp_path, "F2_e01", moving(at_rest, FRAMES), 25)
    write_pickle(tmp_path / "templates.pkl", {"F2": at_rest.astype(np.float32)}, None)
    path = tmp_path / name

    def read(content: bytes) -> Any:
        path.write_bytes(content)
        (source,) = biwi_sources(tmp_path, Silent())
        return source.recipe.make(source)

    def plausible(recording: Any) -> bool:
        extent = np.ptp(recording.mesh.neutral, axis=0).max()
        return bool(np.abs(recording.mesh.vertices - recording.mesh.neutral).max() <= extent / 2)

    assert survives(read, path.read_bytes(), plausible=plausible) > 50
