from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from talkcli.engine import files
from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path, is_temporary, real_path, sha256, sweep, temporary_folder


def test_a_finished_file_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.mp4"
    with atomic_path(target) as temporary:
        assert temporary.suffix == ".mp4"
        assert temporary.parent.parent == target.parent
        temporary.write_text("first")
        assert not target.exists()
    with atomic_path(target) as temporary:
        temporary.write_text("second")
        assert target.read_text() == "first"
    assert target.read_text() == "second"
    assert [path.name for path in target.parent.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "out.npz"
    target.write_text("old")
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "ours") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    target = tmp_path / ("ä" * 125 + ".mp4")
    with atomic_path(target) as temporary:
        temporary.write_text("x")
    assert target.read_text() == "x"


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder"), atomic_path(tmp_path):
        pass


def test_a_pipe_is_no_target(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="a device or pipe"), atomic_path(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_temporary_folders_end_with_their_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_folder() as folder:
        (folder / "below").mkdir()
        (folder / "below" / "x").touch()
        assert folder.parent == tmp_path
        assert is_temporary(folder.name)
        assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(ZeroDivisionError), temporary_folder(tmp_path):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


OWNER = """
import sys, time
from pathlib import Path
from talkcli.engine.files import atomic_path, temporary_folder
with temporary_folder(Path(sys.argv[1])) as folder, atomic_path(Path(sys.argv[1]) / "x.npz") as temporary:
    (folder / "deep" / "er").mkdir(parents=True)
    temporary.write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept_and_a_living_one_keeps_its_own(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None and owner.stdout.readline() == "ready\n"
        with temporary_folder(tmp_path) as mine:
            before = set(tmp_path.rglob("*"))
            sweep(tmp_path)
            assert set(tmp_path.rglob("*")) == before
            owner.kill()
            owner.wait()
            sweep(tmp_path)
            assert list(tmp_path.iterdir()) == [mine]
        assert not list(tmp_path.iterdir())


def signed(folder: Path, *, host: str = os.uname().nodename, age_s: float = 0) -> Path:
    """A temporary folder without an owner, on whatever machine."""
    folder.mkdir()
    (folder / "x").touch()
    (folder / ".owner").write_text(f"temporary folder of talk, process 1 on {host}\n")
    for path in (folder / "x", folder / ".owner", folder):
        os.utime(path, (time.time() - age_s, time.time() - age_s))
    return folder


def test_what_is_not_surely_ours_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of users, links, and folders that another machine may still use."""
    (tmp_path / ".talk-00000001").write_text("a file of the user")
    (tmp_path / ".talk-00000002").mkdir()
    (tmp_path / ".talk-00000002" / "x").touch()
    signed(tmp_path / ".talk-notes")
    signed(tmp_path / "talk-00000003")
    (signed(tmp_path / ".talk-00000004") / ".owner").write_text("something else")
    (tmp_path / ".talk-00000005").symlink_to(signed(tmp_path / "target"))
    signed(tmp_path / ".talk-00000006", host="elsewhere", age_s=3600)
    before = set(tmp_path.rglob("*"))
    sweep(tmp_path)
    assert set(tmp_path.rglob("*")) == before
    gone = [
        signed(tmp_path / ".talk-00000007"),
        signed(tmp_path / ".talk-00000008", host="elsewhere", age_s=2 * 24 * 3600),
    ]
    (tmp_path / ".talk-00000009").mkdir()
    # Killed before it could sign.
    (signed(tmp_path / ".talk-0000000a") / ".owner").write_text("")
    sweep(tmp_path)
    assert not any(folder.exists() for folder in gone)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF])
def test_without_locks_nothing_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    left = signed(tmp_path / ".talk-00000001")
    monkeypatch.setattr(files.fcntl, "flock", refuse)
    with temporary_folder(tmp_path) as folder:
        sweep(tmp_path)
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == [left]


@pytest.mark.parametrize("where", ["link", "folder/link"])
def test_a_link_that_goes_in_circles_is_no_target(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / where
    link.symlink_to(link)
    with pytest.raises(InputError, match="leads back to itself"), atomic_path(link):
        pass
    with pytest.raises(InputError, match="leads back to itself"), atomic_path(link / "x.npz"):
        pass


def test_errors_name_the_output_and_not_what_is_temporary(tmp_path: Path) -> None:
    target = tmp_path / "out.npz"
    for raised in (OSError(errno.ENOSPC, "full"), PermissionError(errno.EACCES, "no", str(tmp_path / "in"))):
        named = raised.filename or str(target)
        with pytest.raises(OSError, match=r"full|no") as caught, atomic_path(target):
            raise raised
        assert caught.value.filename == named
    with pytest.raises(FileNotFoundError) as missing, atomic_path(target) as temporary:
        (temporary.parent / "below" / "x").touch()
    assert missing.value.filename == str(target)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_names_the_output(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError) as caught, atomic_path(tmp_path / "out.npz"):
        pass
    assert caught.value.filename == str(tmp_path / "out.npz")


def test_a_real_path_has_no_links_but_those_in_circles(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "loop").symlink_to("loop")
    assert real_path(tmp_path / "link" / "a.wav") == real_path(tmp_path) / "there" / "a.wav"
    assert real_path(tmp_path / "loop") == real_path(tmp_path) / "loop"


def test_no_code_resolves_links_in_a_way_that_raises() -> None:
    sources = Path(files.__file__).parents[1].rglob("*.py")
    lines = ((path.name, line) for path in sources for line in path.read_text().splitlines())
    calls = [(name, line) for name, line in lines if ".resolve()" in line]
    # Our own files only: what a user names goes through `real_path`.
    assert [call for call in calls if "__file__" not in call[1] and call[0] != "code_digest.py"] == []
