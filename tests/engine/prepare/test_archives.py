"""Archives: what they hold is read as if it lay in folders; hostile and damaged ones are refused in words."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
import zipfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.prepare import archives
from talkcli.engine.prepare.archives import open_root, unpack
from talkcli.engine.types import Silent
from tests.engine.data.mutations import survives

FILES = {"Actor_01/a.wav": b"RIFF" * 5000, "Actor_01/b.wav": b"", "Actor_02/c.wav": bytes(range(250)) * 12}


def tar(files: dict[str, bytes], kind: str = "", **fields: object) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=f"w:{kind}") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for field, value in fields.items():
                setattr(member, field, value)
            packed.addfile(member, io.BytesIO(content))
    return held.getvalue()


def zipped(files: dict[str, bytes], attributes: int = 0) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = attributes << 16
            packed.writestr(member, content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


KINDS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "a.zip": zipped,
    "a.tar": tar,
    "a.tar.gz": lambda files: tar(files, "gz"),
    "a.TGZ": lambda files: tar(files, "gz"),
    "a.tar.bz2": lambda files: tar(files, "bz2"),
    "a.tar.xz": lambda files: tar(files, "xz"),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_was_packed_comes_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(KINDS[name](FILES))
    assert tree(unpack(tmp_path / name, tmp_path / "into", Silent())) == FILES


def test_folders_and_permissions(tmp_path: Path) -> None:
    """Members for folders, `./` in front, and no setuid bit of theirs."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as packed:
        for name in (".", "./sub"):
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            packed.addfile(folder)
        member = tarfile.TarInfo("./sub/run")
        member.mode, member.uid = 0o6777, 12345
        packed.addfile(member, io.BytesIO())
    (tmp_path / "a.tar").write_bytes(held.getvalue())
    (tmp_path / "b.zip").write_bytes(zipped({"sub/": b"", "sub/run": b""}))
    for name in ("a.tar", "b.zip"):
        into = unpack(tmp_path / name, tmp_path / name[0], Silent())
        mode = (into / "sub" / "run").stat().st_mode
        assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR)
        assert (into / "sub" / "run").stat().st_uid == os.getuid()


HOSTILE = {
    "../out": "leads out",
    "sub/../../out": "leads out",
    "/etc/passwd": "absolute path",
    "C:/out": "absolute path",
    "c:out": "absolute path",
    "..\\out": "backslash",
    "a\nb": "control character",
    "x" * 300: "too long",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("pack", [tar, zipped])
def test_hostile_names_are_refused(
    tmp_path: Path, name: str, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    archive = tmp_path / ("a.tar" if pack is tar else "a.zip")
    archive.write_bytes(pack({"fine": b"1", name: b"2"}))
    with pytest.raises(InputError, match=HOSTILE[name]) as caught:
        unpack(archive, tmp_path / "into", Silent())
    assert repr(name)[1:20] in caught.value.problem
    assert tree(tmp_path).keys() <= {archive.name, "into/fine"}


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE]
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(tar({"evil": b""}, type=kind, linkname="/etc/passwd"))
    with pytest.raises(InputError, match="'evil' is a link, a device"):
        unpack(tmp_path / "a.tar", tmp_path / "into", Silent())
    (tmp_path / "a.zip").write_bytes(zipped({"evil": b"/etc/passwd"}, stat.S_IFLNK | 0o777))
    with pytest.raises(InputError, match="'evil' is a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "into", Silent())
    assert tree(tmp_path).keys() == {"a.tar", "a.zip"}


def test_a_name_is_used_once(tmp_path: Path) -> None:
    first, second = tar({"a": b"1"}), tar({"a": b"2"})
    (tmp_path / "a.tar").write_bytes(first[:1024] + second)
    with pytest.raises(InputError, match="'a' is there twice"):
        unpack(tmp_path / "a.tar", tmp_path / "into", Silent())
    (tmp_path / "b.tar").write_bytes(tar({"b": b"1", "b/c": b"2"}))
    with pytest.raises(InputError, match=r"'b/c' is (a file and a folder|there twice)"):
        unpack(tmp_path / "b.tar", tmp_path / "into", Silent())


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_SURELY_FITS", 1 << 20)
    zeros = {"zeros": bytes(20 << 20)}
    for name, content in {"a.zip": zipped(zeros), "a.tar.gz": tar(zeros, "gz")}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="no data set shrinks like that"):
            unpack(tmp_path / name, tmp_path / "into", Silent())
    assert not tree(tmp_path / "into")


def test_a_header_is_not_read_at_any_length(tmp_path: Path) -> None:
    member = tarfile.TarInfo("long")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    (tmp_path / "a.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(10240))
    with pytest.raises(InputError, match="a header of"):
        unpack(tmp_path / "a.tar", tmp_path / "into", Silent())


def test_more_than_the_disk_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, archives._RESERVE + 1000))
    (tmp_path / "a.zip").write_bytes(zipped(FILES))
    with pytest.raises(InputError, match=r"`out` has room for 0\."):
        unpack(tmp_path / "a.zip", tmp_path / "into", Silent())


def test_encrypted_and_unknown_zips_are_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": b"1" * 100}))
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match="'a' is encrypted"):
        unpack(tmp_path / "a.zip", tmp_path / "into", Silent())
    content[central + 8] &= ~1
    content[central + 10] = 99
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        unpack(tmp_path / "a.zip", tmp_path / "into", Silent())


def test_a_damaged_header_is_not_the_end(tmp_path: Path) -> None:
    """Python's tarfile stops there without a word."""
    content = bytearray(tar({"a": b"1", "b": b"2"}))
    content[1024] ^= 1
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(InputError, match="damaged after 1024 bytes"):
        unpack(tmp_path / "a.tar", tmp_path / "into", Silent())
    (tmp_path / "b.tar").write_bytes(tar({"a": b"1", "b": b"2"})[:1024])
    with pytest.raises(InputError, match="cut off"):
        unpack(tmp_path / "b.tar", tmp_path / "into2", Silent())


@pytest.mark.parametrize("name", KINDS)
def test_damage_is_said_or_harmless(tmp_path: Path, name: str) -> None:
    """What is read after all is what was packed, under names that are or were damaged in the name alone."""

    def read(content: bytes) -> dict[str, bytes]:
        archive, into = tmp_path / name, tmp_path / "into"
        shutil.rmtree(into, ignore_errors=True)
        archive.write_bytes(content)
        return tree(unpack(archive, into, Silent()))

    def plausible(found: object) -> bool:
        assert isinstance(found, dict)
        if name == "a.tar":
            # Without compression there is no checksum of the content, only of its length.
            return len(found) <= 3
        return set(found.values()) <= {*FILES.values(), b"not what you look for"}

    refused = survives(read, KINDS[name](FILES), plausible=plausible)
    assert refused > 100


def test_a_folder_stays_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with open_root(tmp_path / "root", tmp_path / "out", Silent()) as root:
        assert root == tmp_path / "root"
    assert not (tmp_path / "out").exists()


def test_archives_are_unpacked_for_the_time_of_a_run(tmp_path: Path) -> None:
    packed = tmp_path / "mead.zip"
    packed.write_bytes(zipped({f"MEAD/{name}": content for name, content in FILES.items()}))
    out = tmp_path / "out"
    with pytest.raises(InputError, match="on the way"), open_root(packed, out, Silent()) as root:
        assert tree(root) == FILES
        first = root
        raise InputError("on the way")
    assert tree(first) == FILES
    with open_root(packed, out, Silent()) as root:
        # Found where the run before left it.
        assert root == first
    assert not (out / ".unpacked").exists()
    packed.write_bytes(zipped({"MEAD/other": b"1"}))
    with open_root(packed, out, Silent()) as root:
        assert root != first


def test_a_folder_of_archives_is_one_data_set(tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    (root / "M003").mkdir(parents=True)
    (root / "speech.zip").write_bytes(zipped({"Actor_01/a.wav": b"1"}))
    (root / "song.zip").write_bytes(zipped({"Actor_01/b.wav": b"2"}))
    (root / "M003" / "video.tar").write_bytes(tar({"video/c.mp4": b"3"}))
    (root / "labels.csv").write_bytes(b"id\n")
    with open_root(root, out, Silent()) as inside:
        assert tree(inside) == {
            "Actor_01/a.wav": b"1",
            "Actor_01/b.wav": b"2",
            "M003/video/c.mp4": b"3",
            "labels.csv": b"id\n",
        }
    (root / "clip.wav").write_bytes(b"")
    said: list[str] = []
    reporter = Silent()
    reporter.warn = said.append  # type: ignore[method-assign]
    with open_root(root, out, reporter) as inside:
        assert inside == root
    assert "3 archives" in said[0]


def test_a_failed_unpacking_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(FILES)[:-30])
    with (
        pytest.raises(InputError, match="damaged"),
        open_root(tmp_path / "a.zip", tmp_path / "out", Silent()),
    ):
        pytest.fail("opened")
    assert not list((tmp_path / "out").iterdir())
    (tmp_path / "a.rar").write_bytes(b"")
    with pytest.raises(InputError, match="not read"), open_root(tmp_path / "a.rar", tmp_path, Silent()):
        pytest.fail("opened")


@pytest.mark.parametrize("depth", [65, 100, 999, 1899])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_folders_in_folders_without_end_are_refused(tmp_path: Path, depth: int, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    files = {"first.txt": b"1", "a/" * depth + "x": b"2"}
    path.write_bytes(tar(files) if kind == "tar" else zipped(files))
    # And at every further run.
    for _ in range(2):
        with (
            pytest.raises(InputError, match="lies more than 64 folders deep") as caught,
            open_root(path, tmp_path / "out", Silent()),
        ):
            pass
        assert len(caught.value.problem) < 500
        assert not (tmp_path / "out" / ".unpacked").exists()


def test_files_without_content_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_SURELY_FITS", 100 * 512)
    monkeypatch.setattr(archives, "_MOST_GROWTH", 0)
    for kind, pack in (("tar", tar), ("zip", zipped)):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(pack({f"{number}": b"" for number in range(101)}))
        with pytest.raises(InputError, match="no data set shrinks like that"):
            unpack(path, tmp_path / kind, Silent())


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
@pytest.mark.parametrize("content", [b"<!doctype html><title>Log in</title>", b"\0" * 10_240])
def test_what_lies_in_an_archives_place_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        InputError, match=r"a web page \(HTML, titled 'Log in'\)|nothing but 10240 zero bytes"
    ):
        unpack(tmp_path / name, tmp_path / "into", Silent())
