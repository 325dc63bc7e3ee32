"""Files every data set shares, damaged: sound, motion files, labels, the journal; and a whole run of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.textgrid import Interval, read_tier
from talkcli.engine.data.journal import Journal
from talkcli.engine.data.label_file import Label, read_labels
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.pipelines.bench.preprocess import write_clips
from talkcli.engine.prepare.adapters.crema_d import read_sexes
from talkcli.engine.prepare.adapters.folder import folder_sources
from talkcli.engine.prepare.adapters.mead import MeadPair
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.record import Record
from talkcli.engine.types import EMOTIONS, Motion, Silent, Speech
from tests.engine.data.mutations import mutations, survives
from tests.engine.prepare.test_build import source


def is_sound(found: object) -> bool:
    assert isinstance(found, Speech)
    return bool(np.isfinite(found.samples).all() and np.abs(found.samples).max(initial=0) <= 1)


def is_motion(found: object) -> bool:
    assert isinstance(found, Motion)
    return bool(np.isfinite(found.coeffs).all()) and len(found.coeffs) > 0


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_sound(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    tone = 0.3 * np.sin(np.arange(8000, dtype=np.float32) / 20)
    soundfile.write(path, np.stack([tone, tone], 1), 16_000)

    def read(content: bytes) -> Speech:
        path.write_bytes(content)
        return read_speech(path, Silent())

    assert survives(read, path.read_bytes(), plausible=is_sound, count=200) > 40


def test_sound_in_a_film(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 0.3 * np.sin(np.arange(8000) / 20), 16_000)
    path = tmp_path / "a.mp4"
    made = [ffmpeg_binary(), "-v", "error", "-i", str(tmp_path / "a.wav"), "-c:a", "aac", str(path)]
    subprocess.run(made, check=True)

    def read(content: bytes) -> Speech:
        path.write_bytes(content)
        return read_speech(path, Silent())

    assert survives(read, path.read_bytes(), plausible=is_sound) > 50


def test_motion_files(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips", 1)
    path = tmp_path / "clips" / "clip0000.npz"

    def read(content: bytes) -> Motion:
        path.write_bytes(content)
        return read_motion(path)[0]

    assert survives(read, path.read_bytes(), plausible=is_motion) > 100


@pytest.mark.parametrize("damaged", ["motion", "sound"])
def test_mead(tmp_path: Path, damaged: str) -> None:
    paths = {name: tmp_path / f"{name}.npy" for name in ("motion", "sound")}
    drawn = np.random.default_rng(0)
    np.save(paths["motion"], 0.1 * drawn.standard_normal((25, 156)))
    np.save(paths["sound"], 0.1 * drawn.standard_normal(16_000))
    recipe = MeadPair(**paths)

    def read(content: bytes) -> object:
        paths[damaged].write_bytes(content)
        return recipe.make(source("x"))

    def plausible(found: object) -> bool:
        return is_motion(found.motion) and is_sound(found.speech)  # type: ignore[attr-defined]

    assert survives(read, paths[damaged].read_bytes(), plausible=plausible) > 50


GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 2
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "this"
        intervals [2]:
            xmin = 0.5
            xmax = 2
            text = "is"
"""


def test_words_of_mfa(tmp_path: Path) -> None:
    def read(content: bytes) -> list[Interval]:
        path = tmp_path / "a.TextGrid"
        path.write_bytes(content)
        return read_tier(path)

    assert [word.text for word in read(GRID.encode())] == ["this", "is"]
    assert survives(read, GRID.encode()) > 50
    with pytest.raises(InputError, match="intervals"):
        read(GRID.replace("size = 2", "size = 99999999999").encode())


def test_labels(tmp_path: Path) -> None:
    content = "id,speaker,emotion,intensity,split\n" + "".join(
        f"clip{number:02d},anna,{EMOTIONS[number % 9]},0.5,train\n" for number in range(20)
    )

    def read(content: bytes) -> dict[str, Label]:
        path = tmp_path / "labels.csv"
        path.write_bytes(content)
        return read_labels(path)

    def plausible(found: object) -> bool:
        assert isinstance(found, dict)
        return all(label.emotion in EMOTIONS and 0 <= label.intensity <= 1 for label in found.values())

    assert survives(read, content.encode(), plausible=plausible) > 50


def test_the_actors_of_crema_d(tmp_path: Path) -> None:
    content = "ActorID,Age,Sex,Race,Ethnicity\n" + "".join(
        f"{number},30,{'Female' if number % 2 else 'Male'},Caucasian,Not Hispanic\n"
        for number in range(1001, 1092)
    )

    def read(content: bytes) -> object:
        path = tmp_path / "VideoDemographics.csv"
        path.write_bytes(content)
        return read_sexes(path)

    survives(read, content.encode(), plausible=lambda found: set(found.values()) <= {"female", "male"})  # type: ignore[attr-defined]


def test_a_damaged_journal_costs_the_clips_of_its_damaged_lines(tmp_path: Path) -> None:
    sources = [source(f"c{number}") for number in range(5)]
    build(sources, tmp_path, Silent(), Plan(num_workers=0))
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    known = {json.loads(line)["fingerprint"] for line in whole.splitlines()}
    for mutant in mutations(whole, 200, seed=1):
        path.write_bytes(mutant)
        with Journal.open(path, Record.of) as journal:
            assert len(journal.records) <= 6
        json.loads("[" + path.read_text().replace("}\n", "},").rstrip(",") + "]")
    path.write_bytes(whole.replace(b'"c3"', b'"c?'))
    built = build(sources, tmp_path, Silent(), Plan(num_workers=0))
    assert built.num_kept == 4
    assert len(known) == 5


@pytest.mark.parametrize(("suffix", "refused"), [(".wav", 48), (".npz", 51)])
def test_a_run_over_damaged_files_ends_with_a_list_of_them(tmp_path: Path, suffix: str, refused: int) -> None:
    """200 clips whose sound, or motion, is damaged, and one whole clip."""
    root, out = tmp_path / "root", tmp_path / "out"
    write_clips(root, 1)
    whole = {kind: (root / f"clip0000{kind}").read_bytes() for kind in (".wav", ".npz")}
    for number, mutant in enumerate(mutations(whole[suffix], 200, seed=2)):
        for kind, content in whole.items():
            (root / f"damaged{number:03d}{kind}").write_bytes(mutant if kind == suffix else content)
    built = build(folder_sources(root, None, "mine", Silent()), out, Silent(), Plan(num_workers=0))
    assert len(built.entries) + len(built.dropped) == 201
    # A wav has no checksum, and what stands behind its sound costs it a warning only.
    assert len(built.dropped) >= refused
    assert "clip0000" in {entry.id for entry in built.entries}
    assert len(read_manifest(out)) == len(built.entries)
    bugs = {
        item.reason for item in built.dropped if "a bug in talk" in item.reason or "memory" in item.reason
    }
    assert not bugs
