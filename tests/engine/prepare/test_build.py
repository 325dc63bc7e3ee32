"""Building clips: failures are set aside, a second run keeps what fits, and a kill leaves nothing
half-written.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import Entry, MeshFiles, read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.files import sha256
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Emotion, Motion, Silent, Speech, VertexMotion
from tests.engine.fakes import Told


@dataclass(frozen=True, kw_only=True)
class Tone:
    """Half a second of a tone; fails, or takes its time, on demand."""

    hz: float = 200.0
    fails: bool = False
    system_error: int = 0
    motion_seconds: float = 0.5
    wait_s: float = 0.0
    file: Path | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.file,) if self.file else ()

    def make(self, source: Source) -> Recording:
        time.sleep(self.wait_s)
        if self.system_error:
            raise OSError(self.system_error, os.strerror(self.system_error), "/somewhere/in.wav")
        if self.fails:
            raise InputError("no tone today")
        samples = np.sin(2 * np.pi * self.hz * np.arange(8000) / 16_000).astype(np.float32)
        coeffs = np.zeros((round(25 * self.motion_seconds), len(ADA)), np.float32)
        motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
        return Recording(speech=Speech(samples=samples), motion=motion)


@dataclass(frozen=True, kw_only=True)
class Scan:
    """Vertices, with half a second of sound or without."""

    sound: bool = True

    @property
    def inputs(self) -> tuple[Path, ...]:
        return ()

    def make(self, source: Source) -> Recording:
        neutral = np.arange(12, dtype=np.float32).reshape(4, 3)
        vertices = neutral + np.linspace(0, 1, 30, dtype=np.float32)[:, None, None]
        mesh = VertexMotion(vertices=vertices, neutral=neutral, fps=60.0, topology="four")
        speech = Speech(samples=np.zeros(8200, np.float32)) if self.sound else None
        return Recording(speech=speech, mesh=mesh, report={"seen": 0.5})


def source(name: str, **recipe: object) -> Source:
    return Source(
        id=name,
        speaker="s",
        emotion=Emotion(),
        split="train",
        licence="MIT",
        recipe=Tone(**recipe),  # type: ignore[arg-type]
    )


def test_failures_are_set_aside_with_reasons(tmp_path: Path) -> None:
    sources = [source("sub/a"), source("b", fails=True), source("c", motion_seconds=1.0), source("sub/a")]
    built = build(sources, tmp_path, Silent(), Plan(num_workers=0))
    assert [entry.id for entry in read_manifest(tmp_path)] == ["sub/a"]
    reasons = {item.id: item.reason for item in built.dropped}
    assert reasons["b"] == "no tone today"
    assert "motion 1.00 s" in reasons["c"]
    assert reasons["sub/a"] == "another clip has this id"
    lines = (tmp_path / "quarantine.jsonl").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == {"b", "c", "sub/a"}
    assert len(load_clips(tmp_path, None, Silent())) == 1


def test_an_input_that_may_not_be_read_costs_its_clip_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "given.txt"
    given.write_text("one")

    def refuse(path: Path) -> str:
        if path == given:
            raise PermissionError(13, "Permission denied", str(path))
        return sha256(path)

    monkeypatch.setattr("talkcli.engine.prepare.make_clip.sha256", refuse)
    built = build([source("a"), source("b", file=given)], tmp_path / "out", Silent(), Plan(num_workers=0))
    assert [item.id for item in built.dropped] == ["b"]
    assert "cannot be read" in built.dropped[0].reason


def test_vertices_and_sound_alone_are_clips_too(tmp_path: Path) -> None:
    scan = source("sub/scan")
    sources = [replace(scan, recipe=Scan()), replace(scan, id="mute", recipe=Scan(sound=False))]
    built = build(sources, tmp_path, Silent(), Plan(num_workers=0))
    first, second = read_manifest(tmp_path)
    assert set(first.files) == {"audio", "vertices", "neutral"}
    assert set(second.files) == {"vertices", "neutral"}
    assert (first.fps, first.num_frames, first.duration_s) == (60.0, 30, 0.5)
    assert built.seconds == 1.0
    assert first.mesh is not None and first.mesh == replace_vertices(second, first)
    stored = np.load(tmp_path / first.mesh.vertices, mmap_mode="r")
    assert (stored.shape, stored.dtype) == ((30, 4, 3), np.float32)
    np.testing.assert_array_equal(np.load(tmp_path / first.mesh.neutral), stored[0])
    # The sound is cut to the end of the motion.
    assert soundfile.info(tmp_path / str(first.audio)).frames == 8000
    reports = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [(report["id"], report["seen"]) for report in reports] == [("sub/scan", 0.5), ("mute", 0.5)]
    with pytest.raises(InputError, match="Clip sub/scan has no motion"):
        load_clips(tmp_path, None, Silent())
    assert build(sources, tmp_path, Silent(), Plan(num_workers=0)).num_kept == 2
    (tmp_path / first.mesh.neutral).unlink()
    assert build(sources, tmp_path, Silent(), Plan(num_workers=0)).num_kept < 2


def replace_vertices(entry: Entry, other: Entry) -> MeshFiles:
    assert entry.mesh is not None and other.mesh is not None
    return entry.mesh.model_copy(update={"vertices": other.mesh.vertices})


def test_the_clean_up_is_part_of_what_must_fit(tmp_path: Path) -> None:
    sources = [source("a")]
    assert build(sources, tmp_path, Silent(), Plan(num_workers=0)).entries[0].fps == 25
    faster = Plan(num_workers=0, cleanup=Cleanup(fps=50))
    built = build(sources, tmp_path, Silent(), faster)
    assert (built.num_kept, built.entries[0].fps, built.entries[0].num_frames) == (0, 50, 24)
    assert read_motion(tmp_path / "motion" / "a.npz")[1] == {"cleanup": {"fps": 50.0}}
    assert build(sources, tmp_path, Silent(), faster).num_kept == 1


def test_nothing_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of 1 clip could.*no tone today"):
        build([source("a", fails=True)], tmp_path, Silent(), Plan(num_workers=0))
    with pytest.raises(InputError, match="holds no clips"):
        build([], tmp_path, Silent(), Plan(num_workers=0))


def test_a_second_run_keeps_what_fits(tmp_path: Path) -> None:
    given = tmp_path / "given.txt"
    given.write_text("one")
    sources = [source("a"), source("b", file=given), source("c")]
    out = tmp_path / "out"
    assert build(sources, out, Silent(), Plan(num_workers=0)).num_kept == 0
    before = {path: sha256(path) for path in out.rglob("*.*") if path.is_file()}
    assert build(sources, out, Silent(), Plan(num_workers=0)).num_kept == 3
    assert {path: sha256(path) for path in out.rglob("*.*") if path.is_file()} == before
    # A changed input, a changed setting, a damaged sound: each makes its clip anew.
    given.write_text("two")
    (out / "audio" / "c.flac").write_bytes(b"damaged")
    again = build([source("a", hz=300.0), *sources[1:]], out, Silent(), Plan(num_workers=0))
    assert again.num_kept == 0
    assert len(load_clips(out, None, Silent())) == 3


def test_inputs_may_be_moved(tmp_path: Path) -> None:
    out, here, there = tmp_path / "out", tmp_path / "here" / "a.txt", tmp_path / "there" / "a.txt"
    for path in (here, there):
        path.parent.mkdir()
        path.write_text("one")
    build([source("a", file=here)], out, Silent(), Plan(num_workers=0))
    assert build([source("a", file=there)], out, Silent(), Plan(num_workers=0)).num_kept == 1
    renamed = there.rename(there.with_name("b.txt"))
    assert build([source("a", file=renamed)], out, Silent(), Plan(num_workers=0)).num_kept == 0


@dataclass(frozen=True, kw_only=True)
class Shown(Tone):
    """A tone with something to look at."""

    preview: Path | None = field(default=None, repr=False)

    def make(self, source: Source) -> Recording:
        if self.preview is not None:
            self.preview.write_text("seen")
        return super().make(source)


def test_a_preview_is_no_setting_but_is_made_when_asked_for(tmp_path: Path) -> None:
    without, preview = replace(source("a"), recipe=Shown()), tmp_path / "a.mp4"
    with_one = replace(without, recipe=Shown(preview=preview))
    out = tmp_path / "out"
    kept = [
        build([each], out, Silent(), Plan(num_workers=0)).num_kept
        for each in (without, with_one, with_one, without)
    ]
    assert kept == [0, 0, 1, 1]
    assert preview.read_text() == "seen"


def test_what_only_earlier_runs_made_stays_and_is_told_of(tmp_path: Path) -> None:
    told = Told()
    build([source("a"), source("b"), source("c")], tmp_path, told, Plan(num_workers=0))
    assert told.notes == []
    build([source("a"), source("b", fails=True)], tmp_path, told, Plan(num_workers=0))
    assert len(told.notes) == 1
    assert told.noted("Not in the manifest: 2 clips of earlier runs (b, c). Their files stay")
    assert (tmp_path / "audio" / "c.flac").is_file()
    assert [entry.id for entry in read_manifest(tmp_path)] == ["a"]


SLOW_BUILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.engine.prepare.test_build import Plan, Silent, build, source
if __name__ == "__main__":
    sources = [source(f"c{i:02d}", hz=100.0 + i, wait_s=0.15) for i in range(12)]
    print(build(sources, Path(sys.argv[2]), Silent(), Plan(num_workers=0)).num_kept)
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", SLOW_BUILD, str(root), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 120
    journal = out / "journal.jsonl"
    while time.monotonic() < deadline and (not journal.exists() or journal.read_bytes().count(b"\n") < 3):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    finished = subprocess.run(command, check=True, capture_output=True, text=True, timeout=180)
    assert int(finished.stdout) >= 3
    entries = read_manifest(out)
    assert len(entries) == 12
    for entry in entries:
        assert set(entry.files) == {"audio", "motion"}
        for path, digest in entry.files.values():
            assert sha256(out / path) == digest
