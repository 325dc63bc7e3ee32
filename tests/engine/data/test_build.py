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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.data.build import Plan, build
from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.data.source import Recording, Source
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA
from talkcli.engine.files import sha256
from talkcli.engine.types import Emotion, Motion, Silent, Speech


@dataclass(frozen=True, kw_only=True)
class Tone:
    """Half a second of a tone; fails, or takes its time, on demand."""

    hz: float = 200.0
    fails: bool = False
    motion_seconds: float = 0.5
    wait_s: float = 0.0
    file: Path | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.file,) if self.file else ()

    def make(self, source: Source) -> Recording:
        time.sleep(self.wait_s)
        if self.fails:
            raise InputError("no tone today")
        samples = np.sin(2 * np.pi * self.hz * np.arange(8000) / 16_000).astype(np.float32)
        coeffs = np.zeros((round(25 * self.motion_seconds), len(ADA)), np.float32)
        motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
        return Recording(speech=Speech(samples=samples), motion=motion)


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

    monkeypatch.setattr("talkcli.engine.data.build.sha256", refuse)
    built = build([source("a"), source("b", file=given)], tmp_path / "out", Silent(), Plan(num_workers=0))
    assert [item.id for item in built.dropped] == ["b"]
    assert "may not be read" in built.dropped[0].reason


def test_nothing_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"None of 1 clips.*no tone today"):
        build([source("a", fails=True)], tmp_path, Silent(), Plan(num_workers=0))
    with pytest.raises(InputError, match="nothing to make"):
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


SLOW_BUILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.engine.data.test_build import Plan, Silent, build, source
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
    while len(list(out.glob("motion/c*.npz"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (out / "manifest.jsonl").exists()
    finished = subprocess.run(command, check=True, capture_output=True, text=True, timeout=180)
    assert int(finished.stdout) >= 3
    entries = read_manifest(out)
    assert len(entries) == 12
    for entry in entries:
        assert set(entry.files) == {"audio", "motion"}
        for path, digest in entry.files.values():
            assert sha256(out / path) == digest
