"""A small VOCASET in both forms, with the real names, shapes and types, and everything that may be wrong."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
import torch

from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.face.flame import FlameHead
from talkcli.engine.face.flame_file import FlameArrays
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.prepare.adapters.vertex_files import VertexFiles
from talkcli.engine.prepare.adapters.vocaset import (
    ABSENT,
    SENTENCES,
    SPLIT_OF_SUBJECT,
    VocasetFrames,
    vocaset_sources,
)
from talkcli.engine.prepare.build import Built, Plan, build
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Silent
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told
from tests.engine.prepare.adapters.vertex_trees import (
    moving,
    template,
    tone,
    touch_files,
    wav,
    write_files,
    write_pickle,
)

VERTS = 5023
ONE, TWO, THREE = "FaceTalk_170725_00137_TA", "FaceTalk_170811_03275_TA", "FaceTalk_170731_00024_TA"
RATE = 22_000


class Tree:
    """The authors' four files: add clips, then write."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows: list[np.ndarray] = []
        self.index: dict[str, dict[str, Any]] = {}
        self.sounds: dict[str, dict[str, Any]] = {}
        self.templates: dict[str, Any] = {}

    def add(
        self, subject: str, sentence: str, num_frames: int = 30, *, lacking: tuple[int, ...] = ()
    ) -> np.ndarray:
        self.templates.setdefault(subject, template(VERTS, len(self.templates)))
        vertices = moving(self.templates[subject], num_frames)
        kept = [number for number in range(num_frames) if number not in lacking]
        first = sum(map(len, self.rows))
        # Dictionaries of Python 2 keep no order.
        order = sorted(range(len(kept)), key=lambda place: place * 7 % 11)
        self.index.setdefault(subject, {})[sentence] = {kept[place]: first + place for place in order}
        self.rows.append(vertices[kept])
        sound = {"audio": tone(num_frames / 60, RATE), "sample_rate": RATE}
        self.sounds.setdefault(subject, {})[sentence] = sound
        return vertices

    def write(self, protocol: int | None = None) -> Path:
        self.root.mkdir(exist_ok=True)
        np.save(self.root / "data_verts.npy", np.concatenate(self.rows))
        write_pickle(self.root / "raw_audio_fixed.pkl", self.sounds, protocol)
        write_pickle(self.root / "templates.pkl", self.templates, protocol)
        write_pickle(self.root / "subj_seq_to_idx.pkl", self.index, protocol)
        return self.root


def built(sources: list[Source], out: Path, **cleanup: Any) -> Built:
    return build(sources, out, Silent(), Plan(num_workers=0, cleanup=Cleanup(**cleanup)))


def reasons(result: Built) -> dict[str, str]:
    return {item.id.removeprefix("vocaset/"): item.reason for item in result.dropped}


@pytest.mark.parametrize("protocol", [None, 0, 2, 4, 5])
def test_the_authors_files(tmp_path: Path, protocol: int | None) -> None:
    tree = Tree(tmp_path / "trainingdata")
    expected = tree.add(ONE, "sentence01")
    tree.add(TWO, "sentence21", 20)
    tree.write(protocol)
    out = tmp_path / "out"
    result = built(vocaset_sources(tmp_path, Silent()), out)
    assert not result.dropped
    first, second = read_manifest(out / "manifest.jsonl")
    assert (first.id, first.speaker, first.split, second.split) == (
        f"vocaset/{ONE}_sentence01", f"vocaset-{ONE}", "train", "val",
    )  # fmt: skip
    assert (first.fps, first.num_frames, first.emotion, first.intensity) == (60.0, 30, "neutral", 0.0)
    assert first.motion is None
    assert first.mesh is not None
    assert first.mesh.topology == "flame"
    vertices, neutral = np.load(out / first.mesh.vertices), np.load(out / first.mesh.neutral)
    assert (vertices.dtype, neutral.dtype, neutral.shape) == (np.float32, np.float32, (VERTS, 3))
    np.testing.assert_array_equal(vertices, expected)
    np.testing.assert_array_equal(neutral, tree.templates[ONE].astype(np.float32))
    samples, rate_hz = soundfile.read(out / str(first.audio))
    assert rate_hz == 16_000
    same = soxr.resample(tone(0.5, RATE) / 32768, RATE, 16_000, quality="HQ")
    np.testing.assert_allclose(samples, same, atol=1e-4)


def test_both_forms_give_the_same(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "raw")
    vertices = tree.add(ONE, "sentence01")
    tree.write()
    files = tmp_path / "files"
    write_files(files, f"{ONE}_sentence01", vertices, 60)
    write_pickle(files / "templates.pkl", tree.templates, None)
    (raw,) = built(vocaset_sources(tmp_path / "raw", Silent()), tmp_path / "a").entries
    (kept,) = built(vocaset_sources(files, Silent()), tmp_path / "b").entries
    assert (raw.sha256.vertices, raw.sha256.neutral) == (kept.sha256.vertices, kept.sha256.neutral)
    sounds = [soundfile.read(tmp_path / name / str(raw.audio), dtype="int16")[0] for name in "ab"]
    assert np.abs(np.subtract(*sounds, dtype=np.int32)).max() <= 2


def test_half_the_rate_is_every_second_frame(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "raw")
    expected = tree.add(ONE, "sentence01", 31)
    (entry,) = built(vocaset_sources(tree.write(), Silent()), tmp_path / "out", fps=30.0).entries
    assert entry.mesh is not None
    np.testing.assert_array_equal(np.load(tmp_path / "out" / entry.mesh.vertices), expected[::2])
    assert (entry.fps, entry.num_frames) == (30.0, 16)
    assert soundfile.info(tmp_path / "out" / str(entry.audio)).frames == round(16 / 30 * 16_000)


def test_single_missing_frames_are_interpolated(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "raw")
    expected = tree.add(ONE, "sentence01", 30, lacking=(0, 11))
    tree.add(ONE, "sentence02", 60, lacking=tuple(range(20, 33)))
    result = built(vocaset_sources(tree.write(), Silent()), tmp_path / "out")
    (entry,) = result.entries
    assert entry.mesh is not None
    found = np.load(tmp_path / "out" / entry.mesh.vertices)
    np.testing.assert_array_equal(found[1:11], expected[1:11])
    np.testing.assert_array_equal(found[0], expected[1])
    np.testing.assert_allclose(found[11], (expected[10] + expected[12]) / 2, atol=1e-7)
    assert "lacks 13 frames of it in a row" in reasons(result)[f"{ONE}_sentence02"]


def write_model(path: Path, draw: np.random.Generator) -> FlameArrays:
    """A FLAME model of the real size, in the converted form."""
    weights = np.zeros((VERTS, 5), np.float32)
    weights[:, 0], weights[: VERTS // 3, 0], weights[: VERTS // 3, 2] = 1, 0.2, 0.8
    regressor = np.zeros((5, VERTS), np.float32)
    regressor[:, :10] = 0.1
    arrays = FlameArrays(
        template=template(VERTS, 99).astype(np.float32),
        expressions=draw.normal(0, 0.001, (VERTS, 3, 50)).astype(np.float32),
        pose_correctives=draw.normal(0, 1e-4, (VERTS, 3, 36)).astype(np.float32),
        joint_regressor=regressor,
        weights=weights,
        faces=np.zeros((1, 3), np.int64),
    )
    np.savez(path, **vars(arrays))
    return arrays


def test_coefficients_of_flame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vertices that FLAME can make are made again, on the subject's own face."""
    draw = np.random.default_rng(0)
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TALK_FLAME", str(tmp_path / "absent"))
    tree = Tree(tmp_path / "raw")
    tree.add(ONE, "sentence01", 17)
    arrays = write_model(tmp_path / "model.npz", draw)
    subject = replace(arrays, template=tree.templates[ONE].astype(np.float32))
    coeffs = np.concatenate([draw.normal(0, 1, (17, 50)), draw.normal(0, 0.1, (17, 3))], axis=1)
    tree.rows[0] = FlameHead(subject, {}, None, tmp_path)(torch.from_numpy(coeffs)).numpy().astype(np.float32)
    tree.write()
    with pytest.raises(AssetError, match="needs the FLAME model"):
        vocaset_sources(tree.root, Silent(), coefficients=True)
    monkeypatch.setenv("TALK_FLAME", str(tmp_path / "model.npz"))
    sources = vocaset_sources(tree.root, Silent(), coefficients=True)
    (entry,) = built(sources, tmp_path / "out").entries
    assert entry.mesh is not None
    motion, _ = read_motion(tmp_path / "out" / str(entry.motion))
    assert (motion.head, motion.fps, entry.fps) == ("flame", 60.0, 60.0)
    np.testing.assert_allclose(motion.coeffs, coeffs, atol=0.02)
    assert json.loads((tmp_path / "out" / "report.jsonl").read_text())["flame_error_mm"] < 0.01
    (half,) = built(sources, tmp_path / "half", fps=30.0).entries
    motion, _ = read_motion(tmp_path / "half" / str(half.motion))
    assert half.mesh is not None
    assert (half.num_frames, len(np.load(tmp_path / "half" / half.mesh.vertices))) == (8, 8)


def test_the_published_split() -> None:
    assert Counter(SPLIT_OF_SUBJECT.values()) == {"train": 8, "val": 2, "test": 2}
    assert (SPLIT_OF_SUBJECT["FaceTalk_170728_03272_TA"], SPLIT_OF_SUBJECT["FaceTalk_170908_03277_TA"]) == (
        "train", "val",
    )  # fmt: skip
    assert len(SENTENCES) == 40


def test_counts_of_the_whole_set(tmp_path: Path) -> None:
    """As published: twelve subjects, forty sentences, two of them without vertices."""
    for subject in SPLIT_OF_SUBJECT:
        for sentence in SENTENCES:
            if f"{subject}_{sentence}" not in ABSENT:
                touch_files(tmp_path, f"{subject}_{sentence}")
    write_pickle(tmp_path / "templates.pkl", dict.fromkeys(SPLIT_OF_SUBJECT, template(VERTS, 0)), 2)
    told = Told()
    sources = vocaset_sources(tmp_path, told)
    assert Counter(source.split for source in sources) == {"train": 319, "val": 40, "test": 39}
    later = {str(number) for number in range(21, 41)}
    assert {source.id[-2:] for source in sources if source.split != "train"} == later
    assert [source.id for source in sources] == sorted(source.id for source in sources)
    assert all(isinstance(source.recipe, VertexFiles) for source in sources)
    assert not told.warnings
    assert told.noted("found: 12 speakers and 398 sentences, and 80 that are not asked for")
    assert told.noted(f"Not there, as in the published files: {ABSENT[0]}, {ABSENT[1]}.")
    everything = vocaset_sources(tmp_path, Silent(), sentences="all")
    assert Counter(source.split for source in everything) == {"train": 319, "val": 80, "test": 79}


def test_strangers_and_missing_sentences_are_told(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.add(ONE, "sentence01")
    tree.add("FaceTalk_999999_99999_TA", "sentence01")
    tree.add(ONE, "sentence41")
    tree.index[ONE]["../../\x1b[31metc"] = tree.index[ONE]["sentence41"]
    told = Told()
    (source,) = vocaset_sources(tree.write(), told)
    assert isinstance(source.recipe, VocasetFrames)
    foreign, missing = told.warnings
    assert "Left out 3 clips that VOCASET does not have" in foreign
    assert "\x1b" not in foreign
    assert "Missing: 397 of 400 sentences" in missing


def test_bad_clips_are_explained_and_stop_nothing(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "raw")
    cases: dict[str, str] = {}

    def spoil(number: int, words: str) -> tuple[str, dict[str, Any], dict[Any, Any]]:
        sentence = f"sentence{number:02d}"
        tree.add(ONE, sentence)
        cases[f"{ONE}_{sentence}"] = words
        return sentence, tree.sounds[ONE][sentence], tree.index[ONE][sentence]

    tree.add(ONE, "sentence40")
    del tree.sounds[ONE][spoil(1, "no sound of it")[0]]
    spoil(2, "not their rate")[1].pop("sample_rate")
    spoil(3, "rate of 22 Hz")[1]["sample_rate"] = 22
    spoil(4, "no samples of it")[1]["audio"] = "text"
    spoil(5, "peak of 0")[1]["audio"] *= 0
    spoil(6, "peak of 1e+06")[1]["audio"] = tone(0.5, RATE) * np.float64(125)
    spoil(7, "peak of nan")[1]["audio"] = tone(0.5, RATE) * np.float32(np.nan)
    spoil(8, "Sound has 1.00 s, motion 0.50 s")[1]["audio"] = tone(1.0, RATE)
    spoil(9, "up to 30 s")[1]["audio"] = np.ones(31 * RATE, np.int16)
    spoil(10, "not there")[2][3] = 10**7
    spoil(11, "not there")[2][3] = -1
    spoil(12, "not there")[2]["x"] = 1
    spoil(13, "no frames of it")[2].clear()
    spoil(14, "lacks 970 frames")[2][1000] = 1
    spoil(15, "more than 30 s")[2][1800] = 1
    tree.index[ONE][spoil(16, "no frames of it")[0]] = [1, 2, 3]
    tree.rows[spoil(17, "not all finite") and -1][4, 5, 1] = np.nan
    tree.rows[spoil(18, "A vertex moves") and -1][4, 5, 1] = 1.0
    tree.add(TWO, "sentence21")
    del tree.templates[TWO]
    cases[f"{TWO}_sentence21"] = "no template of its subject"
    tree.add(THREE, "sentence21")
    tree.templates[THREE] = tree.templates[THREE] * 1000
    cases[f"{THREE}_sentence21"] = "a template of 250 m"
    result = built(vocaset_sources(tree.write(2), Silent()), tmp_path / "out")
    found = reasons(result)
    assert [entry.id for entry in result.entries] == [f"vocaset/{ONE}_sentence40"]
    assert found.keys() == cases.keys()
    assert not {stem: found[stem] for stem, words in cases.items() if words not in found[stem]}


def test_stereo_and_doubles(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "raw")
    tree.add(ONE, "sentence01")
    mono = tree.sounds[ONE]["sentence01"]["audio"]
    tree.add(ONE, "sentence02")
    tree.sounds[ONE]["sentence02"]["audio"] = np.stack([mono * 1.0, mono * 0.5], axis=1)
    a, b = built(vocaset_sources(tree.write(2), Silent()), tmp_path / "out").entries
    first, second = (soundfile.read(tmp_path / "out" / str(entry.audio))[0] for entry in (a, b))
    np.testing.assert_allclose(second, first * 0.75, atol=1e-4)


def test_files_of_which_one_is_missing_or_damaged(tmp_path: Path) -> None:
    at_rest = template(VERTS, 0)
    write_pickle(tmp_path / "templates.pkl", {ONE: at_rest}, None)
    vertices = moving(at_rest, 20)
    for number in range(1, 9):
        write_files(tmp_path, f"{ONE}_sentence{number:02d}", vertices, 60)
    folder = tmp_path / "vertices_npy"
    (folder / f"{ONE}_sentence01.npy").unlink()
    (tmp_path / "wav" / f"{ONE}_sentence02.wav").unlink()
    (folder / f"{ONE}_sentence03.npy").write_bytes(b"")
    (tmp_path / "wav" / f"{ONE}_sentence04.wav").write_bytes(b"")
    np.save(folder / f"{ONE}_sentence05.npy", vertices[:, :4000].reshape(20, -1))
    np.save(folder / f"{ONE}_sentence06.npy", vertices.astype(np.int32))
    np.save(folder / f"{ONE}_sentence07.npy", np.zeros((1801, 1), np.float32))
    result = built(vocaset_sources(tmp_path, Silent()), tmp_path / "out")
    assert [entry.id[-2:] for entry in result.entries] == ["08"]
    expected = (
        ".npy is missing",
        ".wav is missing",
        "0 bytes",
        "0 bytes",
        "(20, 12000)",
        "int32",
        "(1801, 1)",
    )
    found = reasons(result)
    for number, words in enumerate(expected, 1):
        assert words in found[f"{ONE}_sentence{number:02d}"]


def test_what_is_not_vocaset(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not VOCASET") as caught:
        vocaset_sources(tmp_path, Silent())
    assert "data_verts.npy" in str(caught.value.hint)
    tree = Tree(tmp_path / "raw")
    tree.add(ONE, "sentence01")
    tree.write()
    for name in ("subj_seq_to_idx.pkl", "raw_audio_fixed.pkl", "templates.pkl"):
        content = (tree.root / name).read_bytes()
        (tree.root / name).unlink()
        with pytest.raises(InputError, match=f"{name} is missing"):
            vocaset_sources(tree.root, Silent())
        write_pickle(tree.root / name, [1, 2], 2)
        with pytest.raises(InputError, match="dictionary of subjects"):
            vocaset_sources(tree.root, Silent())
        (tree.root / name).write_bytes(b"\x80\x02cos\nsystem\nU\x04true\x85R.")
        with pytest.raises(InputError, match=r"os\.system"):
            vocaset_sources(tree.root, Silent())
        (tree.root / name).write_bytes(content)
    np.save(tree.root / "data_verts.npy", np.zeros((10, 5000, 3), np.float32))
    with pytest.raises(InputError, match=r"floats of \(rows, 5023, 3\)"):
        vocaset_sources(tree.root, Silent())


def test_a_second_run_keeps_and_a_changed_file_is_read_again(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "raw")
    tree.add(ONE, "sentence01")
    tree.add(ONE, "sentence02")
    tree.write()
    assert built(vocaset_sources(tree.root, Silent()), tmp_path / "out").num_kept == 0
    assert built(vocaset_sources(tree.root, Silent()), tmp_path / "out").num_kept == 2
    os.utime(tree.root / "raw_audio_fixed.pkl", ns=(1, 1))
    assert built(vocaset_sources(tree.root, Silent()), tmp_path / "out").num_kept == 2
    with (tree.root / "data_verts.npy").open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(np.float32(0.01).tobytes())
    assert built(vocaset_sources(tree.root, Silent()), tmp_path / "out").num_kept == 0


@pytest.mark.parametrize(
    "name", ["subj_seq_to_idx.pkl", "raw_audio_fixed.pkl", "templates.pkl", "data_verts.npy"]
)
def test_mutations_of_the_authors_files(tmp_path: Path, name: str) -> None:
    """A damaged file is refused as a whole, or its clips are, or the clip is a face and a sound."""
    tree = Tree(tmp_path / "raw")
    tree.add(ONE, "sentence01", 13)
    tree.write()
    path = tree.root / name

    def read(content: bytes) -> list[Any]:
        path.write_bytes(content)
        return [source.recipe.make(source) for source in vocaset_sources(tree.root, Silent())]

    def plausible(recordings: Any) -> bool:
        (recording,) = recordings
        mesh, speech = recording.mesh, recording.speech
        moved = np.abs(mesh.vertices - mesh.neutral).max()
        return bool(moved < 0.31 and np.abs(speech.samples).max() <= 1 and len(mesh.vertices) < 1801)

    assert survives(read, path.read_bytes(), plausible=plausible) > 30


def test_mutations_of_sound_and_vertices(tmp_path: Path) -> None:
    at_rest = template(VERTS, 0)
    write_pickle(tmp_path / "templates.pkl", {ONE: at_rest}, None)
    write_files(tmp_path, f"{ONE}_sentence01", moving(at_rest, 13), 60)
    (source,) = vocaset_sources(tmp_path, Silent())
    for folder, suffix in (("vertices_npy", "npy"), ("wav", "wav")):
        path = tmp_path / folder / f"{ONE}_sentence01.{suffix}"
        whole = path.read_bytes()

        def read(content: bytes, path: Path = path) -> Any:
            path.write_bytes(content)
            return source.recipe.make(source)

        assert survives(read, whole, count=100) > 20
        path.write_bytes(whole)
    assert wav(tone(0.5, RATE), RATE)[:4] == b"RIFF"
