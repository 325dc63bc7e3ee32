"""Runs that are killed, run into a full disk, or meet another run: nothing is lost, nothing is claimed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.data.build import Plan, build
from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import UNFINISHED, read_manifest
from talkcli.engine.data.out_folder import claim
from talkcli.engine.data.shards import write_shards
from talkcli.engine.data.source import Recording, Source
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA
from talkcli.engine.files import sha256
from talkcli.engine.pipelines.bench_preprocess import write_clips
from talkcli.engine.pipelines.check_manifest import check_manifest, measure_manifest
from talkcli.engine.types import Motion, Silent
from tests.engine.data.test_build import Tone, source
from tests.engine.fakes import left_by_a_kill

LISTED = ("manifest.jsonl", "manifest.parquet", "quarantine.jsonl", "report.jsonl", "CARD.md")


def tree(folder: Path) -> dict[str, str]:
    """Digests of what a finished run leaves; the journal has the order in which clips were done."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("journal.jsonl", ".lock", "CARD.md")
    }


def check_whole(out: Path) -> int:
    """The number of clips of the manifest, all of whose files are what it says."""
    entries = read_manifest(out)
    for entry in entries:
        for name, digest in entry.files.values():
            assert sha256(out / name) == digest
    return len(entries)


def command(root: Path, out: Path) -> list[str]:
    options = ["--workers", "2", "--quiet", "--json", "--out", str(out)]
    return [sys.executable, "-m", "talkcli", "preprocess", "folder", str(root), *options]


def test_a_killed_run_leaves_what_is_true_and_goes_on(tmp_path: Path) -> None:
    """The whole command, and its workers, killed in the middle of 200 clips."""
    root, out = tmp_path / "root", tmp_path / "out"
    write_clips(root, 200)
    process = subprocess.Popen(command(root, out), start_new_session=True, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(list(out.glob("motion/clip*.npz"))) < 60 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    left_by_a_kill(out / "audio")
    assert 1 <= check_whole(out) < 200
    assert "of 200 clips" in (out / UNFINISHED).read_text()
    journal = (out / "journal.jsonl").read_bytes().count(b"\n")
    assert 50 <= journal < 200

    finished = subprocess.run(command(root, out), check=True, capture_output=True, text=True, timeout=60)
    summary = json.loads(finished.stdout)
    assert summary["clips"] == 200
    assert summary["kept"] in (journal, journal - 1)
    assert check_whole(out) == 200
    subprocess.run(command(root, tmp_path / "other"), check=True, capture_output=True, timeout=60)
    assert tree(out) == tree(tmp_path / "other")
    assert not (out / UNFINISHED).exists()


def test_the_manifest_of_an_unfinished_run_lists_no_clip_it_may_still_change(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(6)]
    build([source(name) for name in names], tmp_path, Silent(), Plan(num_workers=0))
    seen: list[set[str]] = []

    class Watcher(Silent):
        def progress(self, stage: str, done: int, total: int | None) -> None:
            manifest = tmp_path / "manifest.jsonl"
            seen.append({entry.id for entry in read_manifest(manifest)} if manifest.exists() else set())
            if done == 4:
                raise KeyboardInterrupt

    changed = [source(name, hz=300.0) for name in names]
    with pytest.raises(KeyboardInterrupt):
        build(changed, tmp_path, Watcher(), Plan(num_workers=0))
    assert seen == [set(), {"c0"}, {"c0"}, {"c0"}]
    assert {entry.id for entry in read_manifest(tmp_path)} == {"c0", "c1", "c2", "c3"}
    assert check_whole(tmp_path) == 4
    warned: list[str] = []
    reporter = Silent()
    reporter.warn = warned.append  # type: ignore[method-assign]
    assert len(load_clips(tmp_path, None, reporter)) == 4
    check_manifest(tmp_path / "manifest.jsonl", reporter, num_workers=0)
    measure_manifest(tmp_path, reporter, num_workers=0)
    write_shards(tmp_path, tmp_path / "shards", reporter)
    assert [UNFINISHED in text for text in warned] == [True] * 4
    assert not (tmp_path / "manifest.parquet").exists()


def test_a_file_that_does_not_read_costs_its_clip(tmp_path: Path) -> None:
    sources = [source("a", system_error=errno.EIO), source("b", system_error=errno.EACCES), source("c")]
    built = build(sources, tmp_path, Silent(), Plan(num_workers=0))
    reasons = {item.id: item.reason for item in built.dropped}
    assert reasons == {
        "a": "/somewhere/in.wav cannot be read (Input/output error).",
        "b": "/somewhere/in.wav cannot be read (Permission denied).",
    }


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
def test_trouble_of_the_machine_ends_the_run(tmp_path: Path, number: int, num_workers: int) -> None:
    sources = [*(source(f"a{index}") for index in range(4)), source("b", system_error=number)]
    sources += [source(f"c{index:03d}", wait_s=0.02) for index in range(60)]
    with pytest.raises(OSError, match="/somewhere/in") as caught:
        build(sources, tmp_path, Silent(), Plan(num_workers=num_workers))
    assert caught.value.errno == number
    # Not a hundred lines about one disk.
    assert not (tmp_path / "quarantine.jsonl").exists()
    assert 1 <= check_whole(tmp_path) < 60
    assert "of 65 clips" in (tmp_path / UNFINISHED).read_text()


FULL_DISK = """
import resource, signal, sys
sys.path.insert(0, sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from tests.engine.data.test_build import Path, Plan, Silent, build, source
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    build([source(f"c{number}") for number in range(5)], Path(sys.argv[2]), Silent(), Plan(num_workers=0))
except OSError as error:
    print(error.errno, error.filename)
"""


def test_a_disk_that_takes_no_more_is_never_a_bad_clip(tmp_path: Path) -> None:
    """Files of more than 2 KB are refused by the system: sound is, in the middle of being written."""
    root = str(Path(__file__).resolve().parents[3])
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, root, str(tmp_path / "out")],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout == f"{errno.EFBIG} {tmp_path / 'out' / 'audio' / 'c0.flac'}\n"
    assert not list(tmp_path.rglob("*.flac"))
    assert not (tmp_path / "out" / "quarantine.jsonl").exists()


def test_no_room_for_the_files_is_said_by_the_command(tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    write_clips(root, 3)
    out.mkdir()
    (out / "audio").write_text("in the way")
    ended = subprocess.run(command(root, out), check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 3
    assert "Traceback" not in ended.stderr
    assert "cannot name files" in ended.stderr


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        claim(tmp_path / "out"),
        pytest.raises(InputError, match=rf"Another run \(process {os.getpid()} on .*\) is writing to"),
        claim(tmp_path / "out"),
    ):
        pytest.fail("both have it")
    with claim(tmp_path / "out"):
        pass


def test_a_run_that_came_to_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wrong ROOT"), claim(tmp_path / "a" / "out"):
        raise InputError("wrong ROOT")
    assert not (tmp_path / "a" / "out").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"), claim(tmp_path / "file"):
        pytest.fail("claimed")


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    left = [left_by_a_kill(tmp_path / name) for name in ("", "motion", "audio/a/b", ".unpacked")]
    assert all(folder.is_dir() for folder in left)
    kept = [".hidden", "motion/.x.abcdefgh.npz", "audio/clip.flac", ".lock", ".unpacked/a/.talk-12345678/x"]
    for name in kept:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with claim(tmp_path):
        found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(kept)


@pytest.mark.parametrize("name", [".lock", "audio", "motion/x.npz", "journal.jsonl", "audio/speaker"])
@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_what_links_lead_to_is_never_written(tmp_path: Path, name: str, kind: str) -> None:
    victim = tmp_path / "victim"
    if kind == "file":
        victim.write_text("precious")
    elif kind == "folder":
        victim.mkdir()
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(victim)
    with pytest.raises(InputError, match=r"is a link"), claim(tmp_path / "out"):
        pytest.fail("claimed")
    assert link.is_symlink()
    assert (victim.read_text() == "precious") if kind == "file" else not list(victim.glob("*"))
    assert victim.exists() == (kind != "nothing")


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_a_lock_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    lock = tmp_path / ".lock"
    os.mkfifo(lock) if kind == "pipe" else lock.mkdir()
    with pytest.raises(InputError, match="keeps a file there"), claim(tmp_path):
        pytest.fail("claimed")


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to("disk")
    with claim(tmp_path / "out"):
        pass


ODD = {
    "a\nb": "control character",
    "a\\b": "backslash",
    "C:a": "colon",
    "/a": "no plain path",
    "a//b": "no plain path",
    "../a": "begins with a dot",
    "a/../../b": "begins with a dot",
    ".hidden": "begins with a dot",
    "a/.b.abcdefgh": "begins with a dot",
    " a": "no plain path",
    "": "no plain path",
    os.fsdecode(b"caf\xe9"): "not Unicode",
    "x" * 260: "cannot name files here",
}


def test_odd_names_cost_their_clips_and_nothing_else(tmp_path: Path) -> None:
    fine = ["Größe", "a b", "A B", "名前", "x" * 240, "a'b\"c", "$(rm)", "-rf", "neutral/s", "a.b.flac"]
    sources = [source(name) for name in [*ODD, *fine]]
    built = build(sources, tmp_path, Silent(), Plan(num_workers=0))
    assert [entry.id for entry in built.entries] == fine
    reasons = {item.id: item.reason for item in built.dropped}
    assert reasons.keys() == ODD.keys()
    for name, reason in reasons.items():
        assert ODD[name] in reason, name
    assert check_whole(tmp_path) == len(fine)
    lines = [json.loads(line) for line in (tmp_path / "quarantine.jsonl").read_text("utf-8").splitlines()]
    assert {line["id"] for line in lines} == ODD.keys()
    assert not [*tmp_path.parent.glob("*.flac"), *tmp_path.glob("*.flac")]


def test_names_that_are_not_unicode_are_told_all_the_way(tmp_path: Path) -> None:
    """In the command: the sound of one clip and the motion of another, under names of bytes."""
    root, out = tmp_path / "root", tmp_path / "out"
    write_clips(root, 3)
    (root / "clip0000.wav").rename(root / os.fsdecode(b"caf\xe9.wav"))
    ended = subprocess.run(command(root, out), check=True, capture_output=True, text=True, timeout=60)
    summary = json.loads(ended.stdout)
    assert summary["clips"] == 2
    assert len(summary["dropped"]) == 1
    assert "caf" in (out / "quarantine.jsonl").read_text("utf-8")
    assert "1 clip; every one is in quarantine.jsonl" in (out / "CARD.md").read_text("utf-8")


def test_a_bug_costs_one_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def divide(self: Tone, source: Source) -> Recording:
        coeffs = np.zeros((12 // (source.id != "bad"), len(ADA)), np.float32)
        return Recording(motion=Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA))

    monkeypatch.setattr(Tone, "make", divide)
    built = build([source("good"), source("bad")], tmp_path, Silent(), Plan(num_workers=0))
    assert [item.reason for item in built.dropped] == [
        "a bug in talk: ZeroDivisionError: integer division or modulo by zero"
    ]
